"""The hours of the assumed market: which bars count, when days begin, and when orders for the day end."""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left
from collections.abc import Iterator

from tradecore.domain.calendar import NEW_YORK, next_session, session_on
from tradecore.domain.nanos import instant, nanoseconds
from tradecore.domain.terms import Terms
from tradecore.domain.values import TimeInForce
from tradecore_backtest.spacing import DAY_NS

_DAY = dt.timedelta(days=1)


def sessions(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Places of bars within regular sessions of New York, one session at a time."""
    place, count = 0, len(starts)
    while place < count:
        session = next_session(instant(starts[place]).astimezone(NEW_YORK).date())
        first = bisect_left(starts, nanoseconds(session.open), place)
        behind = bisect_left(starts, nanoseconds(session.close), first)
        if first < behind:
            yield first, behind
        if behind == place:  # after the close: the next session is a later day's
            following = next_session(session.date + _DAY)
            behind = bisect_left(starts, nanoseconds(following.open), place)
        place = behind


def utc_days(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Places of bars, one UTC day at a time."""
    place, count = 0, len(starts)
    while place < count:
        behind = bisect_left(starts, (starts[place] // DAY_NS + 1) * DAY_NS, place)
        yield place, behind
        place = behind


def end_of_order(terms: Terms, now_ns: int) -> int:
    """When an order that is placed now ends, in nanoseconds since 1970; good till canceled is 90 days."""
    match terms.time_in_force:
        case TimeInForce.GTC:
            date = instant(now_ns).astimezone(NEW_YORK).date()
            return nanoseconds(dt.datetime.combine(date + 90 * _DAY, dt.time(16, 15), NEW_YORK))
        case TimeInForce.OPG:
            return next(close for opening, close in _sessions_from(now_ns // DAY_NS) if now_ns < opening)
        case _:
            return next(close for _, close in _sessions_from(now_ns // DAY_NS) if now_ns < close)


@functools.lru_cache(maxsize=16)
def _sessions_from(day: int) -> tuple[tuple[int, int], ...]:
    """Open and close of the first three sessions from this UTC day on, which is New York's while that trades."""
    session = next_session(dt.date(1970, 1, 1) + day * _DAY)
    found = []
    for _ in range(3):
        found.append((nanoseconds(session.open), nanoseconds(session.close)))
        session = next_session(session.date + _DAY)
    return tuple(found)


def daily_span(date: dt.date) -> tuple[int, int]:
    """Open and close of the session that a daily bar stands for; 9:30 to 16:00 where the calendar has none."""
    session = session_on(date)
    if session is not None:
        return nanoseconds(session.open), nanoseconds(session.close)
    opening, closing = (dt.datetime.combine(date, time, NEW_YORK) for time in (dt.time(9, 30), dt.time(16)))
    return nanoseconds(opening), nanoseconds(closing)
