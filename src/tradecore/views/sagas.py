"""View `sagas`: processes over several orders, and how far each got. Key: saga id. The rules are the domain's own."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.values import SagaStatus
from tradecore.views.plain import instant, instant_of_ns
from tradecore.views.view import Row, Rows


class Sagas:
    """Sagas with their step, status and what they came to."""

    name = "sagas"
    shape = "sagas/1"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of a saga."""
        event, at = recorded.event, instant_of_ns(recorded.envelope.recorded_at_ns)
        if isinstance(event, ev.SagaStarted):
            rows.put(event.saga_id, _started(event, recorded, at))
            return
        change = _change(event)
        if change:
            row = rows.require(recorded.envelope.stream.removeprefix("saga-"))
            row.update(change, updated_at=at, steps=row["steps"] + 1)
            rows.put(row["saga_id"], row)


def _started(event: ev.SagaStarted, recorded: Recorded[ev.Event], at: str) -> Row:
    return {
        "saga_id": event.saga_id,
        "kind": event.kind,
        "account": event.account,
        "status": SagaStatus.PENDING.value,
        "step": "",
        "steps": 0,
        "reason": "",
        "terms": " ".join(f"{name}={value}" for name, value in sorted(event.terms.items())),
        "deadline": instant(event.deadline),
        "trace_id": recorded.envelope.trace_id,
        "created_at": at,
        "updated_at": at,
        "position": recorded.envelope.position,
    }


def _change(event: ev.Event) -> Row:
    match event:
        case ev.SagaStepped():
            status = SagaStatus.RUNNING
        case ev.SagaCompensating():
            status = SagaStatus.COMPENSATING
        case ev.SagaCompleted():
            return {"status": SagaStatus.COMPLETED.value, "reason": event.result}
        case ev.SagaFailed():
            return {"status": SagaStatus.FAILED.value, "reason": event.reason}
        case ev.SagaNeedsPerson():
            return {"status": SagaStatus.MANUAL.value, "reason": event.reason}
        case _:
            return {}
    return {"status": status.value, "step": event.step, "reason": event.reason, "deadline": instant(event.deadline)}
