"""One way of writing a request, so that the same request has the same bytes and the same hash everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from tradecore.errors import InputError

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")


def canonical(field: str, value: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8 with sorted keys and no spaces; raises `InputError` for what JSON has no form for."""
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, UnicodeError, RecursionError, msgspec.MsgspecError) as error:
        raise InputError(field, type(value).__name__, f"what JSON can hold ({error})") from None


def digest(*parts: bytes) -> str:
    """SHA-256 in hexadecimal; several parts cannot be mistaken for one."""
    if len(parts) == 1:
        return hashlib.sha256(parts[0]).hexdigest()
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
