"""Curves and trades for the tests: real closes where they are at hand, seeded ones else."""

from __future__ import annotations

import datetime as dt
import os
import random
from decimal import Decimal
from pathlib import Path

import pytest

from tradecore.domain.calendar import session_on
from tradecore.domain.values import Side
from tradecore.metrics import ClosedTrade, Curve

DATA = Path(os.environ.get("TRADECORE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
START = dt.date(2012, 1, 3)


def sessions(count: int, start: dt.date = START) -> list[dt.datetime]:
    """The closes of the first sessions from a date on."""
    found: list[dt.datetime] = []
    date = start
    while len(found) < count:
        if (session := session_on(date)) is not None:
            found.append(session.close)
        date += dt.timedelta(days=1)
    return found


def seeded_curve(seed: int, count: int = 700, drift: float = 0.0004, spread: float = 0.012) -> Curve:
    """A walk in cents."""
    chance = random.Random(seed)
    equity = Decimal(100_000)
    points = []
    for at in sessions(count):
        points.append((at, equity))
        equity = (equity * Decimal(repr(1 + chance.gauss(drift, spread)))).quantize(Decimal("0.01"))
    return Curve.of(points)


def seeded_trades(seed: int, count: int = 60) -> list[ClosedTrade]:
    """Trades of two symbols, won and lost."""
    chance = random.Random(seed)
    closes = sessions(count + 10)
    return [
        ClosedTrade(
            trade_id=f"t{number:03}",
            symbol=chance.choice(["SPY", "AAPL"]),
            side=chance.choice([Side.BUY, Side.SELL]),
            quantity=Decimal(10),
            opened_at=closes[number],
            closed_at=closes[number + chance.randint(1, 9)],
            pnl=Decimal(chance.randint(-500, 600)) / 100,
            fees=Decimal("0.02"),
        )
        for number in range(count)
    ]


def daily_closes(symbol: str) -> Curve:
    """Real daily closes, as the equity of one share."""
    file = DATA / "bars" / "us_equities_daily_1998_2021.parquet"
    if not file.is_file():
        pytest.skip(f"no market data at {DATA}; TRADECORE_TEST_DATA names another place")
    polars = pytest.importorskip("polars")
    frame = polars.read_parquet(file).filter(polars.col("symbol") == symbol).sort("date")
    points = []
    for date, close in frame.select("date", "close").iter_rows():
        session = session_on(date)
        assert session is not None, f"{date} is a session"
        points.append((session.close, Decimal(str(close))))
    return Curve.of(points)
