"""Events encrypted as they are stored: AES-256-GCM, bound to their place, so that none can be put in another's.

A sealed state is the byte 1, the length of the key's name, the name, 12 bytes of nonce, and the ciphertext; one that is
not sealed is JSON and begins with a brace, so that a ledger may begin without encryption and go on with it. The hash
chain is over what is stored: it is followed without any key.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Any

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, MissingExtra, WrongKey
from tradecore.journal.codec import CODEC, SEALED, EventCodec, Row
from tradecore.journal.key_ring import KeyRing, find_key_ring

_NONCE_BYTES = 12
_PLACE = struct.Struct(">QII")


def codec_with(keys: KeyRing | None) -> EventCodec:
    """The codec that encrypts with a ring of keys; the plain one without. Raises `MissingExtra`."""
    return CODEC if keys is None else SealedCodec(CODEC, keys)


def codec_found() -> EventCodec:
    """The codec for the keys that the environment names. Raises `ConfigurationError`, `MissingExtra`."""
    return codec_with(find_key_ring())


class SealedCodec:
    """Seals what another codec writes, and opens it before that one reads it."""

    def __init__(self, inner: EventCodec, keys: KeyRing) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtra("encrypting events", "encryption") from None
        self._inner = inner
        self._ciphers: dict[bytes, Any] = {name.encode(): AESGCM(key) for name, key in keys.keys.items()}
        newest = keys.newest.encode()
        self._head = SEALED + bytes([len(newest)]) + newest
        self._encrypt = self._ciphers[newest].encrypt
        self._refused = InvalidTag

    def encode(self, recorded: Recorded[Event]) -> bytes:
        """The sealed state of an event. Raises `InputError` for an event that would not come back as it is."""
        state, envelope = self._inner.encode(recorded), recorded.envelope
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(envelope.stream, envelope.version, envelope.name)
        return b"".join((self._head, nonce, self._encrypt(nonce, state, place)))

    def decode(self, row: Row) -> Recorded[Event]:
        """The event of a row. Raises `WrongKey`, and as the other codec does."""
        return self._inner.decode(self._opened(row))

    def decode_all(self, rows: Sequence[Row]) -> tuple[Recorded[Event], ...]:
        """The events of many rows."""
        return self._inner.decode_all([self._opened(row) for row in rows])

    def _opened(self, row: Row) -> Row:
        position, stream, version, name, sealed = row
        if sealed[:1] != SEALED:
            return row
        begin = 2 + sealed[1] if len(sealed) > 1 else 2
        key, nonce = sealed[2:begin], sealed[begin : begin + _NONCE_BYTES]
        if len(nonce) < _NONCE_BYTES:
            raise CorruptLedger(f"the event at position {position} ({stream}, version {version}) was cut off")
        cipher = self._ciphers.get(key)
        if cipher is None:
            raise WrongKey(position, _shown(key), "is not among the keys that are named")
        try:
            state = cipher.decrypt(nonce, sealed[begin + _NONCE_BYTES :], _place(stream, version, name))
        except self._refused:
            raise WrongKey(
                position, _shown(key), "does not open it: it is another one, or the event was changed"
            ) from None
        return position, stream, version, name, bytes(state)


def _place(stream: str, version: int, name: str) -> bytes:
    where, title = stream.encode(), name.encode()
    return b"".join((b"tradecore event", _PLACE.pack(version, len(where), len(title)), where, title))


def _shown(key: bytes) -> str:
    return key.decode("ascii", "backslashreplace")
