"""The SQLite recorder of `eventsourcing`, with positions without holes, unique event ids and a hash chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from tradecore.errors import CorruptLedger
from tradecore.failpoints import failpoint
from tradecore.journal.chain import GENESIS, Link, as_links, link
from tradecore.journal.codec import Row
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.schema import EVENTS_TABLE

_COLUMNS = "SELECT position, originator_id, originator_version, topic, state FROM events "
_LINKS = (
    "SELECT position, originator_id, originator_version, topic, state, chain FROM events "
    "WHERE position>? ORDER BY position LIMIT ?"
)
_HEAD = "SELECT position, chain FROM events ORDER BY position DESC LIMIT 1"
_GIVEN = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
_ALL = 2**63 - 1


class LedgerRecorder(SQLiteApplicationRecorder):
    """Takes `event_ids` beside the events of a ledger; without them it is a plain recorder."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore, "events")
        self.insert_events_statement = (
            "INSERT INTO events (position, originator_id, originator_version, topic, chain, state, event_id) "
            "VALUES (?,?,?,?,?,?,?)"
        )
        self._seen: tuple[int, bytes] = (0, GENESIS)
        self.select_events_statement = _COLUMNS + "WHERE originator_id=? "
        self.select_max_notification_id_statement = "SELECT max(position) FROM events"

    def construct_create_table_statements(self) -> list[str]:
        """The table of events."""
        return [EVENTS_TABLE]

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Insert in one transaction and return the positions. Raises `IntegrityError` for a clash or a gap."""
        event_ids: Sequence[str] | None = kwargs.get("event_ids")
        with self.datastore.writing(lambda connection: _all_there(connection, event_ids or ())) as cursor:
            head = self._insert_events(cursor, stored_events, **kwargs)
            if event_ids is not None:
                failpoint("journal.append.before_commit")
        self._seen = head  # only what is committed was seen
        return list(range(head[0] - len(stored_events) + 1, head[0] + 1))

    def _insert_events(  # type: ignore[override]
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> tuple[int, bytes]:
        position, chain = self._head_to_build_on(c)
        event_ids: Sequence[str | None] | None = kwargs.get("event_ids")
        if event_ids is None:
            event_ids = [None] * len(stored_events)
        else:
            _refuse_gaps(c, stored_events)
        rows = []
        for event, event_id in zip(stored_events, event_ids, strict=True):
            position += 1
            stream, version, name, state = str(event.originator_id), event.originator_version, event.topic, event.state
            chain = link(chain, position, stream, version, name, state)
            rows.append((position, stream, version, name, chain, state, event_id))
        c.executemany(self.insert_events_statement, rows)
        return position, chain

    def _head_to_build_on(self, cursor: SQLiteCursor) -> tuple[int, bytes]:
        """The last event, of whichever process. Raises `CorruptLedger` when what this process saw is not below it."""
        cursor.execute(_HEAD)
        head: tuple[int, bytes] = cursor.fetchone() or (0, GENESIS)
        if head == self._seen:
            return head
        # Somebody else was here since: that is fine as long as it was built on what we know, and nothing was cut off.
        cursor.execute(_GIVEN)
        (given,) = cursor.fetchone() or (0,)
        if head[0] != given:
            raise CorruptLedger(f"{self.datastore.path} ends at position {head[0]}, but position {given} was written")
        if self._seen[0]:
            cursor.execute("SELECT chain FROM events WHERE position=?", (self._seen[0],))
            if cursor.fetchone() != (self._seen[1],):
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

    def stream_rows(self, stream: str, after: int) -> list[Row]:
        """The rows of a stream behind version `after`."""
        return self._rows(
            self.select_events_statement + "AND originator_version>? ORDER BY originator_version", stream, after
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


def _refuse_gaps(cursor: SQLiteCursor, stored_events: Sequence[StoredEvent]) -> None:
    first: dict[str, int] = {}
    for event in stored_events:
        first.setdefault(str(event.originator_id), event.originator_version)
    for stream, version in first.items():
        cursor.execute("SELECT max(originator_version) FROM events WHERE originator_id=?", (stream,))
        current = cursor.fetchone()[0] or 0
        if version != current + 1:
            raise IntegrityError(f"{stream} is at version {current}, not {version - 1}")


def _all_there(connection: sqlite3.Connection, event_ids: Sequence[str]) -> bool:
    statement = "SELECT 1 FROM events WHERE event_id=?"
    return bool(event_ids) and all(connection.execute(statement, (item,)).fetchone() for item in event_ids)
