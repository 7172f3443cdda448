"""View `orders`: every order as it stands. Key: order id. The rules are the domain's own."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain import events as ev
from tradecore.domain import order
from tradecore.domain.messages import Recorded
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce, rounded_quotient
from tradecore.views.plain import instant_of_ns, number, text, text_or_none
from tradecore.views.view import Row, Rows


class Orders:
    """Orders with their status, fills, and why they ended."""

    name = "orders"
    shape = "orders/2"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of an order."""
        if not recorded.envelope.name.startswith("trade.order."):
            return
        event, at = recorded.event, instant_of_ns(recorded.envelope.recorded_at_ns)
        if isinstance(event, ev.OrderPlanned):
            row = _planned(event, recorded, at)
        elif isinstance(event, ev.OrderAdopted):
            row = _adopted(event, recorded, at)
        else:
            row = rows.require(recorded.envelope.stream.removeprefix("order-"))
            after = order.evolve(_state(row), event)
            row["status"] = after.status.value
            row["broker_order_id"] = after.broker_order_id
            row["filled_qty"] = text(after.filled_qty)
            row["filled_value"] = text(after.filled_value)
            average = rounded_quotient(after.filled_value, after.filled_qty) if after.filled_qty else None
            row["avg_fill_price"] = text_or_none(average)
            row["reason"] = _reason(event, row["reason"])
        row["updated_at"] = at
        rows.put(row["order_id"], row)


def _planned(event: ev.OrderPlanned, recorded: Recorded[ev.Event], at: str) -> Row:
    return {
        "order_id": event.order_id,
        "client_order_id": event.client_order_id,
        "broker_order_id": None,
        "account": event.account,
        "strategy": event.strategy,
        "symbol": event.symbol,
        "side": event.side.value,
        "qty": text_or_none(event.quantity),
        "type": event.order_type.value,
        "tif": event.time_in_force.value,
        "limit_price": text_or_none(event.limit_price),
        "extended_hours": event.extended_hours,
        "status": OrderStatus.PLANNED.value,
        "reason": None,
        "filled_qty": "0",
        "filled_value": "0",
        "avg_fill_price": None,
        "trace_id": recorded.envelope.trace_id,
        "trade_id": event.trade_id,
        "decision_id": event.decision_id,
        "created_at": at,
        "position": recorded.envelope.position,
    }


def _adopted(event: ev.OrderAdopted, recorded: Recorded[ev.Event], at: str) -> Row:
    return {
        "order_id": event.order_id,
        "client_order_id": event.client_order_id,
        "broker_order_id": event.broker_order_id,
        "account": event.account,
        "strategy": event.strategy,
        "symbol": event.symbol,
        "side": event.side.value,
        "qty": text_or_none(event.quantity),
        "type": event.order_type.value,
        "tif": event.time_in_force.value,
        "limit_price": text_or_none(event.limit_price),
        "extended_hours": False,
        "status": event.status.value,
        "reason": "placed outside tradecore",
        "filled_qty": "0",
        "filled_value": "0",
        "avg_fill_price": None,
        "trace_id": recorded.envelope.trace_id,
        "trade_id": event.trade_id,
        "decision_id": None,
        "created_at": at,
        "position": recorded.envelope.position,
    }


def _state(row: Row) -> order.OrderState:
    """As much of the order's state as the row's fields are derived from."""
    limit = row["limit_price"]
    return order.OrderState(
        order_id=row["order_id"],
        client_order_id=row["client_order_id"],
        account=row["account"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=None if row["qty"] is None else number(row, "qty"),
        order_type=OrderType(row["type"]),
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=TimeInForce(row["tif"]),
        extended_hours=row["extended_hours"],
        strategy=row["strategy"],
        trade_id=row["trade_id"],
        decision_id=row["decision_id"],
        reference_price=None,
        status=OrderStatus(row["status"]),
        broker_order_id=row["broker_order_id"],
        filled_qty=number(row, "filled_qty"),
        filled_value=number(row, "filled_value"),
    )


def _reason(event: ev.Event, before: str | None) -> str | None:
    match event:
        case ev.OrderRejected():
            return f"{event.code}: {event.message}" if event.code else event.message
        case ev.OrderCanceled():
            return event.reason
        case ev.OrderExpired():
            return "its time in force ran out"
        case ev.OrderReplaced():
            return "replaced by another order at the broker"
        case ev.OrderFilled():
            return None
        case _:
            return before
