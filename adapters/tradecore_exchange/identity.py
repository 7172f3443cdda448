"""Identifiers that a restart, or a second run with the same seed, repeats."""

from __future__ import annotations

import hashlib
import uuid


def uuid_text(*parts: object) -> str:
    """A UUID (version 4 in form) that depends on `parts` alone."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def asset_id(symbol: str) -> str:
    """The id of an asset, the same on every exchange of this kind."""
    return uuid_text("asset", symbol)


def is_crypto(symbol: str) -> bool:
    """True for pairs such as BTC/USD."""
    return "/" in symbol
