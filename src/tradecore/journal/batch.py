"""The events of one append, on their way into the recorder and back with their positions."""

from __future__ import annotations

from collections.abc import Sequence

from eventsourcing.persistence import StoredEvent

from tradecore.domain.events import Event
from tradecore.domain.messages import Envelope, Recorded
from tradecore.journal.codec import encode


def stored(events: Sequence[Recorded[Event]]) -> list[StoredEvent]:
    """The rows of an append. Raises `InputError` for an event that could not be read back."""
    last: dict[str, int] = {}
    rows: list[StoredEvent] = []
    for recorded in events:
        envelope, event = recorded.envelope, recorded.event
        assert envelope.position == 0, "positions are given by the journal"
        assert envelope.name == event.NAME, "an envelope names its event"
        assert envelope.schema == event.SCHEMA, "events are written in the newest schema"
        assert envelope.version == last.get(envelope.stream, envelope.version - 1) + 1 > 0, "versions leave no gap"
        last[envelope.stream] = envelope.version
        rows.append(StoredEvent(envelope.stream, envelope.version, envelope.name, encode(recorded)))
    return rows


def placed(events: Sequence[Recorded[Event]], positions: Sequence[int]) -> tuple[Recorded[Event], ...]:
    """The same events with their positions."""
    return tuple(
        Recorded(
            Envelope(
                e.event_id,
                e.name,
                e.schema,
                e.stream,
                e.version,
                position,
                e.recorded_at_ns,
                e.trace_id,
                e.correlation_id,
                e.causation_id,
                e.actor,
                e.source,
            ),
            recorded.event,
        )
        for recorded, position in zip(events, positions, strict=True)
        for e in (recorded.envelope,)
    )
