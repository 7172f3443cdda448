"""What is sent for an order."""

from __future__ import annotations

from tradecore.domain.order import OrderState
from tradecore.ports.broker import OrderRequest, ReplaceRequest, Veto


def request_of(order: OrderState, veto: Veto) -> OrderRequest:
    """Exactly what is sent for an order."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        extended_hours=order.extended_hours,
        notional=order.notional,
        stop_price=order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        order_class=order.order_class,
        take_profit=order.take_profit,
        stop_loss=order.stop_loss,
        veto=veto,
    )


def replace_request_of(order: OrderState, veto: Veto) -> ReplaceRequest:
    """Exactly what is sent for an order that is to take the place of another.

    Always with its quantity: a broker that is told none may begin with the whole of an order that is filled in part.
    How much a leg is for, the broker knows.
    """
    return ReplaceRequest(
        client_order_id=order.client_order_id,
        quantity=None if order.leg is not None else order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail=order.trail_price if order.trail_price is not None else order.trail_percent,
        time_in_force=order.time_in_force,
        veto=veto,
    )
