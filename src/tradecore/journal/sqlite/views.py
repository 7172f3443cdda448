"""Read models in the ledger's file, in tables of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping

from eventsourcing.sqlite import SQLiteCursor

from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.sqlite.datastore import Landed, LedgerDatastore

_SELECT_CURSOR = "SELECT position, shape FROM tradecore_views WHERE view = ?"
_UPSERT_CURSOR = (
    "INSERT INTO tradecore_views (view, shape, position) VALUES (?, ?, ?) "
    "ON CONFLICT (view) DO UPDATE SET shape = excluded.shape, position = excluded.position"
)
_UPSERT_ROW = (
    "INSERT INTO tradecore_view_rows (view, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (view, key) DO UPDATE SET value = excluded.value"
)


class SqliteViews:
    """A `ViewStore` in SQLite."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore

    def cursor(self, view: str, shape: str) -> int:
        """Position up to which the view is folded."""
        with self._datastore.reading() as connection:
            found = connection.execute(_SELECT_CURSOR, (view,)).fetchone()
        if found is None:
            return 0
        position: int = found[0]
        if found[1] == shape:
            return position
        with self._datastore.writing(lambda _: False) as cursor:
            cursor.execute("DELETE FROM tradecore_view_rows WHERE view = ?", (view,))
            cursor.execute("DELETE FROM tradecore_views WHERE view = ?", (view,))
        return 0

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        with self._datastore.reading() as connection:
            found = connection.execute(
                "SELECT value FROM tradecore_view_rows WHERE view = ? AND key = ?", (view, key)
            ).fetchone()
        return None if found is None else bytes(found[0])

    def rows(self, view: str) -> Iterator[tuple[str, bytes]]:
        """Every row of a view as it is now, by key."""
        with self._datastore.reading() as connection:
            found = connection.execute(
                "SELECT key, value FROM tradecore_view_rows WHERE view = ? ORDER BY key", (view,)
            ).fetchall()
        return iter(found)

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        assert after <= upto, "a view moves forward"
        with self._datastore.writing(_stands_at(view, shape, upto)) as cursor:
            cursor.execute(_SELECT_CURSOR, (view,))
            found = cursor.fetchone() or (0, shape)
            if tuple(found) != (after, shape):
                raise WrongVersion(f"view {view} stands at position {found[0]}, not {after}, or in another shape")
            self._put(cursor, view, puts)
            cursor.executemany(
                "DELETE FROM tradecore_view_rows WHERE view = ? AND key = ?", [(view, key) for key in deletes]
            )
            cursor.execute(_UPSERT_CURSOR, (view, shape, upto))
            failpoint("journal.view.before_commit")
        failpoint("journal.view.after_commit")

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        with self._datastore.writing(_stands_at(view, shape, upto)) as cursor:
            cursor.execute("DELETE FROM tradecore_view_rows WHERE view = ?", (view,))
            self._put(cursor, view, rows)
            cursor.execute(_UPSERT_CURSOR, (view, shape, upto))
            failpoint("journal.view.before_commit")
        failpoint("journal.view.after_commit")

    def _put(self, cursor: SQLiteCursor, view: str, rows: Mapping[str, bytes]) -> None:
        cursor.executemany(_UPSERT_ROW, [(view, key, value) for key, value in rows.items()])


def _stands_at(view: str, shape: str, upto: int) -> Landed:
    def landed(connection: sqlite3.Connection) -> bool:
        found = connection.execute(_SELECT_CURSOR, (view,)).fetchone()
        return found is not None and tuple(found) == (upto, shape)

    return landed
