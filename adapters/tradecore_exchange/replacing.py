"""Changing a working order means a new one in its place: which may be, and on what terms."""

from __future__ import annotations

from decimal import Decimal

from tradecore_exchange.numbers import is_whole
from tradecore_exchange.orders import Order
from tradecore_exchange.refusals import Refused, against_the_rules, already_finished, forbidden, invalid
from tradecore_exchange.requests import OrderRequest, ReplaceRequest
from tradecore_exchange.rules import check_terms
from tradecore_exchange.words import WORKING, OrderClass, OrderType, Role

_REPLACEABLE = WORKING | {"held"}


def check_replaceable(order: Order) -> None:
    """Raises `Refused` unless the order works on the market, or is a held leg, and has a quantity."""
    if not order.is_open:
        raise Refused(already_finished(order.status))
    if order.status not in _REPLACEABLE:
        raise Refused(against_the_rules(f"cannot replace order in {order.status} status"))
    if order.qty is None:
        raise Refused(against_the_rules("notional orders cannot be replaced"))
    if order.order_class is OrderClass.OTO:
        raise Refused(against_the_rules("oto orders cannot be replaced"))


def replaced_terms(order: Order, request: ReplaceRequest) -> OrderRequest:
    """The order that takes the place of `order`. Raises `Refused`.

    Without a new quantity it is for all that the old one was for, whatever of that has filled: Alpaca does so.
    A leg is for what was left of the old one. Its class is simple: what belongs to it belongs to it already.
    """
    qty = _new_qty(order, request)
    trail_price, trail_percent = _new_trail(order, request)
    terms = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=request.time_in_force or order.time_in_force,
        qty=qty,
        limit_price=order.limit_price if request.limit_price is None else request.limit_price,
        extended_hours=order.extended_hours,
        client_order_id=request.client_order_id,
        stop_price=_new_stop(order, request),
        trail_price=trail_price,
        trail_percent=trail_percent,
    )
    check_terms(terms)
    if terms == _present_terms(order, request.client_order_id):
        raise Refused(forbidden("order parameters are not changed"))
    if order.is_complex and request.time_in_force not in {None, order.time_in_force}:
        raise Refused(against_the_rules("time_in_force of orders that belong together cannot be changed"))
    return terms


def _present_terms(order: Order, client_order_id: str | None) -> OrderRequest:
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=_present_qty(order),
        limit_price=order.limit_price,
        extended_hours=order.extended_hours,
        client_order_id=client_order_id,
        stop_price=None if order.type is OrderType.TRAILING_STOP else order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
    )


def _present_qty(order: Order) -> Decimal:
    assert order.qty is not None, "notional orders are not replaced"
    is_leg = order.is_complex and order.role is not Role.ENTRY
    return order.leaves_qty if is_leg else order.qty


def _new_qty(order: Order, request: ReplaceRequest) -> Decimal:
    present = _present_qty(order)
    if request.qty is None or request.qty == present:
        return present
    if not (is_whole(present) and is_whole(request.qty)):
        raise Refused(against_the_rules("qty of fractional orders cannot be changed"))
    if order.is_complex and order.role is not Role.ENTRY:
        raise Refused(against_the_rules("qty of take_profit and stop_loss orders cannot be changed"))
    return request.qty


def _new_stop(order: Order, request: ReplaceRequest) -> Decimal | None:
    if order.type is not OrderType.TRAILING_STOP:
        return order.stop_price if request.stop_price is None else request.stop_price
    if request.stop_price is not None:
        raise Refused(invalid("trailing stop orders require no stop price"))
    return None


def _new_trail(order: Order, request: ReplaceRequest) -> tuple[Decimal | None, Decimal | None]:
    if request.trail is None:
        return order.trail_price, order.trail_percent
    if order.trail_price is not None:
        return request.trail, None
    if order.trail_percent is not None:
        return None, request.trail
    raise Refused(invalid("trail is only for trailing stop orders"))
