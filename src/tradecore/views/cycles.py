"""View `cycles`: every cycle with how it went. Key: cycle id."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant, text
from tradecore.views.view import Row, Rows


class Cycles:
    """Cycles: `status` is live, failed, skipped, or what the cycle came to."""

    name = "cycles"
    shape = "cycles/1"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of a cycle."""
        event = recorded.event
        match event:
            case ev.CycleStarted() | ev.CycleSkipped():
                rows.put(event.cycle_id, _begun(event, recorded))
            case ev.CycleStepped():
                row = rows.require(event.cycle_id)
                row["steps"] = [*row["steps"], f"{event.step.value}: {event.result.value}"]
                rows.put(event.cycle_id, row)
            case ev.CycleCompleted():
                row = rows.require(event.cycle_id)
                row.update(
                    status=event.result.value,
                    decisions=event.decisions,
                    orders=event.orders,
                    duration_s=text(event.duration_s),
                )
                rows.put(event.cycle_id, row)
            case ev.CycleFailed():
                row = rows.require(event.cycle_id)
                row.update(status="failed", reason=event.reason)
                rows.put(event.cycle_id, row)
            case _:
                pass


def _begun(event: ev.CycleStarted | ev.CycleSkipped, recorded: Recorded[ev.Event]) -> Row:
    skipped = isinstance(event, ev.CycleSkipped)
    return {
        "cycle_id": event.cycle_id,
        "account": event.account,
        "agent": event.agent,
        "mode": "" if isinstance(event, ev.CycleSkipped) else event.mode.value,
        "due_at": instant(event.due_at),
        "status": "skipped" if skipped else "live",
        "steps": [],
        "decisions": 0,
        "orders": 0,
        "duration_s": None,
        "reason": f"cycle {event.running} was still at work" if isinstance(event, ev.CycleSkipped) else "",
        "trace_id": recorded.envelope.trace_id,
        "position": recorded.envelope.position,
    }
