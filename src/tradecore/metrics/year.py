"""How many periods a year has, counted on the market's own calendar."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import zoneinfo

from tradecore.domain.calendar import NEW_YORK, session_on

_DAY = dt.timedelta(days=1)
YEAR = dt.timedelta(days=365.25)
"""The year by which elapsed time is annualised: the Julian year."""


class Market(enum.StrEnum):
    """Which days count: those with a session of US equities, or every day."""

    US_EQUITIES = "us_equities"
    EVERY_DAY = "every_day"

    @property
    def zone(self) -> dt.tzinfo:
        """In whose dates days are told apart."""
        return NEW_YORK if self is Market.US_EQUITIES else zoneinfo.ZoneInfo("UTC")

    def trades_on(self, date: dt.date) -> bool:
        """Whether a date has a session."""
        return self is Market.EVERY_DAY or session_on(date) is not None


def market_of(symbols: frozenset[str]) -> Market:
    """US equities, unless every symbol is a crypto pair (`BTC/USD`), which never closes."""
    return Market.EVERY_DAY if symbols and all("/" in symbol for symbol in symbols) else Market.US_EQUITIES


def periods_per_year(market: Market, first: dt.date, last: dt.date) -> float:
    """Sessions per year, averaged over the calendar years that a range touches: 252 for 2013, 251.8 for 2010-2019."""
    years = range(first.year, last.year + 1)
    return sum(_sessions(market, year) for year in years) / len(years)


@functools.cache
def _sessions(market: Market, year: int) -> int:
    date, count = dt.date(year, 1, 1), 0
    while date.year == year:
        count += market.trades_on(date)
        date += _DAY
    return count
