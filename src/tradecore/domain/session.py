"""The sessions of a symbol's market: when a strategy is asked about its bars, and when orders may add risk."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain.calendar import is_open, session_of, session_on
from tradecore.domain.limits import Hours
from tradecore.domain.values import ZERO

_BEFORE = dt.timedelta(hours=5, minutes=30)
_BEHIND = dt.timedelta(hours=4)
_NIGHT = dt.timedelta(hours=5)
"""How far New York is behind UTC at most: extended hours end on the New York day that they belong to."""


def is_regular(symbol: str, at: dt.datetime) -> bool:
    """Whether `at` (UTC) lies in the regular session of the symbol's market. Crypto pairs (`BTC/USD`) never close."""
    return "/" in symbol or is_open(at)


def seconds_open(symbol: str, at: dt.datetime) -> Decimal:
    """For how long the regular session has been open at `at` (UTC): 0 while it is closed, for ever for crypto pairs."""
    if "/" in symbol:
        return Decimal("Infinity")
    session = session_of(at)
    return ZERO if session is None else Decimal(str((at - session.open).total_seconds()))


def hours_at(symbol: str, at: dt.datetime) -> Hours | None:
    """In which hours of the symbol's market `at` (UTC) lies; None while it is closed."""
    if is_regular(symbol, at):
        return Hours.REGULAR
    day = session_on((at - _NIGHT).date())
    return Hours.EXTENDED if day is not None and day.open - _BEFORE <= at < day.close + _BEHIND else None
