"""The sessions of US equities in New York: holidays, half days, and the change of the clocks.

Regular hours are 9:30 to 16:00, or to an earlier hour on half days. Holidays are known from 1990 to 2035
(`FIRST_YEAR`, `LAST_YEAR`); in any other year every weekday counts as a full session. Late openings, and halts in the
middle of a session, are not known.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

import attrs

from tradecore.domain.holidays import CLOSED, EARLY, FIRST_YEAR, LAST_YEAR

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "NEW_YORK",
    "Session",
    "is_open",
    "next_close",
    "next_open",
    "next_session",
    "session_of",
    "session_on",
]

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
_DAY = dt.timedelta(days=1)
_OPEN = dt.time(9, 30)
_CLOSE_HOUR = 16


@attrs.frozen
class Session:
    """One trading day. `open` and `close` are in UTC; the moment of the close no longer belongs to it."""

    date: dt.date
    open: dt.datetime
    close: dt.datetime
    is_half_day: bool


@functools.cache
def _closed(year: int) -> frozenset[str]:
    return frozenset(CLOSED.get(year, "").split())


@functools.cache
def _early(year: int) -> dict[str, int]:
    days = (entry.split("@") for entry in EARLY.get(year, "").split())
    return {day: int(hour) for day, hour in days}


@functools.lru_cache(maxsize=4096)
def session_on(date: dt.date) -> Session | None:
    """The session of a date in New York; None at a weekend or on a holiday."""
    day = f"{date:%m%d}"
    if date.weekday() >= 5 or day in _closed(date.year):
        return None
    hour = _early(date.year).get(day, _CLOSE_HOUR)
    opening = dt.datetime.combine(date, _OPEN, NEW_YORK).astimezone(dt.UTC)
    closing = dt.datetime.combine(date, dt.time(hour), NEW_YORK).astimezone(dt.UTC)
    return Session(date, opening, closing, hour != _CLOSE_HOUR)


def next_session(date: dt.date) -> Session:
    """The session of a date, or the first one after it."""
    session = session_on(date)
    while session is None:
        date += _DAY
        session = session_on(date)
    return session


def session_of(at: dt.datetime) -> Session | None:
    """The session within whose regular hours an instant (aware) lies."""
    session = session_on(at.astimezone(NEW_YORK).date())
    return session if session is not None and session.open <= at < session.close else None


def is_open(at: dt.datetime) -> bool:
    """Whether an instant (aware) lies within regular hours."""
    return session_of(at) is not None


def next_open(at: dt.datetime) -> dt.datetime:
    """The first opening after an instant (aware), in UTC."""
    session = next_session(at.astimezone(NEW_YORK).date())
    return (session if session.open > at else next_session(session.date + _DAY)).open


def next_close(at: dt.datetime) -> dt.datetime:
    """The first closing after an instant (aware), in UTC."""
    session = next_session(at.astimezone(NEW_YORK).date())
    return (session if session.close > at else next_session(session.date + _DAY)).close
