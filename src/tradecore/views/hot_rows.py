"""Rows that were read or written lately, over a place where all of them are: memory stays the same however many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

AT_HAND = 10_000
"""Rows of a view that are kept in memory."""


class HotRows:
    """Encoded rows by key; the one that was used longest ago goes first."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._rows: OrderedDict[str, bytes | None] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """A row, or None when there is none."""
        rows = self._rows
        if key in rows:
            rows.move_to_end(key)
            return rows[key]
        found = self._read(key)
        self._keep(key, found)
        return found

    def take(self, puts: Mapping[str, bytes], deletes: Iterable[str]) -> None:
        """What was stored just now."""
        for key, value in puts.items():
            self._keep(key, value)
        for key in deletes:
            self._keep(key, None)

    def forget(self) -> None:
        """Read everything again from here on."""
        self._rows.clear()

    def _keep(self, key: str, value: bytes | None) -> None:
        rows = self._rows
        rows[key] = value
        rows.move_to_end(key)
        if len(rows) > AT_HAND:
            rows.popitem(last=False)
