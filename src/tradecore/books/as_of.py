"""How far books are read: up to a position of the ledger, or up to a moment."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from tradecore.books.entries import Entry
from tradecore.domain.values import parse_instant
from tradecore.errors import InputError

AsOf = int | dt.datetime
"""A position, or an aware moment; both inclusive."""

_POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_EXPECTED = "a position, a day such as 2024-01-31 (its end in UTC), or a time with a time zone"


def parse_as_of(field: str, raw: str) -> AsOf:
    """A position or moment from text; a day means its last microsecond in UTC. Raises `InputError`."""
    if _POSITION.fullmatch(raw):
        return int(raw)
    try:
        if _DAY.fullmatch(raw):
            return dt.datetime.combine(dt.date.fromisoformat(raw), dt.time.max, dt.UTC)
        return parse_instant(field, dt.datetime.fromisoformat(raw))
    except (ValueError, OverflowError, InputError):
        raise InputError(field, raw, _EXPECTED) from None


def booked_times(entries: Sequence[Entry]) -> list[dt.datetime]:
    """When each entry of one trading account counts as booked: its time, but never before an entry that it follows.

    A fill that is reported late is booked with the fills that were known before it, because which lots it closes was
    decided after them: as of any moment the books are then as they were after some position. The opening holds for the
    first entry already, even if the account was pinned after that (a replay of old data).
    """
    times: list[dt.datetime] = []
    first = min((entry.time for entry in entries), default=None)
    for entry in entries:
        assert first is not None, "there is an entry"
        before = times[-1] if times else first
        times.append(before if entry.is_opening else max(before, entry.time))
    return times


def entries_until(entries: Sequence[Entry], as_of: AsOf | None) -> tuple[Entry, ...]:
    """The entries of one trading account up to a position or moment; None is all of them."""
    match as_of:
        case None:
            return tuple(entries)
        case dt.datetime():
            moment = parse_instant("as_of", as_of)
            times = booked_times(entries)
            return tuple(entry for entry, time in zip(entries, times, strict=True) if time <= moment)
        case _:
            return tuple(entry for entry in entries if entry.position <= as_of)
