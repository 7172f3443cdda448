"""Read models in the ledger's schema, in tables of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import psycopg
from eventsourcing.persistence import IntegrityError

from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.postgres.reader import Reader
from tradecore.journal.postgres.wire import BYTEA_ARRAY, INT8, TEXT, bytea_array, int8, text
from tradecore.journal.postgres.writer import Landed, Statement, Writer

_WRITE = Statement(
    b"view_write",
    b"SELECT tradecore_view_write($1, $2, $3, $4, $5, $6, $7)",
    (TEXT, TEXT, INT8, INT8, BYTEA_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY),
)
_REPLACE = Statement(
    b"view_replace",
    b"SELECT tradecore_view_replace($1, $2, $3, $4, $5)",
    (TEXT, TEXT, INT8, BYTEA_ARRAY, BYTEA_ARRAY),
)
_DROP = Statement(b"view_drop", b"SELECT tradecore_view_drop($1, $2)", (TEXT, TEXT))

_CURSOR = b"SELECT position, shape FROM tradecore_views WHERE view = %s"
_ROW = b"SELECT value FROM tradecore_view_rows WHERE view = %s AND key = %s"
_ROWS = b"SELECT key, value FROM tradecore_view_rows WHERE view = %s ORDER BY key"


class PostgresViews:
    """A `ViewStore` in Postgres."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def cursor(self, view: str, shape: str) -> int:
        """Position up to which the view is folded."""
        found = self._reader.ask(_CURSOR, view)
        if not found:
            return 0
        position: int = found[0][0]
        if found[0][1] == shape:
            return position
        self._writer.run(_DROP, (text(view), text(found[0][1])), lambda _: None)
        return 0

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        found = self._reader.ask(_ROW, view, text(key))
        return found[0][0] if found else None

    def rows(self, view: str) -> Iterator[tuple[str, bytes]]:
        """Every row of a view as it is now, by key."""
        return iter([(key.decode(), value) for key, value in self._reader.ask(_ROWS, view)])

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        assert after <= upto, "a view moves forward"
        values = (text(view), text(shape), int8(after), int8(upto), *_rows(puts), bytea_array(map(text, deletes)))
        # Moving to where it stands already can be done twice: then not to know is not to have done it.
        landed = _stands_at(view, shape, upto) if upto > after else lambda _: None
        self._run(_WRITE, values, landed)

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        self._run(_REPLACE, (text(view), text(shape), int8(upto), *_rows(rows)), lambda _: None)

    def _run(self, statement: Statement, values: Sequence[bytes], landed: Landed) -> None:
        failpoint("journal.view.before_commit")
        try:
            self._writer.run(statement, values, landed)
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        failpoint("journal.view.after_commit")


def _rows(rows: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    return bytea_array(map(text, rows)), bytea_array(rows.values())


def _stands_at(view: str, shape: str, upto: int) -> Landed:
    def landed(connection: psycopg.Connection) -> bytes | None:
        found = connection.execute(_CURSOR, (view,)).fetchone()
        return int8(upto) if found is not None and tuple(found) == (upto, shape) else None

    return landed
