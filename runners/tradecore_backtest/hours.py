"""The hours of the assumed market: which bars count, when days begin, and when orders for the day end."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator

from tradecore.domain.calendar import NEW_YORK, next_session, session_on
from tradecore.domain.nanos import instant, nanoseconds
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


def end_of_order(force: TimeInForce, extended: bool, now: dt.datetime) -> int:
    """When an order that is placed now ends, in nanoseconds since 1970; one that is good till canceled lives 90 days."""
    date = now.astimezone(NEW_YORK).date()
    if force is TimeInForce.GTC:
        return nanoseconds(dt.datetime.combine(date + 90 * _DAY, dt.time(16, 15), NEW_YORK))
    session = next_session(date)
    if force is TimeInForce.OPG:
        while session.open <= now:
            session = next_session(session.date + _DAY)
        return nanoseconds(session.close)
    late = dt.timedelta(hours=4) if extended else dt.timedelta(0)
    while session.close + late <= now:
        session = next_session(session.date + _DAY)
    return nanoseconds(session.close + late)


def daily_span(date: dt.date) -> tuple[int, int]:
    """Open and close of the session that a daily bar stands for; 9:30 to 16:00 where the calendar has none."""
    session = session_on(date)
    if session is not None:
        return nanoseconds(session.open), nanoseconds(session.close)
    opening, closing = (dt.datetime.combine(date, time, NEW_YORK) for time in (dt.time(9, 30), dt.time(16)))
    return nanoseconds(opening), nanoseconds(closing)
