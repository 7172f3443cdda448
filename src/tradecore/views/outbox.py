"""View `outbox`: what is asked of the broker, and how far it got.

Key: order id and kind, `<order_id>:submit` (what brings the order there) or `<order_id>:cancel`; a kill has
`kill:<account>`, the lifting of a suspension `lift:<account>`.
"""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.work import Work
from tradecore.views.plain import instant, instant_of_ns
from tradecore.views.view import Row, Rows

_DONE = ("succeeded", "refused", "withdrawn")
_KEPT = 20
"""Attempts that a row tells in full; `attempts` counts all."""


class OutboxWork:
    """Work is pending, running, unknown, failed (will be retried), dead (needs a person), or it ended.

    It ends as succeeded, refused (by the broker) or withdrawn. `tries` has the last attempts: when each began and
    ended, how long it took in milliseconds, what came of it, and why it failed.
    """

    name = "outbox"
    shape = "outbox/4"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of an order or a kill into its work."""
        name, stream = recorded.envelope.name, recorded.envelope.stream
        if name.startswith("account.kill."):
            _apply_kill(rows, recorded)
        elif name.startswith("account.suspension."):
            _apply_lift(rows, recorded)
        elif name.startswith("trade.order."):
            _apply_order(rows, recorded, stream.removeprefix("order-"))


def _apply_order(rows: Rows, recorded: Recorded[ev.Event], order_id: str) -> None:
    event = recorded.event
    if isinstance(event, ev.OrderPlanned):
        kind = "leg" if event.leg and not event.replaces else "replace" if event.replaces else "submit"
        rows.put(f"{order_id}:submit", _work(f"{order_id}:submit", order_id, kind, event.client_order_id, recorded))
        return
    if isinstance(event, ev.OrderAdopted):  # somebody else sent it: it arrived without an attempt of ours
        work = _work(f"{order_id}:submit", order_id, "submit", event.client_order_id, recorded)
        rows.put(work["work_id"], {**work, "status": "succeeded"})
        return
    submit = rows.require(f"{order_id}:submit")
    if isinstance(event, ev.CancelRequested):
        rows.put(submit["work_id"], submit | {"cancel_requested": True})
        cancel = _work(f"{order_id}:cancel", order_id, "cancel", submit["client_order_id"], recorded)
        rows.put(cancel["work_id"], cancel)
        return
    _put(rows, recorded, submit, _submit(submit, event))
    if not submit["cancel_requested"]:
        return  # most have none, and to look for it would be the only row that is not at hand
    asked = rows.get(f"{order_id}:cancel")
    if asked is not None:
        _put(rows, recorded, asked, _cancel(asked, event))


def _apply_kill(rows: Rows, recorded: Recorded[ev.Event]) -> None:
    event = recorded.event
    key = "kill:" + recorded.envelope.stream.removeprefix("kill-")
    match event:
        case ev.KillRequested():
            rows.put(key, _work(key, "", "kill", "", recorded))
            lift = rows.get("lift:" + key.removeprefix("kill:"))
            if lift is not None and lift["status"] not in _DONE:
                _put(rows, recorded, lift, {"status": "withdrawn", "last_error": "a kill came"})
        case ev.KillSubmitted():
            _put(rows, recorded, rows.require(key), _begun(event.attempt))
        case ev.KillAnswered():
            left = "" if event.open_orders is None else f"{event.open_orders} orders still work"
            _put(rows, recorded, rows.require(key), _failed(event.message or left or "not verified yet"))
        case ev.KillVerified():
            _put(rows, recorded, rows.require(key), {"status": "succeeded", "last_error": None})


def _apply_lift(rows: Rows, recorded: Recorded[ev.Event]) -> None:
    event = recorded.event
    key = "lift:" + recorded.envelope.stream.removeprefix("kill-")
    match event:
        case ev.SuspensionLiftRequested():
            rows.put(key, _work(key, "", "lift", "", recorded))
        case ev.SuspensionLiftSubmitted():
            _put(rows, recorded, rows.require(key), _begun(event.attempt))
        case ev.SuspensionLiftAnswered():
            _put(rows, recorded, rows.require(key), _failed(event.message or "not verified yet"))
        case ev.SuspensionLifted():
            _put(rows, recorded, rows.require(key), {"status": "succeeded", "last_error": None})


def _put(rows: Rows, recorded: Recorded[ev.Event], row: Row, change: Row) -> None:
    if not change:
        return
    at_ns = recorded.envelope.recorded_at_ns
    tries = [dict(each) for each in row["tries"]]
    if change.get("status") == "running":
        tries.append(_try(change["attempts"], at_ns))
    elif tries and tries[-1]["ended_at"] is None:
        began_ns = tries[-1].pop("began_ns")
        tries[-1] |= {
            "ended_at": instant_of_ns(at_ns),
            "duration_ms": (at_ns - began_ns) // 1_000_000,
            "outcome": change["status"],
            "error": change.get("last_error"),
        }
    row.update(change, tries=tries[-_KEPT:], updated_at=instant_of_ns(at_ns))
    rows.put(row["work_id"], row)


def _try(attempt: int, at_ns: int) -> Row:
    return {
        "attempt": attempt,
        "began_at": instant_of_ns(at_ns),
        "began_ns": at_ns,
        "ended_at": None,
        "duration_ms": None,
        "outcome": None,
        "error": None,
    }


def _work(work_id: str, order_id: str, kind: str, client_order_id: str, recorded: Recorded[ev.Event]) -> Row:
    at = instant_of_ns(recorded.envelope.recorded_at_ns)
    return {
        "work_id": work_id,
        "order_id": order_id,
        "client_order_id": client_order_id,
        "kind": kind,
        "cancel_requested": kind == "cancel",
        "status": "pending",
        "attempts": 0,
        "tries": [],
        "last_error": None,
        "not_after": None,
        "created_at": at,
        "updated_at": at,
        "trace_id": recorded.envelope.trace_id,
        "position": recorded.envelope.position,
    }


def _begun(attempt: int) -> Row:
    return {"status": "running", "attempts": attempt}


def _failed(reason: str) -> Row:
    return {"status": "failed", "last_error": reason}


def _submit(row: Row, event: ev.Event) -> Row:
    """What an event changes for what brings its order to the broker."""
    match event:
        case ev.OrderQueued():
            return {"not_after": instant(event.not_after)}
        case ev.OrderSubmitted():
            return _begun(event.attempt)
        case ev.OrderNotSent():
            return _failed(event.reason)
        case ev.OrderOutcomeUnknown():
            return {"status": "unknown", "last_error": event.reason}
        case ev.OrderAccepted():
            return {"status": "succeeded"}
        case ev.OrderRejected() if row["status"] not in _DONE:
            reason = f"{event.code}: {event.message}" if event.code else event.message
            return {"status": "refused", "last_error": reason}
        case ev.OrderCanceled() if row["status"] not in _DONE:
            return {"status": "withdrawn", "last_error": event.reason}
        case ev.OrderDead() if event.work is not Work.CANCEL:
            return {"status": "dead", "last_error": event.reason}
        case ev.OrderRetried() if event.work is not Work.CANCEL:
            not_after = None if event.not_after is None else instant(event.not_after)
            return {"status": "pending", "not_after": not_after}
        case _:
            return {}


def _cancel(row: Row, event: ev.Event) -> Row:
    """What an event changes for the cancel of its order; an order that ended otherwise needs none any more."""
    match event:
        case ev.CancelSubmitted():
            return _begun(event.attempt)
        case ev.CancelAnswered() if event.accepted:
            return {"status": "succeeded", "last_error": None}
        case ev.CancelAnswered():
            return _failed(event.message)
        case ev.OrderDead() if event.work is Work.CANCEL:
            return {"status": "dead", "last_error": event.reason}
        case ev.OrderDiscarded() if event.work is Work.CANCEL:
            return {"status": "withdrawn", "last_error": event.reason}
        case ev.OrderCanceled() if row["status"] not in _DONE:
            return {"status": "succeeded"}
        case ev.OrderFilled() | ev.OrderRejected() | ev.OrderExpired() | ev.OrderReplaced() | ev.OrderCompleted():
            return {} if row["status"] in _DONE else {"status": "withdrawn", "last_error": "the order ended otherwise"}
        case _:
            return {}
