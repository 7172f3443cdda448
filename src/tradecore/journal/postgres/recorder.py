"""A recorder of `eventsourcing` on Postgres that appends in one round trip.

It keeps the contract of the library's own Postgres recorder and takes nothing from it: that one's connection pool, row
types, table lock and insert path would all have to be replaced, and its module needs a package for the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent, Subscription

from tradecore.failpoints import failpoint
from tradecore.journal.batch import Batch, joined, plain
from tradecore.journal.chain import GENESIS, Link, as_links, chain_on
from tradecore.journal.codec import Row
from tradecore.journal.postgres.reader import Reader
from tradecore.journal.postgres.wire import (
    BYTEA,
    BYTEA_ARRAY,
    INT8,
    INT8_ARRAY,
    TEXT_ARRAY,
    bytea_array,
    int8,
    int8_array,
    text_array,
)
from tradecore.journal.postgres.writer import Statement, Writer

_ROWS = (TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY, TEXT_ARRAY, BYTEA_ARRAY)
_APPEND = Statement(
    b"append",
    b"SELECT tradecore_append_at($1, $2, $3, $4, $5, $6, $7, $8)",
    (*_ROWS, INT8, BYTEA, BYTEA_ARRAY),
)
_APPEND_WHILE = Statement(
    b"append_while",
    b"SELECT tradecore_append_while($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    (TEXT_ARRAY, INT8_ARRAY, *_ROWS, INT8, BYTEA, BYTEA_ARRAY),
)
_APPEND_EACH = Statement(
    b"append_each",
    b"SELECT tradecore_append_each($1, $2, $3, $4, $5, $6)",
    (INT8_ARRAY, *_ROWS),
)
_COLUMNS = b"SELECT position, originator_id, originator_version, topic, state FROM events "
_STREAM = (
    _COLUMNS + b"WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s::bigint"
)
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
    """Takes batches of a ledger; as a recorder of `eventsourcing` it takes events whose streams begin anywhere."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self.writer = writer
        self.reader = reader
        # The end of the ledger as far as it is known here: links are made for it while the server has other work.
        self._seen: tuple[int, bytes] | None = None

    def append(self, batch: Batch) -> int:
        """Append in one transaction; the first position. Raises `IntegrityError` for a clash or a gap."""
        # The statement carries its own commit: before it is before the statement.
        failpoint("journal.append.before_commit")
        return self._append(batch, text_array(cast("list[str]", batch.event_ids)))

    def append_each(self, batches: Sequence[Batch]) -> list[int | None]:
        """Append what fits in one transaction: the first position of each batch, None for one that clashes."""
        failpoint("journal.append.before_commit")
        whole = joined(batches)
        sizes = [len(batch.states) for batch in batches]
        ids = text_array(cast("list[str]", whole.event_ids))
        try:
            first = self._append(whole, ids)
        except IntegrityError:  # none was appended, and which of them clash has to be found out
            values = (int8_array(sizes), ids, *_columns(whole))
            answer = self.writer.run(_APPEND_EACH, values, lambda fresh: _first_positions(fresh, batches))
            return [int.from_bytes(answer[at : at + 8], "big") or None for at in range(0, len(answer), 8)]
        return list(accumulate(sizes[:-1], initial=first))

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Insert as `eventsourcing` does: streams may begin anywhere. Raises `IntegrityError` for a clash."""
        if not stored_events:
            return []
        first = self._append(plain(stored_events), None)
        return list(range(first, first + len(stored_events)))

    def _append(self, batch: Batch, ids: bytes | None) -> int:
        seen: tuple[bytes | None, ...] = (None, None, None)
        if self._seen is not None:
            position, chain = self._seen
            seen = (int8(position), chain, bytea_array(chain_on(chain, position + 1, batch)))
        values = (ids, *_columns(batch), *seen)
        statement = _APPEND
        if batch.while_at:
            statement = _APPEND_WHILE
            values = (text_array(list(batch.while_at)), int8_array(list(batch.while_at.values())), *values)
        answer = self.writer.run(statement, values, lambda fresh: _first_position(fresh, batch.event_ids))
        first, link = int.from_bytes(answer[:8], "big"), answer[8:]
        # Where a broken connection made us look for it, only the position is known.
        self._seen = (first + len(batch.states) - 1, link) if link else None
        return first

    def stream_rows(self, stream: str, after: int, limit: int | None = None) -> list[Row]:
        """The rows of a stream behind version `after`, at most `limit`."""
        return self.reader.ask(_STREAM, stream, after, limit)

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


def _columns(batch: Batch) -> tuple[bytes, ...]:
    return (
        text_array(batch.streams),
        int8_array(batch.versions),
        text_array(batch.names),
        bytea_array(batch.states),
    )


def _first_position(connection: psycopg.Connection, event_ids: Sequence[str | None]) -> bytes | None:
    row = connection.execute(_KNOWN, (list(event_ids),)).fetchone()
    assert row is not None, "an aggregate has one row"
    first, last, count = row
    # An append is there as a whole and in one piece, or not at all.
    return int8(first) if event_ids and count == len(event_ids) == last - first + 1 else None


def _first_positions(connection: psycopg.Connection, batches: Sequence[Batch]) -> bytes | None:
    found = [_first_position(connection, batch.event_ids) for batch in batches]
    return b"".join(each or int8(0) for each in found) if any(found) else None
