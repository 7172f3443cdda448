"""The in-memory recorder of `eventsourcing`, with unique event ids, streams without gaps and a hash chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from tradecore.failpoints import failpoint
from tradecore.journal.chain import GENESIS, Link, link
from tradecore.journal.codec import Row


class MemoryRecorder(POPOApplicationRecorder):
    """Takes `event_ids` beside the events of a ledger; without them it is a plain recorder."""

    def __init__(self) -> None:
        super().__init__()
        self._event_ids: set[str] = set()
        self._chain: list[bytes] = []

    def version(self, stream: str) -> int:
        """The version of a stream, 0 when it is empty."""
        index = self._stored_events_index.get(stream)
        return next(reversed(index)) if index else 0

    def stream_rows(self, stream: str, after: int) -> list[Row]:
        """The rows of a stream behind version `after`."""
        with self._database_lock:
            index = self._stored_events_index.get(stream, {})
            return [self._row(place) for version, place in index.items() if version > after]

    def rows(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows behind position `after`."""
        with self._database_lock:
            return [self._row(place) for place in range(after, min(after + limit, len(self._stored_events)))]

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` rows behind position `after`, with their links."""
        with self._database_lock:
            places = range(after, min(after + limit, len(self._stored_events)))
            return tuple(Link(*self._row(place), self._chain[place]) for place in places)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        with self._database_lock:
            return len(self._chain), self._chain[-1] if self._chain else GENESIS

    def _row(self, place: int) -> Row:
        event = self._stored_events[place]
        return place + 1, str(event.originator_id), event.originator_version, event.topic, event.state

    def _assert_uniqueness(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super()._assert_uniqueness(stored_events, **kwargs)
        event_ids: Sequence[str] | None = kwargs.get("event_ids")
        if event_ids is None:
            return
        if len(set(event_ids)) < len(event_ids) or not self._event_ids.isdisjoint(event_ids):
            raise IntegrityError("an event id is in the ledger already")
        first: dict[str, int] = {}
        for event in stored_events:
            first.setdefault(str(event.originator_id), event.originator_version)
        for stream, version in first.items():
            if version != self.version(stream) + 1:
                raise IntegrityError(f"{stream} is at version {self.version(stream)}, not {version - 1}")

    def _update_table(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        event_ids: Sequence[str] = kwargs.get("event_ids", ())
        if event_ids:
            failpoint("journal.append.before_commit")
        self._event_ids.update(event_ids)
        positions = super()._update_table(stored_events, **kwargs)
        for place in range(len(self._chain), len(self._stored_events)):
            before = self._chain[-1] if self._chain else GENESIS
            self._chain.append(link(before, *self._row(place)))
        return positions
