"""Time as the protocol writes it: integers of nanoseconds inside, RFC 3339 text outside."""

from __future__ import annotations

import datetime as dt
import functools
import re

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_TEXT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9})\d*)?(Z|[+ -]\d{2}:?\d{2})?)?", re.ASCII
)


def nanoseconds(time: dt.datetime) -> int:
    """Nanoseconds since 1970 of an aware time, exactly."""
    return (time - _EPOCH) // _MICROSECOND * 1_000


def as_datetime(ns: int) -> dt.datetime:
    """The UTC time, cut to the microsecond."""
    return _EPOCH + dt.timedelta(microseconds=ns // 1_000)


@functools.lru_cache(maxsize=4096)
def instant_text(ns: int) -> str:
    """`2024-01-02T14:31:00.000001153Z`, without trailing zeros, as Go's RFC3339Nano prints it."""
    seconds, fraction = divmod(ns, SECOND_NS)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        text += f".{fraction:09d}".rstrip("0")
    return text + "Z"


def instant_from_text(text: str) -> int:
    """Nanoseconds of a date, or of a time with at most nine places; no offset means UTC. Raises `ValueError`."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text[:40]!r}")
    date, clock, fraction, offset = match.groups()
    # A plus sign that nobody quoted arrives from a query string as a space.
    zone = "+00:00" if offset in {None, "Z"} else offset.replace(" ", "+")
    time = dt.datetime.fromisoformat(f"{date}T{clock or '00:00'}{zone}")
    return nanoseconds(time) + int((fraction or "0").ljust(9, "0"))
