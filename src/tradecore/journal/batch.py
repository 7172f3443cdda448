"""The events of one append, on their way into the store and back with their positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import attrs
from eventsourcing.persistence import StoredEvent

from tradecore.domain.events import Event
from tradecore.domain.messages import Envelope, Recorded

Encode = Callable[[Recorded[Event]], bytes]
NOTHING: Mapping[str, int] = MappingProxyType({})
"""No stream has to stand still."""


@attrs.frozen(eq=False)
class Batch:
    """Rows by column, in their order; `firsts` is the first version of each stream.

    `while_at` are the versions of further streams at which they must stand when the rows are appended.
    """

    streams: list[str]
    versions: list[int]
    names: list[str]
    states: list[bytes]
    event_ids: list[str | None]
    firsts: dict[str, int]
    while_at: Mapping[str, int] = NOTHING

    @property
    def size(self) -> int:
        """Bytes of the states."""
        return sum(map(len, self.states))


def stored(events: Sequence[Recorded[Event]], encode: Encode, while_at: Mapping[str, int] = NOTHING) -> Batch:
    """The rows of an append. Raises `InputError` for an event that could not be read back."""
    last: dict[str, int] = {}
    batch = Batch([], [], [], [], [], {}, while_at)
    for recorded in events:
        envelope, event = recorded.envelope, recorded.event
        stream, version, name = envelope.stream, envelope.version, envelope.name
        assert envelope.position == 0, "positions are given by the journal"
        assert name == event.NAME, "an envelope names its event"
        assert envelope.schema == event.SCHEMA, "events are written in the newest schema"
        before = last.get(stream)
        if before is None:
            batch.firsts[stream] = version
            before = version - 1
        assert version == before + 1 > 0, "versions leave no gap"
        last[stream] = version
        batch.streams.append(stream)
        batch.versions.append(version)
        batch.names.append(name)
        batch.states.append(encode(recorded))
        batch.event_ids.append(envelope.event_id)
    return batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Several batches as one; no two have a stream in common, and none wants others to stand still."""
    whole = Batch([], [], [], [], [], {})
    for batch in batches:
        assert not batch.while_at, "such a batch is appended alone"
        whole.streams.extend(batch.streams)
        whole.versions.extend(batch.versions)
        whole.names.extend(batch.names)
        whole.states.extend(batch.states)
        whole.event_ids.extend(batch.event_ids)
        whole.firsts.update(batch.firsts)
    return whole


def plain(stored_events: Sequence[StoredEvent]) -> Batch:
    """The rows of an append as `eventsourcing` makes it: without event ids, its streams beginning anywhere."""
    return Batch(
        [str(event.originator_id) for event in stored_events],
        [event.originator_version for event in stored_events],
        [event.topic for event in stored_events],
        [event.state for event in stored_events],
        [None] * len(stored_events),
        {},
    )


def placed(events: Sequence[Recorded[Event]], first: int) -> tuple[Recorded[Event], ...]:
    """The same events with their positions, from `first` on."""
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
        for position, recorded in enumerate(events, first)
        for e in (recorded.envelope,)
    )
