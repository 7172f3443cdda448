"""Event ids that sort as text in the order of the events: ULIDs of the market's time and the event's number."""

from __future__ import annotations

import hashlib

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_NUMBER_BITS = 40
_CHANCE_BITS = 40


def ulid(at_ns: int, number: int, *parts: object) -> str:
    """48 bits of milliseconds, 40 of the number (so that no two tie), 40 that depend on `parts` alone."""
    chance = int.from_bytes(hashlib.sha256(":".join(map(str, (number, *parts))).encode()).digest()[:5])
    value = ((at_ns // 1_000_000) << (_NUMBER_BITS + _CHANCE_BITS)) | (number << _CHANCE_BITS) | chance
    text = ""
    for _ in range(_LENGTH):
        value, digit = divmod(value, 32)
        text = _ALPHABET[digit] + text
    return text


def number_of(text: str) -> int:
    """The number within a ULID made here. Raises `ValueError` for text that is no ULID."""
    if len(text) != _LENGTH or text[0] > "7":
        raise ValueError(f"not a ULID: {text[:40]!r}")
    value = 0
    for letter in text.upper():
        value = value * 32 + _ALPHABET.index(letter)
    return (value >> _CHANCE_BITS) & ((1 << _NUMBER_BITS) - 1)
