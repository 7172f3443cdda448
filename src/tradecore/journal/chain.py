"""The hash chain over stored bytes: one link per event, each over the link before it.

    link(n) = SHA-256( link(n-1) | position | version | len(stream) | stream | len(name) | name | state )

with integers big-endian (8 bytes for position and version, 4 for lengths), text as UTF-8, and 32 zero bytes before the
first event. It is over what is stored, not over what that means, so it verifies without decoding anything.
"""

from __future__ import annotations

import hashlib
import struct

GENESIS = bytes(32)


def link(before: bytes, position: int, stream: str, version: int, name: str, state: bytes) -> bytes:
    """The link of an event behind the link `before`; 32 bytes."""
    place, title = stream.encode(), name.encode()
    head = struct.pack(">QQI", position, version, len(place))
    return hashlib.sha256(b"".join((before, head, place, struct.pack(">I", len(title)), title, state))).digest()
