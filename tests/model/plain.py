"""The model: what a journal promises, in lists and dictionaries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import attrs
import msgspec

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

Events = Sequence[Recorded[Event]]


@attrs.define
class PlainView:
    """A view: its position and its rows."""

    position: int = 0
    rows: dict[str, bytes] = attrs.field(factory=dict)


@attrs.define
class PlainJournal:
    """A journal without a store, without processes, and without crashes."""

    events: list[Recorded[Event]] = attrs.field(factory=list)
    versions: dict[str, int] = attrs.field(factory=dict)
    ids: dict[str, None] = attrs.field(factory=dict)
    views: dict[str, PlainView] = attrs.field(factory=dict)
    texts: dict[str, dict[str, bytes | None]] = attrs.field(factory=dict)

    def version(self, stream: str) -> int:
        """The last version of a stream."""
        return self.versions.get(stream, 0)

    def takes(self, events: Events, while_at: Mapping[str, int]) -> bool:
        """Whether an append fits."""
        ids = [one.envelope.event_id for one in events]
        firsts: dict[str, int] = {}
        for one in events:
            firsts.setdefault(one.envelope.stream, one.envelope.version)
        return (
            len(set(ids)) == len(ids)
            and self.ids.keys().isdisjoint(ids)
            and all(first == self.version(stream) + 1 for stream, first in firsts.items())
            and all(self.version(stream) == wanted for stream, wanted in while_at.items())
        )

    def append(self, events: Events) -> list[Recorded[Event]]:
        """Append what fits; the events with their positions."""
        placed = []
        for one in events:
            envelope = msgspec.structs.replace(one.envelope, position=len(self.events) + 1)
            placed.append(msgspec.structs.replace(one, envelope=envelope))
            self.events.append(placed[-1])
            self.versions[envelope.stream] = envelope.version
            self.ids[envelope.event_id] = None
        return placed

    def stream(self, name: str, after: int = 0) -> list[Recorded[Event]]:
        """The events of a stream behind a version."""
        return [one for one in self.events if one.envelope.stream == name and one.envelope.version > after]

    def view(self, name: str) -> PlainView:
        """A view, empty when it is absent."""
        return self.views.get(name, PlainView())


def fold(known: bytes, events: Events) -> bytes:
    """A state of a stream: what it was, and every event since, in order."""
    for one in events:
        known = hashlib.sha256(known + one.envelope.event_id.encode() + str(one.envelope.version).encode()).digest()
    return known
