"""Markets for backtests: the shared data where it is, and small ones made by hand."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradecore.domain.values import Bar, Side
from tradecore.ports.strategy import Idea, Portfolio

_FOLDER = os.environ.get("TRADECORE_TEST_DATA")
DATA = Path(_FOLDER) / "bars" if _FOLDER else Path("absent")
needs_data = pytest.mark.skipif(not _FOLDER, reason="TRADECORE_TEST_DATA names no folder with market data")

DAILY = DATA / "us_equities_daily_1998_2021.parquet"
MINUTES = DATA / "us_equities_minute_trades.parquet"
FACTORS = DATA / "us_equities_factors.csv"

OPENING = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def bar(number: int, *prices: str, symbol: str = "AAA", volume: str = "1000", start: dt.datetime = OPENING) -> Bar:
    """Minute `number` of the day; `prices` are open, high, low, close, or one price for all."""
    four = [Decimal(price) for price in (prices if len(prices) == 4 else prices * 4)]
    return Bar(symbol, start + number * MINUTE, four[0], four[1], four[2], four[3], Decimal(volume))


class Planned:
    """Proposes what it was told to, at the numbered bars of a symbol."""

    name = "planned"
    warmup_bars = 0

    def __init__(self, ideas: Mapping[int, Idea]) -> None:
        self._ideas = ideas
        self.seen: list[Bar] = []

    def observe(self, bar: Bar) -> None:
        """Nothing to learn."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """What was planned for this bar, if anything."""
        idea = self._ideas.get(len(self.seen))
        self.seen.append(bar)
        return () if idea is None else (idea,)


class BuyAndHold:
    """Buys once, at the first bar of every symbol."""

    name = "hold"
    warmup_bars = 0

    def __init__(self, quantity: int) -> None:
        self._quantity = Decimal(quantity)

    def observe(self, bar: Bar) -> None:
        """Nothing to learn."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Buy when nothing is held or under way."""
        if portfolio.position(bar.symbol) or portfolio.working(bar.symbol):
            return ()
        return (Idea(bar.symbol, Side.BUY, self._quantity, "the first bar"),)


def buy(quantity: str = "10", **terms: Any) -> Idea:
    """An idea to buy."""
    return Idea("AAA", Side.BUY, Decimal(quantity), "planned", **terms)


def sell(quantity: str = "10", **terms: Any) -> Idea:
    """An idea to sell."""
    return Idea("AAA", Side.SELL, Decimal(quantity), "planned", **terms)
