"""Dead work is told once, also when the process that recorded it ended before it could tell."""

from __future__ import annotations

from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, Event, OrderDead
from tradecore.domain.identity import derived_id
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.work import Work
from tradecore.ledger import Ledger


def tell(ledger: Ledger, recorded: Recorded[Event], cause: Cause) -> None:
    """Raise the alert for work that is dead by this event, unless it was raised before."""
    event = recorded.event
    assert isinstance(event, OrderDead), "other events say nothing of dead work"
    stream = f"alert-{derived_id('alert', 'dead', recorded.envelope.event_id)}"
    if ledger.has_stream(stream):
        return
    kind = "cancel_failed" if event.work is Work.CANCEL else "delivery_dead"
    what = f"the {event.work.value} of order {event.order_id} is dead after {event.attempts} attempts"
    ledger.note(stream, AlertTriggered(kind, f"{what}, retry or discard it: {event.reason}"), cause)


def tell_again(ledger: Ledger, order: OrderState, cause: Cause) -> None:
    """The same for an order that an earlier run left with dead work."""
    is_dead = order.dead or (order.cancel_requested and order.cancel_spent and not order.cancel_taken)
    if is_dead and not order.status.is_terminal:
        told = ledger.journal.load(streams.order(order.order_id))
        for recorded in [item for item in told if isinstance(item.event, OrderDead)][-1:]:
            tell(ledger, recorded, cause)
