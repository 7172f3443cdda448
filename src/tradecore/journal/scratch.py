"""A place on disk for what does not fit into memory while a whole ledger is gone through; nothing of it stays.

It is a temporary database of SQLite, which lies where `SQLITE_TMPDIR` or `TMPDIR` says and has no name there.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from tradecore.errors import StoreUnavailable

AT_HAND = 8_000
"""Values of a mapping that are kept in memory."""

_PAGE = 1000
_TABLES = (
    "CREATE TABLE spilled (space TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID",
    "CREATE TABLE ids (id TEXT, position INTEGER)",
    "CREATE TABLE causes (id TEXT, position INTEGER)",
)
_PUT = "INSERT INTO spilled VALUES (?, ?, ?) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
_GET = "SELECT value FROM spilled WHERE space = ? AND key = ?"
_DELETE = "DELETE FROM spilled WHERE space = ? AND key = ?"
_NEXT = "SELECT key, value FROM spilled WHERE space = ? AND key > ? ORDER BY key LIMIT ?"
_FIRST = "SELECT key, value FROM spilled WHERE space = ? ORDER BY key LIMIT ?"
_COUNT = "SELECT count(*) FROM spilled WHERE space = ?"
_REPEATED = "SELECT max(position), id FROM ids GROUP BY id HAVING count(*) > 1 ORDER BY 1 LIMIT ?"
_UNCAUSED = (
    "SELECT c.position, c.id FROM causes c WHERE NOT EXISTS "
    "(SELECT 1 FROM ids i WHERE i.id = c.id AND i.position < c.position) ORDER BY 1 LIMIT ?"
)

V = TypeVar("V")


class Scratch:
    """Values by space and key, and the ids of events with those of their causes. Raises `StoreUnavailable`."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        for table in _TABLES:
            self._connection.execute(table)
        self._connection.execute("BEGIN")

    def get(self, space: str, key: str) -> bytes | None:
        """A value, or None."""
        found = self._ask(_GET, space, key)
        return found[0][0] if found else None

    def put(self, space: str, values: dict[str, bytes | None]) -> None:
        """Set values; None removes."""
        self._many(_PUT, [(space, key, value) for key, value in sorted(values.items()) if value is not None])
        self._many(_DELETE, [(space, key) for key, value in values.items() if value is None])

    def pairs(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Everything in a space by key; it may be changed meanwhile."""
        page = self._ask(_FIRST, space, _PAGE)
        while page:
            yield from page
            page = self._ask(_NEXT, space, page[-1][0], _PAGE)

    def count(self, space: str) -> int:
        """How many values a space has."""
        found: int = self._ask(_COUNT, space)[0][0]
        return found

    def note(self, ids: list[tuple[str, int]], causes: list[tuple[str, int]]) -> None:
        """Ids of events, and ids of what caused events, each with the position of the event."""
        self._many("INSERT INTO ids VALUES (?, ?)", ids)
        self._many("INSERT INTO causes VALUES (?, ?)", causes)

    def repeated(self, most: int) -> list[tuple[int, str]]:
        """Ids that more than one event has, with the position of the last one."""
        self._ask("CREATE INDEX IF NOT EXISTS by_id ON ids (id, position)")
        return self._ask(_REPEATED, most)

    def uncaused(self, most: int) -> list[tuple[int, str]]:
        """Causes that no earlier event is, with the positions of the events that name them."""
        self._ask("CREATE INDEX IF NOT EXISTS by_id ON ids (id, position)")
        return self._ask(_UNCAUSED, most)

    def close(self) -> None:
        """Give the space back."""
        self._connection.close()

    def _ask(self, statement: str, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise _failure(error) from error

    def _many(self, statement: str, rows: list[tuple]) -> None:  # type: ignore[type-arg]
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise _failure(error) from error


def _failure(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(f"there is no room for temporary data ({error}): point TMPDIR to a larger disk")


class Spill(Generic[V]):
    """A mapping of any size: what was used lately is in memory, the rest in a space of the scratch."""

    def __init__(
        self, scratch: Scratch, space: str, encode: Callable[[V], bytes], decode: Callable[[str, bytes], V]
    ) -> None:
        self._scratch = scratch
        self._space = space
        self._encode = encode
        self._decode = decode
        self._known: OrderedDict[str, V | None] = OrderedDict()
        self._changed: dict[str, None] = {}

    def get(self, key: str) -> V | None:
        """A value, or None."""
        known = self._known
        if key in known:
            known.move_to_end(key)
            return known[key]
        stored = self._scratch.get(self._space, key)
        value = None if stored is None else self._decode(key, stored)
        self._keep(key, value)
        return value

    def put(self, key: str, value: V | None) -> None:
        """Set a value; None removes it."""
        self._changed[key] = None
        self._keep(key, value)

    def pairs(self) -> Iterator[tuple[str, V]]:
        """Everything by key, as it is when this is called."""
        self.flush()
        for key, stored in self._scratch.pairs(self._space):
            yield key, self._decode(key, stored)

    def __len__(self) -> int:
        self.flush()
        return self._scratch.count(self._space)

    def flush(self) -> None:
        """Write what changed."""
        found = ((key, self._known[key]) for key in self._changed)
        self._scratch.put(self._space, {key: None if value is None else self._encode(value) for key, value in found})
        self._changed.clear()

    def _keep(self, key: str, value: V | None) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        if len(self._known) > AT_HAND:
            self.flush()
            while len(self._known) > AT_HAND * 3 // 4:
                self._known.popitem(last=False)
