"""The hash chain over stored bytes: one link per event, each over the link before it.

    link(n) = SHA-256( link(n-1) | position | version | len(stream) | stream | len(name) | name | state )

with integers big-endian (8 bytes for position and version, 4 for lengths), text as UTF-8, and 32 zero bytes before the
first event. It is over what is stored, not over what that means, so it verifies without decoding anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from tradecore.errors import CorruptLedger
from tradecore.journal.batch import Batch

GENESIS = bytes(32)
_HEAD = struct.Struct(">QQI")
_NUMBERS = struct.Struct(">QQ")
_LENGTH = struct.Struct(">I")
_TYPES = (int, str, int, str, bytes, bytes)


class Link(NamedTuple):
    """An event as it is stored, undecoded, with the link that was stored beside it.

    A named tuple and not an attrs class: a verification makes one per event, and these cost a fifth.
    """

    position: int
    stream: str
    version: int
    name: str
    state: bytes
    chain: bytes


def link(before: bytes, position: int, stream: str, version: int, name: str, state: bytes) -> bytes:
    """The link of an event behind the link `before`; 32 bytes."""
    place, title = stream.encode(), name.encode()
    head = _HEAD.pack(position, version, len(place))
    return sha256(b"".join((before, head, place, _LENGTH.pack(len(title)), title, state))).digest()


def chain_on(before: bytes, first: int, batch: Batch) -> list[bytes]:
    """The links of a batch from position `first` on; what the rows have in common is written once."""
    places: dict[str, bytes] = {}
    titles: dict[str, bytes] = {}
    links: list[bytes] = []
    rows = zip(batch.streams, batch.versions, batch.names, batch.states, strict=True)
    for position, (stream, version, name, state) in enumerate(rows, first):
        place, title = places.get(stream), titles.get(name)
        if place is None:
            text = stream.encode()
            place = places[stream] = _LENGTH.pack(len(text)) + text
        if title is None:
            text = name.encode()
            title = titles[name] = _LENGTH.pack(len(text)) + text
        before = sha256(b"".join((before, _NUMBERS.pack(position, version), place, title, state))).digest()
        links.append(before)
    return links


def as_links(rows: Iterable[tuple[object, ...]]) -> tuple[Link, ...]:
    """Stored rows as links. Raises `CorruptLedger` for one that holds another kind of value than was written."""
    links = tuple(map(Link._make, rows))
    for item in links:
        if tuple(map(type, item)) != _TYPES or item.version < 0:
            raise CorruptLedger(f"the event at position {item.position} is not stored as an event is")
    return links
