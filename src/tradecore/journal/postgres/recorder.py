"""A recorder of `eventsourcing` on Postgres that appends in one round trip.

It keeps the contract of the library's own Postgres recorder and takes nothing from it: that one's connection pool, row
types, table lock and insert path would all have to be replaced, and its module needs a package for the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription

from tradecore.failpoints import failpoint
from tradecore.journal.chain import GENESIS, Link, as_links
from tradecore.journal.codec import Row
from tradecore.journal.postgres.reader import Reader
from tradecore.journal.postgres.wire import (
    BYTEA_ARRAY,
    INT8_ARRAY,
    TEXT_ARRAY,
    bytea_array,
    int8_array,
    text_array,
)
from tradecore.journal.postgres.writer import Statement, Writer

_APPEND = Statement(
    b"append",
    b"SELECT tradecore_append($1, $2, $3, $4, $5)",
    (TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY, TEXT_ARRAY, BYTEA_ARRAY),
)
_COLUMNS = b"SELECT position, originator_id, originator_version, topic, state FROM events "
_STREAM = _COLUMNS + b"WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version"
_PAGE = _COLUMNS + b"WHERE position > %s ORDER BY position LIMIT %s"
_LINKS = (
    b"SELECT position, originator_id, originator_version, topic, state, chain FROM events "
    b"WHERE position > %s ORDER BY position LIMIT %s"
)
_HEAD_LINK = b"SELECT position, chain FROM events ORDER BY position DESC LIMIT 1"
_HEAD = b"SELECT position FROM events ORDER BY position DESC LIMIT 1"
_KNOWN = "SELECT min(position), max(position), count(*) FROM events WHERE event_id = ANY (%s)"
_ALL = 2**63 - 1


class LedgerRecorder(ApplicationRecorder):
    """Takes `event_ids` beside the events of a ledger; without them it is a plain recorder."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self.writer = writer
        self.reader = reader

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Insert in one transaction and return the positions. Raises `IntegrityError` for a clash or a gap."""
        if not stored_events:
            return []
        event_ids: Sequence[str] | None = kwargs.get("event_ids")
        values = (
            None if event_ids is None else text_array(event_ids),
            text_array([str(event.originator_id) for event in stored_events]),
            int8_array([event.originator_version for event in stored_events]),
            text_array([event.topic for event in stored_events]),
            bytea_array([event.state for event in stored_events]),
        )
        if event_ids is not None:
            # The statement carries its own commit: before it is before the statement.
            failpoint("journal.append.before_commit")
        first = self.writer.run(_APPEND, values, lambda connection: _first_position(connection, event_ids or ()))
        return list(range(first, first + len(stored_events)))

    def stream_rows(self, stream: str, after: int) -> list[Row]:
        """The rows of a stream behind version `after`."""
        return self.reader.ask(_STREAM, stream, after)

    def rows(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows behind position `after`."""
        return self.reader.ask(_PAGE, after, limit)

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` rows behind position `after`, with their links."""
        return as_links(self.reader.ask(_LINKS, after, limit))

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        rows = self.reader.ask(_HEAD_LINK)
        return (rows[0][0], rows[0][1]) if rows else (0, GENESIS)

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
        rows = self.reader.ask(
            _COLUMNS
            + b"WHERE originator_id = %s AND originator_version > %s AND originator_version <= %s "
            + (b"ORDER BY originator_version DESC LIMIT %s" if desc else b"ORDER BY originator_version LIMIT %s"),
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
        rows = self.reader.ask(
            _COLUMNS
            + b"WHERE position >= %s AND position <= %s AND (%s::text[] IS NULL OR topic = ANY (%s::text[])) "
            + b"ORDER BY position LIMIT %s",
            0 if start is None else start + (not inclusive_of_start),
            _ALL if stop is None else stop,
            list(topics) or None,
            list(topics) or None,
            limit,
        )
        return [
            Notification(stream, version, topic, state, position) for position, stream, version, topic, state in rows
        ]

    def max_notification_id(self) -> int | None:
        """The last position, None in an empty ledger."""
        rows = self.reader.ask(_HEAD)
        return rows[0][0] if rows else None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Not offered: followers wait on the journal."""
        raise NotImplementedError("wait on the journal instead")


def _first_position(connection: psycopg.Connection, event_ids: Sequence[str]) -> int | None:
    row = connection.execute(_KNOWN, (list(event_ids),)).fetchone()
    assert row is not None, "an aggregate has one row"
    first, last, count = row
    # An append is there as a whole and in one piece, or not at all.
    return first if event_ids and count == len(event_ids) == last - first + 1 else None
