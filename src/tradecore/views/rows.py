"""Rows while events are folded into them: what is stored beneath, what changed above."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tradecore.errors import CorruptLedger
from tradecore.views.view import Row

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(dict)


def encode_row(row: Row) -> bytes:
    """A row as it is stored: equal rows are equal bytes."""
    return _ENCODER.encode(row)


def decode_row(view: str, key: str, stored: bytes) -> Row:
    """A stored row; raises `CorruptLedger` when it is not a JSON object."""
    try:
        row: Row = _DECODER.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptLedger(f"view {view}: row {key} cannot be read ({error})") from None
    return row


class Overlay:
    """`Rows` over a place to read from; keeps every change until it is collected."""

    def __init__(self, view: str, read: Callable[[str], bytes | None]) -> None:
        self._view = view
        self._read = read
        self._known: dict[str, Row | None] = {}
        self._changed: dict[str, None] = {}

    def get(self, key: str) -> Row | None:
        """A row, or None."""
        if key not in self._known:
            stored = self._read(key)
            self._known[key] = None if stored is None else decode_row(self._view, key, stored)
        return self._known[key]

    def require(self, key: str) -> Row:
        """A row that must be there. Raises `CorruptLedger`."""
        row = self.get(key)
        if row is None:
            raise CorruptLedger(f"view {self._view}: row {key} is missing")
        return row

    def put(self, key: str, row: Row) -> None:
        """Set a row."""
        self._known[key] = row
        self._changed[key] = None

    def delete(self, key: str) -> None:
        """Remove a row."""
        self._known[key] = None
        self._changed[key] = None

    def puts(self) -> dict[str, bytes]:
        """The rows that were set, encoded."""
        changed = ((key, self._known[key]) for key in self._changed)
        return {key: encode_row(row) for key, row in changed if row is not None}

    def deletes(self) -> list[str]:
        """The keys that were removed."""
        return [key for key in self._changed if self._known[key] is None]
