"""View `traces`: every event under its trace. Key: trace id and position, `<trace_id>:<19 digits>`, so in order."""

from __future__ import annotations

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant_of_ns
from tradecore.views.view import Rows


class Traces:
    """What followed from what, from a decision to its last fill. A row per event: a trace may become long."""

    name = "traces"
    shape = "traces/2"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Add the event to its trace."""
        envelope = recorded.envelope
        rows.put(
            f"{prefix(envelope.trace_id)}{envelope.position:019}",
            {
                "trace_id": envelope.trace_id,
                "position": envelope.position,
                "event_id": envelope.event_id,
                "causation_id": envelope.causation_id,
                "name": envelope.name,
                "stream": envelope.stream,
                "recorded_at": instant_of_ns(envelope.recorded_at_ns),
                "actor": envelope.actor,
            },
        )


def prefix(trace_id: str) -> str:
    """How the keys of a trace begin."""
    return f"{trace_id}:"
