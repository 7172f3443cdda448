"""View `outbox`: what is asked of the broker, and how far it got. Key: order id and kind, `<order_id>:submit`."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.order import CANCEL_ATTEMPTS
from tradecore.views.plain import instant, instant_of_ns
from tradecore.views.view import Row, Rows

_DONE = ("succeeded", "failed", "withdrawn")


class OutboxWork:
    """Work is pending, running, unknown, succeeded, failed or withdrawn; `attempts` counts recorded attempts."""

    name = "outbox"
    shape = "outbox/2"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of an order into its submit and its cancel."""
        if not recorded.envelope.name.startswith("trade.order."):
            return
        event, at = recorded.event, instant_of_ns(recorded.envelope.recorded_at_ns)
        order_id = recorded.envelope.stream.removeprefix("order-")
        if isinstance(event, ev.OrderPlanned):
            rows.put(f"{order_id}:submit", _work(order_id, "submit", event.client_order_id, recorded, at))
            return
        submit = rows.require(f"{order_id}:submit")
        cancel: Row | None = None
        if isinstance(event, ev.CancelRequested):
            cancel = _work(order_id, "cancel", submit["client_order_id"], recorded, at)
            rows.put(cancel["work_id"], cancel)
            rows.put(submit["work_id"], submit | {"cancel_requested": True})
            return
        if submit["cancel_requested"]:  # most have none, and to look for it would be the only row that is not at hand
            cancel = rows.get(f"{order_id}:cancel")
        for row, change in ((submit, _submit(submit, event)), (cancel, _cancel(cancel, event))):
            if row is not None and change:
                row.update(change, updated_at=at)
                rows.put(row["work_id"], row)


def _work(order_id: str, kind: str, client_order_id: str, recorded: Recorded[ev.Event], at: str) -> Row:
    return {
        "work_id": f"{order_id}:{kind}",
        "order_id": order_id,
        "client_order_id": client_order_id,
        "kind": kind,
        "cancel_requested": kind == "cancel",
        "status": "pending",
        "attempts": 0,
        "last_error": None,
        "not_after": None,
        "created_at": at,
        "updated_at": at,
        "trace_id": recorded.envelope.trace_id,
        "position": recorded.envelope.position,
    }


def _submit(row: Row, event: ev.Event) -> Row:
    """What an event changes for the submit of its order."""
    match event:
        case ev.OrderQueued():
            return {"not_after": instant(event.not_after)}
        case ev.OrderSubmitted():
            return {"status": "running", "attempts": event.attempt}
        case ev.OrderNotSent():
            return {"status": "pending", "last_error": event.reason}
        case ev.OrderOutcomeUnknown():
            return {"status": "unknown", "last_error": event.reason}
        case ev.OrderAccepted():
            return {"status": "succeeded"}
        case ev.OrderRejected() if row["status"] not in _DONE:
            reason = f"{event.code}: {event.message}" if event.code else event.message
            return {"status": "failed", "last_error": reason}
        case ev.OrderCanceled() if row["status"] not in _DONE:
            return {"status": "withdrawn", "last_error": event.reason}
        case _:
            return {}


def _cancel(row: Row | None, event: ev.Event) -> Row:
    """What an event changes for the cancel of its order; an order that ended otherwise needs none any more."""
    if row is None:
        return {}
    match event:
        case ev.CancelSubmitted():
            return {"status": "running", "attempts": event.attempt}
        case ev.CancelAnswered() if event.accepted:
            return {"status": "succeeded"}
        case ev.CancelAnswered():
            status = "pending" if row["attempts"] < CANCEL_ATTEMPTS else "failed"
            return {"status": status, "last_error": event.message}
        case ev.OrderCanceled() if row["status"] not in _DONE:
            return {"status": "succeeded"}
        case ev.OrderFilled() | ev.OrderRejected() | ev.OrderExpired() | ev.OrderReplaced():
            return {} if row["status"] in _DONE else {"status": "withdrawn", "last_error": "the order ended otherwise"}
        case _:
            return {}
