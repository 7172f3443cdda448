"""Events as JSON objects, numbers and times written as everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradecore.domain.events import Event
    from tradecore.domain.messages import Recorded


def event_object(recorded: Recorded[Event]) -> dict[str, Any]:
    """An event with what travels with it; `data` holds the event's own fields."""
    from tradecore.publishing.envelope import plain
    from tradecore.views.plain import instant_of_ns

    envelope = recorded.envelope
    return {
        "position": envelope.position,
        "name": envelope.name,
        "stream": envelope.stream,
        "version": envelope.version,
        "event_id": envelope.event_id,
        "causation_id": envelope.causation_id,
        "correlation_id": envelope.correlation_id,
        "recorded_at": instant_of_ns(envelope.recorded_at_ns),
        "actor": envelope.actor,
        "source": envelope.source,
        "trace_id": envelope.trace_id,
        "data": plain(recorded.event),
    }
