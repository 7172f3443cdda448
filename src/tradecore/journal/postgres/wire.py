"""Arrays as Postgres takes them in binary; the driver's own way to write them costs as much as the rest of an append.

Format: number of dimensions, whether there are nulls, type of the elements, their number, index of the first; then each
element behind its length in bytes (PostgreSQL, `src/backend/utils/adt/arrayfuncs.c`, `array_recv`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import chain

from tradecore.errors import InputError

BYTEA, INT8, TEXT = 17, 20, 25
BYTEA_ARRAY, INT8_ARRAY, TEXT_ARRAY = 1001, 1016, 1009

_HEAD = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i").pack
_INT8 = struct.Struct(">iq").pack
_EMPTY = struct.Struct(">iiI")


def int8(value: int) -> bytes:
    """A bigint."""
    return value.to_bytes(8, "big", signed=True)


def text(value: str) -> bytes:
    """A text. Raises `InputError` for half a character."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InputError("text", value, "Unicode without lone surrogates") from None


def text_array(values: Iterable[str]) -> bytes:
    """A text[]."""
    return _array(TEXT, [text(value) for value in values])


def bytea_array(values: Iterable[bytes]) -> bytes:
    """A bytea[]."""
    return _array(BYTEA, list(values))


def int8_array(values: Sequence[int]) -> bytes:
    """A bigint[]."""
    if not values:
        return _EMPTY.pack(0, 0, INT8)
    return b"".join([_HEAD.pack(1, 0, INT8, len(values), 1), *[_INT8(8, value) for value in values]])


def _array(kind: int, elements: list[bytes]) -> bytes:
    if not elements:
        return _EMPTY.pack(0, 0, kind)
    lengths = map(_LENGTH, map(len, elements))
    return _HEAD.pack(1, 0, kind, len(elements), 1) + b"".join(chain.from_iterable(zip(lengths, elements, strict=True)))
