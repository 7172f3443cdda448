"""Read models in the ledger's file, in tables of their own.

The rows of a view are those of its slot. To exchange them is to give the view another slot: what the old one held is
nobody's from then on, and is removed piece by piece.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence

from eventsourcing.sqlite import SQLiteCursor

from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.sqlite.datastore import Landed, LedgerDatastore
from tradecore.journal.view_store import Move

_STANDING = "SELECT position, shape, slot FROM tradecore_views WHERE view = ?"
_OF_VIEW = "FROM tradecore_view_rows WHERE slot = (SELECT slot FROM tradecore_views WHERE view = ?) "
_ROW = "SELECT value " + _OF_VIEW + "AND key = ?"
_ROWS = "SELECT key, value " + _OF_VIEW + "ORDER BY key"
_PREFIX = "SELECT key, value " + _OF_VIEW + "AND key >= ? AND key < ? ORDER BY key"
_FIRST_PAGE = "SELECT key, value " + _OF_VIEW + "ORDER BY key LIMIT ?"
_PAGE = "SELECT key, value " + _OF_VIEW + "AND key > ? ORDER BY key LIMIT ?"
_COUNT = "SELECT count(*) " + _OF_VIEW
_NEW_SLOT = (
    "SELECT 1 + max((SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM tradecore_meta WHERE key = 'slots'), "
    "(SELECT coalesce(max(slot), 0) FROM tradecore_views), (SELECT coalesce(max(slot), 0) FROM tradecore_view_rows))"
)
_GIVE_SLOT = (
    "INSERT INTO tradecore_meta (key, value) VALUES ('slots', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_UPSERT = (
    "INSERT INTO tradecore_views (view, shape, position, slot) VALUES (?, ?, ?, ?) ON CONFLICT (view) "
    "DO UPDATE SET shape = excluded.shape, position = excluded.position, slot = excluded.slot"
)
_MOVE = "UPDATE tradecore_views SET position = ? WHERE view = ?"
_DROP = "DELETE FROM tradecore_views WHERE view = ?"
_UPSERT_ROW = (
    "INSERT INTO tradecore_view_rows (slot, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (slot, key) DO UPDATE SET value = excluded.value"
)
_DELETE_ROW = "DELETE FROM tradecore_view_rows WHERE slot = ? AND key = ?"
_NEXT_SLOT = "SELECT min(slot) FROM tradecore_view_rows WHERE slot > ?"
_IS_USED = "SELECT 1 FROM tradecore_views WHERE slot = ?"
_SWEEP = (  # so many at once
    "DELETE FROM tradecore_view_rows WHERE slot = ? AND key <= (SELECT max(key) FROM "
    "(SELECT key FROM tradecore_view_rows WHERE slot = ? ORDER BY key LIMIT 20000))"
)
_LAST_CHARACTER = "\U0010ffff"


class SqliteViews:
    """A `ViewStore` in SQLite."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore

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
        with self._datastore.reading() as connection:
            found = connection.execute(_ROW, (view, key)).fetchone()
        if found is None:
            return None
        return found[0].encode() if isinstance(found[0], str) else bytes(found[0])  # text only by a stranger's hand

    def rows(self, view: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Every row of a view, or those under a prefix, as it is now, by key."""
        with self._datastore.reading() as connection:
            if prefix:  # every longer key with this beginning sorts before it with the last character repeated
                end = prefix + _LAST_CHARACTER * 8
                return iter(connection.execute(_PREFIX, (view, prefix, end)).fetchall())
            return iter(connection.execute(_ROWS, (view,)).fetchall())

    def page(self, view: str, behind: str | None, limit: int) -> Sequence[tuple[str, bytes]]:
        """At most `limit` rows behind a key."""
        with self._datastore.reading() as connection:
            if behind is None:
                return connection.execute(_FIRST_PAGE, (view, limit)).fetchall()
            return connection.execute(_PAGE, (view, behind, limit)).fetchall()

    def count(self, view: str) -> int:
        """How many rows a view has."""
        with self._datastore.reading() as connection:
            found: int = connection.execute(_COUNT, (view,)).fetchone()[0]
            return found

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        self.write_all([Move(view, shape, after, upto, puts, deletes)])

    def write_all(self, moves: Sequence[Move]) -> None:
        """Move several views in one transaction. Raises `WrongVersion`."""
        with self._datastore.writing(_all_stand(moves)) as cursor:
            for move in moves:
                _move(cursor, move)
            failpoint("journal.view.before_commit")
        failpoint("journal.view.after_commit")

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        with self._datastore.writing(_all_stand([Move(view, shape, upto, upto, rows)])) as cursor:
            slot = _new_slot(cursor)
            cursor.executemany(_UPSERT_ROW, [(slot, key, value) for key, value in rows.items()])
            cursor.execute(_UPSERT, (view, shape, upto, slot))
            failpoint("journal.view.before_commit")
        failpoint("journal.view.after_commit")
        self._sweep()

    def adopt(self, view: str, built: str) -> None:
        """Give a view everything of another one. Raises `WrongVersion`."""
        with self._datastore.writing(_is_gone(built)) as cursor:
            cursor.execute(_STANDING, (built,))
            standing = cursor.fetchone()
            if standing is None:
                raise WrongVersion(f"there is no view {built} to adopt as {view}")
            position, shape, slot = standing
            cursor.execute(_DROP, (built,))
            cursor.execute(_UPSERT, (view, shape, position, slot))
            failpoint("journal.view.before_commit")
        failpoint("journal.view.after_commit")
        self._sweep()

    def drop(self, view: str) -> None:
        """Remove a view."""
        with self._datastore.writing(_is_gone(view)) as cursor:
            cursor.execute(_DROP, (view,))
        self._sweep()

    def _standing(self, view: str) -> tuple[int, str, int] | None:
        with self._datastore.reading() as connection:
            found: tuple[int, str, int] | None = connection.execute(_STANDING, (view,)).fetchone()
            return found

    def _sweep(self) -> None:
        """Remove the rows that no view has, piece by piece; whoever is killed meanwhile leaves them to others."""
        slot = -1
        while (found := self._next_slot(slot)) is not None:
            swept = 1
            while swept:
                with self._datastore.writing(lambda _: False) as cursor:
                    cursor.execute(_IS_USED, (found,))
                    swept = 0
                    if cursor.fetchone() is None:
                        cursor.execute(_SWEEP, (found, found))
                        swept = cursor.sqlite_cursor.rowcount
            slot = found

    def _next_slot(self, slot: int) -> int | None:
        """The first slot behind this one that has rows and belongs to nobody."""
        with self._datastore.reading() as connection:
            while True:
                found: int | None = connection.execute(_NEXT_SLOT, (slot,)).fetchone()[0]
                if found is None or connection.execute(_IS_USED, (found,)).fetchone() is None:
                    return found
                slot = found


def _move(cursor: SQLiteCursor, move: Move) -> None:
    cursor.execute(_STANDING, (move.view,))
    standing = cursor.fetchone()
    position, shape, edition = standing or (0, move.shape, 0)
    if (position, shape) != (move.after, move.shape) or move.edition not in (None, edition):
        raise WrongVersion(f"view {move.view} stands at position {position}, not {move.after}, or in another shape")
    slot = edition or _new_slot(cursor)
    cursor.executemany(_UPSERT_ROW, [(slot, key, value) for key, value in sorted(move.puts.items())])
    cursor.executemany(_DELETE_ROW, [(slot, key) for key in move.deletes])
    if standing is None:
        cursor.execute(_UPSERT, (move.view, move.shape, move.upto, slot))
    else:
        cursor.execute(_MOVE, (move.upto, move.view))


def _new_slot(cursor: SQLiteCursor) -> int:
    """A number that no rows ever had, and above all that do, whatever became of the record of it."""
    cursor.execute(_NEW_SLOT)
    slot: int = cursor.fetchone()[0]
    cursor.execute(_GIVE_SLOT, (str(slot),))
    return slot


def _all_stand(moves: Sequence[Move]) -> Landed:
    def landed(connection: sqlite3.Connection) -> bool:
        standings = [connection.execute(_STANDING, (move.view,)).fetchone() for move in moves]
        return all(
            standing is not None and tuple(standing[:2]) == (move.upto, move.shape)
            for move, standing in zip(moves, standings, strict=True)
        )

    return landed


def _is_gone(view: str) -> Landed:
    return lambda connection: connection.execute(_STANDING, (view,)).fetchone() is None
