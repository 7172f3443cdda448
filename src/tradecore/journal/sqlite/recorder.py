"""The SQLite recorder of `eventsourcing`, with positions without holes, unique event ids and a hash chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain as concatenated
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder

from tradecore.errors import CorruptLedger
from tradecore.failpoints import failpoint
from tradecore.journal.batch import Batch, joined, plain
from tradecore.journal.chain import GENESIS, Link, as_links, chain_on
from tradecore.journal.codec import Row
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.schema import EVENTS_TABLE

_COLUMNS = "SELECT position, originator_id, originator_version, topic, state FROM events "
_LINKS = (
    "SELECT position, originator_id, originator_version, topic, state, chain FROM events "
    "WHERE position>? ORDER BY position LIMIT ?"
)
_HEAD = "SELECT position, chain FROM events ORDER BY position DESC LIMIT 1"
_HEAD_AND_VERSION = (
    "SELECT position, chain, (SELECT max(originator_version) FROM events WHERE originator_id=?) "
    "FROM events ORDER BY position DESC LIMIT 1"
)
_GIVEN = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
_VERSION = "SELECT max(originator_version) FROM events WHERE originator_id=?"
_KNOWN = "SELECT 1 FROM events WHERE event_id=?"
_ALL = 2**63 - 1
# A clash undoes the whole append anyway; saying so spares SQLite from keeping a copy of every page that it changes.
_INSERT = (
    "INSERT OR ROLLBACK INTO events "
    "(position, originator_id, originator_version, topic, chain, state, event_id) VALUES "
)
# One statement for many rows costs two thirds of `executemany`, which binds, steps and resets for every row.
_INSERTS = tuple((size, _INSERT + ",".join(["(?,?,?,?,?,?,?)"] * size)) for size in (50, 10, 1))


class LedgerRecorder(SQLiteApplicationRecorder):
    """Takes batches of a ledger; as a recorder of `eventsourcing` it takes events whose streams begin anywhere."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore, "events")
        self._seen: tuple[int, bytes] = (0, GENESIS)
        self.select_events_statement = _COLUMNS + "WHERE originator_id=? "
        self.select_max_notification_id_statement = "SELECT max(position) FROM events"

    def construct_create_table_statements(self) -> list[str]:
        """The table of events."""
        return [EVENTS_TABLE]

    def append(self, batch: Batch) -> int:
        """Append in one transaction; the first position. Raises `IntegrityError` for a clash or a gap."""
        connection = self.datastore.connection
        with self.datastore.writing(lambda fresh: _all_there(fresh, batch.event_ids)):
            place = self._place_for(connection, batch.firsts)
            for stream, wanted in batch.while_at.items():
                _refuse_gap(stream, wanted + 1, _version(connection, stream))
            head = self._insert(connection, batch, place)
            failpoint("journal.append.before_commit")
        self._seen = head  # only what is committed was seen
        return head[0] - len(batch.states) + 1

    def append_each(self, batches: Sequence[Batch]) -> list[int | None]:
        """Append what fits in one transaction: the first position of each batch, None for one that clashes."""
        fitting: list[Batch] = []
        firsts: list[int | None] = []
        connection = self.datastore.connection
        with self.datastore.writing(lambda fresh: all(_all_there(fresh, batch.event_ids) for batch in fitting)):
            position, _ = head = self._head_to_build_on(connection)
            for batch in batches:
                fits = _fits(connection, batch)
                firsts.append(position + 1 if fits else None)
                if fits:
                    fitting.append(batch)
                    position += len(batch.states)
            if fitting:
                head = self._insert(connection, joined(fitting), head)
            failpoint("journal.append.before_commit")
        self._seen = head
        return firsts

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Insert as `eventsourcing` does: streams may begin anywhere. Raises `IntegrityError` for a clash."""
        batch = plain(stored_events)
        connection = self.datastore.connection
        with self.datastore.writing(lambda _: False):
            head = self._insert(connection, batch, self._head_to_build_on(connection))
        self._seen = head
        return list(range(head[0] - len(stored_events) + 1, head[0] + 1))

    def _insert(self, connection: sqlite3.Connection, batch: Batch, head: tuple[int, bytes]) -> tuple[int, bytes]:
        """Insert behind `head`, and return what is the head then."""
        position, chain = head
        links = chain_on(chain, position + 1, batch)
        columns = (batch.streams, batch.versions, batch.names, links, batch.states, batch.event_ids)
        rows = list(zip(range(position + 1, position + 1 + len(links)), *columns, strict=True))
        at = 0
        for size, statement in _INSERTS:
            while len(rows) - at >= size:
                connection.execute(statement, tuple(concatenated.from_iterable(rows[at : at + size])))
                at += size
        return (position + len(links), links[-1]) if links else head

    def _place_for(self, connection: sqlite3.Connection, firsts: Mapping[str, int]) -> tuple[int, bytes]:
        """The head, asked for together with the version of the first stream. Raises `IntegrityError` for a gap."""
        (stream, first), *others = firsts.items()
        position, chain, version = connection.execute(_HEAD_AND_VERSION, (stream,)).fetchone() or (0, GENESIS, None)
        head = self._build_on(connection, (position, chain))
        _refuse_gap(stream, first, version or 0)
        for stream, first in others:
            _refuse_gap(stream, first, _version(connection, stream))
        return head

    def _head_to_build_on(self, connection: sqlite3.Connection) -> tuple[int, bytes]:
        return self._build_on(connection, connection.execute(_HEAD).fetchone() or (0, GENESIS))

    def _build_on(self, connection: sqlite3.Connection, head: tuple[int, bytes]) -> tuple[int, bytes]:
        """The last event, of whichever process. Raises `CorruptLedger` when what this process saw is not below it."""
        if head == self._seen:
            return head
        # Somebody else was here since: that is fine as long as it was built on what we know, and nothing was cut off.
        (given,) = connection.execute(_GIVEN).fetchone() or (0,)
        if head[0] != given:
            raise CorruptLedger(f"{self.datastore.path} ends at position {head[0]}, but position {given} was written")
        if self._seen[0]:
            seen = connection.execute("SELECT chain FROM events WHERE position=?", (self._seen[0],)).fetchone()
            if seen != (self._seen[1],):
                raise CorruptLedger(f"{self.datastore.path}: position {self._seen[0]} is not what it was a moment ago")
        return head

    @property
    def last_seen(self) -> tuple[int, bytes]:
        """The last position and link that this process has committed."""
        return self._seen

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` stored rows behind position `after`, with their links."""
        return as_links(self._rows(_LINKS, after, limit))

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        rows = self._rows(_HEAD)
        return rows[0] if rows else (0, GENESIS)

    def stream_rows(self, stream: str, after: int, limit: int | None = None) -> list[Row]:
        """The rows of a stream behind version `after`, at most `limit`."""
        return self._rows(
            self.select_events_statement + "AND originator_version>? ORDER BY originator_version LIMIT ?",
            stream,
            after,
            _ALL if limit is None else limit,
        )

    def rows(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows behind position `after`."""
        return self._rows(_COLUMNS + "WHERE position>? ORDER BY position LIMIT ?", after, limit)

    def _rows(self, statement: str, *parameters: str | int) -> list[Any]:
        with self.datastore.reading() as connection:
            return connection.execute(statement, parameters).fetchall()

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of one stream, as `eventsourcing` asks for them."""
        order = "DESC" if desc else "ASC"
        rows = self._rows(
            self.select_events_statement
            + f"AND originator_version>? AND originator_version<=? ORDER BY originator_version {order} LIMIT ?",
            str(originator_id),
            -1 if gt is None else gt,
            _ALL if lte is None else lte,
            _ALL if limit is None else limit,
        )
        return [StoredEvent(stream, version, topic, state) for _, stream, version, topic, state in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of positions, as `eventsourcing` asks for them."""
        first = 0 if start is None else start + (not inclusive_of_start)
        wanted = f"AND topic IN ({','.join('?' * len(topics))}) " if topics else ""
        rows = self._rows(
            _COLUMNS + f"WHERE position>=? AND position<=? {wanted}ORDER BY position LIMIT ?",
            first,
            _ALL if stop is None else stop,
            *topics,
            limit,
        )
        return [
            Notification(stream, version, topic, state, position) for position, stream, version, topic, state in rows
        ]

    def max_notification_id(self) -> int | None:  # type: ignore[override]
        """The last position, None in an empty ledger."""
        with self.datastore.reading() as connection:
            last: int | None = connection.execute(self.select_max_notification_id_statement).fetchone()[0]
            return last


def _refuse_gap(stream: str, first: int, version: int) -> None:
    if first != version + 1:
        raise IntegrityError(f"{stream} is at version {version}, not {first - 1}")


def _fits(connection: sqlite3.Connection, batch: Batch) -> bool:
    ids = batch.event_ids
    return (
        len(set(ids)) == len(ids)
        and all(first == _version(connection, stream) + 1 for stream, first in batch.firsts.items())
        and not any(connection.execute(_KNOWN, (item,)).fetchone() for item in ids)
    )


def _version(connection: sqlite3.Connection, stream: str) -> int:
    version: int | None = connection.execute(_VERSION, (stream,)).fetchone()[0]
    return version or 0


def _all_there(connection: sqlite3.Connection, event_ids: Sequence[str | None]) -> bool:
    return bool(event_ids) and all(connection.execute(_KNOWN, (item,)).fetchone() for item in event_ids)
