"""The in-memory recorder of `eventsourcing`, with unique event ids, streams without gaps and a hash chain."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from tradecore.errors import StoreUnavailable
from tradecore.failpoints import failpoint
from tradecore.journal.batch import Batch, plain
from tradecore.journal.chain import GENESIS, Link, chain_on
from tradecore.journal.codec import Row


class MemoryRecorder(POPOApplicationRecorder):
    """Takes batches of a ledger; as a recorder of `eventsourcing` it takes events whose streams begin anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self._event_ids: set[str] = set()
        self._chain: list[bytes] = []
        self._closed = False

    def append(self, batch: Batch) -> int:
        """Append in one step; the first position. Raises `IntegrityError` for a clash or a gap."""
        with self._database_lock:
            self._refuse_closed()
            if (clash := self._clash(batch)) is not None:
                raise IntegrityError(clash)
            failpoint("journal.append.before_commit")
            return self._add(batch)

    def append_each(self, batches: Sequence[Batch]) -> list[int | None]:
        """Append what fits in one step: the first position of each batch, None for one that clashes."""
        with self._database_lock:
            self._refuse_closed()
            fit = [self._clash(batch) is None for batch in batches]
            failpoint("journal.append.before_commit")
            return [self._add(batch) if fits else None for batch, fits in zip(batches, fit, strict=True)]

    def _clash(self, batch: Batch) -> str | None:
        ids = batch.event_ids
        if len(set(ids)) < len(ids) or not self._event_ids.isdisjoint(ids):
            return "an event id is in the ledger already"
        for stream, first in batch.firsts.items():
            index = self._stored_events_index.get(stream)
            version = next(reversed(index)) if index else 0
            if first != version + 1:
                return f"{stream} is at version {version}, not {first - 1}"
        for stream, wanted in batch.while_at.items():
            index = self._stored_events_index.get(stream)
            if (next(reversed(index)) if index else 0) != wanted:
                return f"{stream} does not stand at version {wanted} any more"
        return None

    def _add(self, batch: Batch) -> int:
        first = len(self._stored_events) + 1
        links = chain_on(self._chain[-1] if self._chain else GENESIS, first, batch)
        for stream, version, name, state in zip(batch.streams, batch.versions, batch.names, batch.states, strict=True):
            self._stored_events_index[stream][version] = len(self._stored_events)
            self._stored_events.append(StoredEvent(stream, version, name, state))
        self._chain += links
        self._event_ids.update(filter(None, batch.event_ids))
        return first

    def _update_table(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        first = self._add(plain(stored_events))
        return list(range(first, first + len(stored_events)))

    def stream_rows(self, stream: str, after: int, limit: int | None = None) -> list[Row]:
        """The rows of a stream behind version `after`, at most `limit`."""
        with self._database_lock:
            self._refuse_closed()
            index = self._stored_events_index.get(stream, {})
            places = (place for version, place in index.items() if version > after)
            return [self._row(place) for place in itertools.islice(places, limit)]

    def rows(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows behind position `after`."""
        with self._database_lock:
            self._refuse_closed()
            return [self._row(place) for place in range(after, min(after + limit, len(self._stored_events)))]

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` rows behind position `after`, with their links."""
        with self._database_lock:
            self._refuse_closed()
            places = range(after, min(after + limit, len(self._stored_events)))
            return tuple(Link(*self._row(place), self._chain[place]) for place in places)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        with self._database_lock:
            self._refuse_closed()
            return len(self._chain), self._chain[-1] if self._chain else GENESIS

    def max_notification_id(self) -> int | None:
        """The last position, None in an empty ledger."""
        self._refuse_closed()
        return super().max_notification_id()

    def close(self) -> None:
        """Refuse everything from here on."""
        self._closed = True

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreUnavailable("the journal is closed")

    def _row(self, place: int) -> Row:
        event = self._stored_events[place]
        return place + 1, str(event.originator_id), event.originator_version, event.topic, event.state
