"""Fill: one execution that the broker confirmed. It is recorded once and never changes."""

from __future__ import annotations

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import RecordFill
from tradecore.domain.order import OrderState
from tradecore.errors import InputError


@attrs.frozen
class FillState:
    """A fill as its event tells it."""

    recorded: ev.FillRecorded


def record(state: FillState | None, command: RecordFill, order: OrderState) -> list[ev.Event]:
    """Record an execution; a repeat, from whichever source, says nothing new."""
    if state is not None:
        return []
    for field, number in (("quantity", command.quantity), ("price", command.price)):
        if not (number.is_finite() and number > 0):
            raise InputError(field, number, "a number above zero")
    if not command.cumulative_qty >= command.quantity:
        raise InputError("cumulative_qty", command.cumulative_qty, f"at least the fill's own {command.quantity}")
    return [
        ev.FillRecorded(
            fill_id=command.fill_id,
            order_id=order.order_id,
            trade_id=order.trade_id,
            account=order.account,
            broker_order_id=command.broker_order_id,
            execution_id=command.execution_id,
            symbol=order.symbol,
            side=order.side,
            quantity=command.quantity,
            price=command.price,
            cumulative_qty=command.cumulative_qty,
            fees=command.fees,
            occurred_at=command.occurred_at,
            source=command.source,
            raw=command.raw,
        )
    ]


def evolve(state: FillState | None, event: ev.Event) -> FillState:
    """The fill after its event."""
    assert state is None, "a fill has one event"
    assert isinstance(event, ev.FillRecorded)
    return FillState(event)
