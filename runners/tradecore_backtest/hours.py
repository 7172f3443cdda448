"""The hours of the assumed market: which bars count, when days begin, and when orders for the day end."""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left
from collections.abc import Iterator

from tradecore.domain.calendar import NEW_YORK, next_session, session_on
from tradecore.domain.nanos import NANO, instant, nanoseconds
from tradecore.domain.terms import Terms
from tradecore.domain.values import TimeInForce
from tradecore_backtest.spacing import DAY_NS

_DAY = dt.timedelta(days=1)
_MINUTE = dt.timedelta(minutes=1)
_EVENING = dt.timedelta(hours=4)
_NEVER = 2**63
_EVENING_NS = 4 * 3600 * NANO


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


def extended_hours(starts: list[int], first: int, behind: int) -> Iterator[tuple[int, int]]:
    """Places of bars among those in the hours before and after a session and in the night before it, span by span."""
    place = first
    while place < behind:
        spans = _extended_spans(instant(starts[place]).astimezone(NEW_YORK).date())
        begin, end = next(span for span in spans if starts[place] < span[1])
        if begin <= starts[place]:
            behind_span = bisect_left(starts, end, place, behind)
            yield place, behind_span
        else:
            behind_span = bisect_left(starts, begin, place, behind)
        place = behind_span


@functools.lru_cache(maxsize=16)
def _extended_spans(date: dt.date) -> tuple[tuple[int, int], ...]:
    """When orders for extended hours trade on a day of New York: the night belongs to the session that follows it."""
    midnight, evening, tomorrow = (
        nanoseconds(dt.datetime.combine(day, dt.time(hour), NEW_YORK))
        for day, hour in ((date, 0), (date, 20), (date + _DAY, 0))
    )
    session, spans = session_on(date), []
    if session is not None:
        spans.append((midnight, nanoseconds(session.open)))
        spans.append((nanoseconds(session.close), nanoseconds(session.close + _EVENING)))
    night = evening if session_on(date + _DAY) is not None else tomorrow
    return (*spans, (night, tomorrow))


def takes_auction_orders(now_ns: int, *, opening: bool) -> bool:
    """Whether an order for the opening (or closing) auction may be entered now.

    Not from two minutes before the opening, or ten before the close, until 19:00 of that day.
    """
    session = session_on(instant(now_ns).astimezone(NEW_YORK).date())
    if session is None:
        return True
    begin = session.open - 2 * _MINUTE if opening else session.close - 10 * _MINUTE
    evening = dt.datetime.combine(session.date, dt.time(19), NEW_YORK)
    return not nanoseconds(begin) <= now_ns < nanoseconds(evening)


def session_opening(at_ns: int) -> int:
    """When the session of that day opened, in nanoseconds since 1970."""
    session = session_on(instant(at_ns).astimezone(NEW_YORK).date())
    assert session is not None, "the day has a session"
    return nanoseconds(session.open)


def end_of_order(terms: Terms, now_ns: int) -> int:
    """When an order that is placed now ends, in nanoseconds since 1970; good till canceled is 90 days."""
    if terms.time_in_force is TimeInForce.DAY and not terms.extended_hours:
        return _close_after(now_ns)
    if terms.time_in_force is TimeInForce.DAY:
        day = (now_ns - _EVENING_NS) // DAY_NS  # at midnight UTC it may still be the evening of a session
        return next(close + _EVENING_NS for _, close in _sessions_from(day) if now_ns < close + _EVENING_NS)
    match terms.time_in_force:
        case TimeInForce.GTC:
            date = instant(now_ns).astimezone(NEW_YORK).date()
            return nanoseconds(dt.datetime.combine(date + 90 * _DAY, dt.time(16, 15), NEW_YORK))
        case TimeInForce.OPG:
            return next(close for opening, close in _sessions_from(now_ns // DAY_NS) if now_ns < opening)
        case TimeInForce.IOC | TimeInForce.FOK:
            return _NEVER  # the next bar of its market decides
        case _:
            return _close_after(now_ns)


def _close_after(now_ns: int) -> int:
    for _, close in _sessions_from(now_ns // DAY_NS):
        if now_ns < close:
            return close
    raise AssertionError("one of three sessions has not closed yet")


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
