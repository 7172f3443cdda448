"""JSON text into closed shapes, exact numbers and UTC times. What does not fit raises `ProtocolError` with the text."""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal
from typing import TypeVar

import msgspec

from tradecore.domain.values import canonical
from tradecore.errors import ProtocolError

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_LARGEST = Decimal("1e18")

ABSENT = msgspec.Raw(b"null")

Shape = TypeVar("Shape")


def read(raw: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    """The text in that shape. Words that are not of the shape are ignored, missing or mistyped ones are errors."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) or type(error).__name__
    raise ProtocolError(reason, as_text(raw))


def is_json(body: bytes) -> bool:
    """True when the whole body is one JSON text."""
    try:
        read(body, msgspec.Raw)
    except ProtocolError:
        return False
    return True


def as_text(raw: bytes | msgspec.Raw) -> str:
    """The same characters; bytes that are not text are shown as such."""
    return bytes(raw).decode("utf-8", errors="backslashreplace")


def number(field: str, raw: msgspec.Raw) -> Decimal:
    """An exact, finite number from JSON text, quoted or not, however many places it has."""
    found = optional_number(field, raw)
    if found is None:
        raise ProtocolError(f"{field}: null is not a number", as_text(raw))
    return found


def optional_number(field: str, raw: msgspec.Raw) -> Decimal | None:
    """The same, or None for null."""
    text = bytes(raw).decode("utf-8", errors="backslashreplace")
    return None if text == "null" else _exact(field, text)


@functools.lru_cache(maxsize=4096)
def _exact(field: str, text: str) -> Decimal:
    """The number in a text; an account's quantities and prices are few, and told over and over."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _NUMBER.fullmatch(text):
        raise ProtocolError(f"{field}: {text[:80]!r} is not a number", text)
    found = Decimal(text)
    if abs(found) >= _LARGEST:
        raise ProtocolError(f"{field}: {text[:80]!r} is too large", text)
    return canonical(found)


def instant(field: str, text: str) -> dt.datetime:
    """UTC from RFC 3339; nanoseconds are cut to microseconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ProtocolError(f"{field}: {text[:80]!r} is not a time", text)
    date, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in "Zz" else zone
    micros = (fraction or "").ljust(6, "0")[:6]
    try:
        return dt.datetime.fromisoformat(f"{date}T{clock}.{micros}{zone}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ProtocolError(f"{field}: {text[:80]!r} is not a time", text) from None


def rfc3339(moment: dt.datetime) -> str:
    """UTC text as Alpaca takes it in a query."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
