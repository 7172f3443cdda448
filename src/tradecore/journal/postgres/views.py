"""Read models in the ledger's schema, in tables of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import psycopg
from eventsourcing.persistence import IntegrityError

from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.postgres.reader import Reader
from tradecore.journal.postgres.wire import (
    BYTEA_ARRAY,
    INT8,
    INT8_ARRAY,
    TEXT,
    TEXT_ARRAY,
    bytea_array,
    int8,
    int8_array,
    text,
    text_array,
)
from tradecore.journal.postgres.writer import Landed, Statement, Writer
from tradecore.journal.view_store import Move

_WRITE = Statement(
    b"view_write",
    b"SELECT tradecore_view_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    (
        TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY,
        INT8_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY, INT8_ARRAY, BYTEA_ARRAY,
    ),
)  # fmt: skip
_REPLACE = Statement(
    b"view_replace",
    b"SELECT tradecore_view_replace($1, $2, $3, $4, $5)",
    (TEXT, TEXT, INT8, BYTEA_ARRAY, BYTEA_ARRAY),
)
_ADOPT = Statement(b"view_adopt", b"SELECT tradecore_view_adopt($1, $2)", (TEXT, TEXT))
_DROP = Statement(b"view_drop", b"WITH gone AS (DELETE FROM tradecore_views WHERE view = $1) SELECT 0::bigint", (TEXT,))
_SWEEP = Statement(b"view_sweep", b"SELECT tradecore_view_sweep($1, $2)", (INT8, INT8))
_SWEPT_AT_ONCE = 20_000

_STANDING = b"SELECT position, shape, slot FROM tradecore_views WHERE view = %s"
_OF_VIEW = b"FROM tradecore_view_rows WHERE slot = (SELECT slot FROM tradecore_views WHERE view = %s) "
_ROW = b"SELECT value " + _OF_VIEW + b"AND key = %s"
_ROWS = b"SELECT key, value " + _OF_VIEW + b"ORDER BY key"
_PREFIX = b"SELECT key, value " + _OF_VIEW + b"AND key >= %s AND key < %s ORDER BY key"
_PAGE = b"SELECT key, value " + _OF_VIEW + b"AND key > %s ORDER BY key LIMIT %s"
_FIRST_PAGE = b"SELECT key, value " + _OF_VIEW + b"ORDER BY key LIMIT %s"
_COUNT = b"SELECT count(*) " + _OF_VIEW
_LEFT = (  # from slot to slot by the index, however many rows there are
    b"WITH RECURSIVE slots AS (SELECT min(slot) AS slot FROM tradecore_view_rows WHERE slot > %s UNION ALL "
    b"SELECT (SELECT min(r.slot) FROM tradecore_view_rows r WHERE r.slot > s.slot) FROM slots s "
    b"WHERE s.slot IS NOT NULL) "
    b"SELECT min(s.slot) FROM slots s WHERE s.slot IS NOT NULL "
    b"AND NOT EXISTS (SELECT FROM tradecore_views v WHERE v.slot = s.slot)"
)
_BEHIND_EVERY_CHARACTER = b"\xff"


class PostgresViews:
    """A `ViewStore` in Postgres."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def cursor(self, view: str, shape: str) -> int:
        """Position up to which the view is folded."""
        standing = self._standing(view)
        if standing is None:
            return 0
        if standing[1] == shape:
            return standing[0]
        self.drop(view)
        return 0

    def edition(self, view: str) -> int:
        """A number for this set of rows."""
        standing = self._standing(view)
        return standing[2] if standing else 0

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        found = self._reader.ask(_ROW, view, text(key))
        return found[0][0] if found else None

    def rows(self, view: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Every row of a view, or those under a prefix, as it is now, by key."""
        if prefix:
            first = text(prefix)
            return _decoded(self._reader.ask(_PREFIX, view, first, first + _BEHIND_EVERY_CHARACTER))
        return _decoded(self._reader.ask(_ROWS, view))

    def page(self, view: str, behind: str | None, limit: int) -> Sequence[tuple[str, bytes]]:
        """At most `limit` rows behind a key."""
        if behind is None:
            return list(_decoded(self._reader.ask(_FIRST_PAGE, view, limit)))
        return list(_decoded(self._reader.ask(_PAGE, view, text(behind), limit)))

    def count(self, view: str) -> int:
        """How many rows a view has."""
        found: int = self._reader.ask(_COUNT, view)[0][0]
        return found

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        self.write_all([Move(view, shape, after, upto, puts, deletes)])

    def write_all(self, moves: Sequence[Move]) -> None:
        """Move several views in one transaction and one round trip. Raises `WrongVersion`."""
        moves = sorted(moves, key=lambda move: move.view)
        # Moving to where it stands already can be done twice: then not to know is not to have done it.
        landed = _all_stand(moves) if all(move.upto > move.after for move in moves) else lambda _: None
        self._run(_WRITE, _arguments(moves), landed)

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        values = (text(view), text(shape), int8(upto), bytea_array(map(text, rows)), bytea_array(rows.values()))
        self._run(_REPLACE, values, lambda _: None)
        self._sweep()

    def adopt(self, view: str, built: str) -> None:
        """Give a view everything of another one. Raises `WrongVersion`."""
        self._run(_ADOPT, (text(view), text(built)), _is_gone(built))
        self._sweep()

    def drop(self, view: str) -> None:
        """Remove a view."""
        self._writer.run(_DROP, (text(view),), lambda _: None)
        self._sweep()

    def _standing(self, view: str) -> tuple[int, str, int] | None:
        found = self._reader.ask(_STANDING, view)
        return (found[0][0], found[0][1], found[0][2]) if found else None

    def _sweep(self) -> None:
        """Remove the rows that no view has, piece by piece; whoever is killed meanwhile leaves them to others."""
        slot = -1
        while (found := self._reader.ask(_LEFT, slot)[0][0]) is not None:
            while int.from_bytes(self._writer.run(_SWEEP, (int8(found), int8(_SWEPT_AT_ONCE)), lambda _: None), "big"):
                pass
            slot = found

    def _run(self, statement: Statement, values: Sequence[bytes], landed: Landed) -> None:
        failpoint("journal.view.before_commit")
        try:
            self._writer.run(statement, values, landed)
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        failpoint("journal.view.after_commit")


def _arguments(moves: Sequence[Move]) -> tuple[bytes, ...]:
    put_to = [place for place, move in enumerate(moves, 1) for _ in move.puts]
    gone_from = [place for place, move in enumerate(moves, 1) for _ in move.deletes]
    return (
        text_array(move.view for move in moves),
        text_array(move.shape for move in moves),
        int8_array([move.after for move in moves]),
        int8_array([move.upto for move in moves]),
        int8_array([-1 if move.edition is None else move.edition for move in moves]),
        int8_array(put_to),
        bytea_array(text(key) for move in moves for key in move.puts),
        bytea_array(value for move in moves for value in move.puts.values()),
        int8_array(gone_from),
        bytea_array(text(key) for move in moves for key in move.deletes),
    )


def _decoded(found: Sequence[tuple[bytes, bytes]]) -> Iterator[tuple[str, bytes]]:
    return iter([(key.decode(), value) for key, value in found])


def _all_stand(moves: Sequence[Move]) -> Landed:
    def landed(connection: psycopg.Connection) -> bytes | None:
        for move in moves:
            found = connection.execute(_STANDING, (move.view,)).fetchone()
            if found is None or tuple(found[:2]) != (move.upto, move.shape):
                return None
        return int8(1)

    return landed


def _is_gone(view: str) -> Landed:
    def landed(connection: psycopg.Connection) -> bytes | None:
        return None if connection.execute(_STANDING, (view,)).fetchone() else int8(1)

    return landed
