"""View `traces`: every trace as the list of its events. Key: trace id."""

from __future__ import annotations

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant_of_ns
from tradecore.views.view import Rows


class Traces:
    """What followed from what, from a decision to its last fill."""

    name = "traces"
    shape = "traces/1"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Put the event at the end of its trace."""
        envelope = recorded.envelope
        row = rows.get(envelope.trace_id) or {"trace_id": envelope.trace_id, "events": []}
        row["events"].append(
            {
                "position": envelope.position,
                "event_id": envelope.event_id,
                "causation_id": envelope.causation_id,
                "name": envelope.name,
                "stream": envelope.stream,
                "recorded_at": instant_of_ns(envelope.recorded_at_ns),
                "actor": envelope.actor,
            }
        )
        rows.put(envelope.trace_id, row)
