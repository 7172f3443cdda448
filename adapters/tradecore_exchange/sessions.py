"""The hours of New York: regular as the calendar has them, extended from 4:00 to four hours after that, overnight."""

from __future__ import annotations

import datetime as dt
import enum
import functools

import attrs

from tradecore.domain import calendar
from tradecore_exchange.instants import MINUTE_NS, SECOND_NS, nanoseconds

NEW_YORK = calendar.NEW_YORK
_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)


class Phase(enum.Enum):
    """What a market admits at a moment."""

    CLOSED = "closed"
    OVERNIGHT = "overnight"
    EXTENDED = "extended"
    REGULAR = "regular"


@attrs.frozen
class Session:
    """One trading day; times in nanoseconds since 1970."""

    date: dt.date
    pre_open: int
    open: int
    close: int
    post_close: int


@functools.lru_cache(maxsize=4096)
def session_on(date: dt.date) -> Session | None:
    """The session of a date, or None at a weekend or on a holiday."""
    regular = calendar.session_on(date)
    if regular is None:
        return None
    pre_open = dt.datetime.combine(date, dt.time(4), NEW_YORK)
    times = (pre_open, regular.open, regular.close, regular.close + 4 * _HOUR)
    return Session(date, *map(nanoseconds, times))


def new_york_date(ns: int) -> dt.date:
    """The date in New York at that moment."""
    return dt.datetime.fromtimestamp(ns // SECOND_NS, NEW_YORK).date()


def phase_at(ns: int) -> Phase:
    """The phase of the equity market at that moment; a session's close no longer belongs to it."""
    date = new_york_date(ns)
    session = session_on(date)
    if session is not None and session.pre_open <= ns < session.post_close:
        return Phase.REGULAR if session.open <= ns < session.close else Phase.EXTENDED
    # The night belongs to the session that follows it.
    night = session if session is not None and ns < session.pre_open else None
    if ns >= _evening(date):
        night = session_on(date + _DAY)
    return Phase.CLOSED if night is None else Phase.OVERNIGHT


@functools.lru_cache(maxsize=4096)
def _evening(date: dt.date, hour: int = 20) -> int:
    return nanoseconds(dt.datetime.combine(date, dt.time(hour), NEW_YORK))


def takes_auction_orders(ns: int, *, opening: bool) -> bool:
    """Whether an order for the opening (or closing) auction may be entered now.

    Not from two minutes before the opening, or ten before the close, until 19:00 of that day.
    """
    date = new_york_date(ns)
    session = session_on(date)
    if session is None:
        return True
    refused_from = session.open - 2 * MINUTE_NS if opening else session.close - 10 * MINUTE_NS
    return not refused_from <= ns < _evening(date, 19)


def _first_session(ns: int, end: str) -> Session:
    date = new_york_date(ns)
    while True:
        session = session_on(date)
        if session is not None and ns < getattr(session, end):
            return session
        date += _DAY


def session_of_order(ns: int, *, extended: bool = False) -> Session:
    """The session that a day order entered now belongs to: today's until it closes, then the next."""
    return _first_session(ns, "post_close" if extended else "close")


def session_of_opening(ns: int) -> Session:
    """The next session to open."""
    return _first_session(ns, "open")


def next_open(ns: int) -> int:
    """The next opening after now."""
    return session_of_opening(ns).open


def next_close(ns: int) -> int:
    """The next closing after now."""
    return _first_session(ns, "close").close


def good_till_canceled_end(ns: int) -> int:
    """When an order good till canceled is canceled all the same: 16:15 New York, 90 days on."""
    date = new_york_date(ns) + 90 * _DAY
    return nanoseconds(dt.datetime.combine(date, dt.time(16, 15), NEW_YORK))
