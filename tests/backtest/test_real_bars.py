"""Real bars: fills, fees, cash and profit against a calculation that knows nothing of tradecore."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tests.backtest.market import DAILY, FACTORS, MINUTES, BuyAndHold, needs_data
from tradecore.domain.values import Side, TradeStatus
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest import BarTable, MarketModel, backtest, read_factors, table_of_arrow

pl = pytest.importorskip("polars")
pytestmark = needs_data
CENT = Decimal("0.01")
FEE = Decimal("0.005")


def exact(number: float) -> Decimal:
    return Decimal(repr(number))


def crossings(closes: list[Decimal], fast: int, slow: int) -> list[tuple[int, bool]]:
    """Bars at which the fast average is strictly on the other side than it was last, by sums over the whole window."""
    found, before = [], None
    for place in range(slow - 1, len(closes)):
        left = sum(closes[place - fast + 1 : place + 1]) * slow
        right = sum(closes[place - slow + 1 : place + 1]) * fast
        if left != right:
            above = left > right
            if before is not None and above is not before:
                found.append((place, above))
            before = above
    return found


@pytest.mark.parametrize("symbol", ["SPY", "IBM", "BAC"])
def test_buy_and_hold_of_23_years(symbol: str) -> None:
    frame = pl.read_parquet(DAILY).filter(pl.col("symbol") == symbol).sort("date")
    result = backtest(DAILY, BuyAndHold(100), [symbol], 1_000_000, market=MarketModel(fee_per_unit=FEE))
    first_price, last_close = exact(frame["open"][1]), exact(frame["close"][-1])
    (fill,) = result.fills
    assert (fill.quantity, fill.price, fill.fees) == (Decimal(100), first_price, 100 * FEE)
    assert fill.at.date() == frame["date"][1]
    assert result.cash == 1_000_000 - 100 * first_price - 100 * FEE
    assert result.positions == {symbol: Decimal(100)}
    assert len(result.equity) == result.bar_count == frame.height
    assert result.equity[-1][1] == result.cash + 100 * last_close
    closes = [exact(close) for close in frame["close"]]
    assert [equity for _, equity in result.equity[1:]] == [result.cash + 100 * close for close in closes[1:]]


@pytest.mark.parametrize("symbol", ["SPY", "QQQ"])
def test_crossover_on_daily_bars(symbol: str) -> None:
    frame = pl.read_parquet(DAILY).filter(pl.col("symbol") == symbol).sort("date")
    opens, closes = ([exact(price) for price in frame[name]] for name in ("open", "close"))
    check_crossover(DAILY, symbol, opens, closes)


@pytest.mark.parametrize("symbol", ["SPY", "IBM", "BAC", "AIG"])
def test_crossover_on_minute_bars(symbol: str) -> None:
    frame = pl.read_parquet(MINUTES).filter(pl.col("symbol") == symbol).sort("timestamp")
    local = frame["timestamp"].dt.convert_time_zone("America/New_York")
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()
    whole = frame.filter(pl.col("timestamp").dt.year() == 2013)
    frame = frame.filter((minute >= 570) & (minute < 960) & (pl.col("timestamp").dt.year() == 2013))
    opens, closes = ([exact(price) for price in frame[name]] for name in ("open", "close"))
    check_crossover(table_of_arrow(whole.to_arrow()), symbol, opens, closes)


def check_crossover(bars: Path | BarTable, symbol: str, opens: list[Decimal], closes: list[Decimal]) -> None:
    """Long or flat, ten units, at the open of the bar after the cross."""
    result = backtest(bars, SmaCrossover(10, 30, 10), [symbol], market=MarketModel(fee_per_unit=FEE))
    cash, held, fees = Decimal(100_000), Decimal(0), Decimal(0)
    expected: list[tuple[Side, Decimal, Decimal]] = []
    profits: list[Decimal] = []
    entry = Decimal(0)
    for place, above in crossings(closes, 10, 30):
        if place + 1 == len(opens) or above is (held > 0):
            continue
        price = opens[place + 1]
        sign = 1 if above else -1
        cash -= sign * 10 * price + 10 * FEE
        held += sign * 10
        fees += 10 * FEE
        expected.append((Side.BUY if above else Side.SELL, Decimal(10), price))
        if above:
            entry = price
        else:
            profits.append(10 * (price - entry) - 20 * FEE)
    assert len(expected) > 5
    assert [(one.side, one.quantity, one.price) for one in result.fills] == expected
    assert sum(one.fees for one in result.fills) == fees
    assert result.cash == cash
    assert result.equity[-1][1] == cash + held * closes[-1]
    closed = [one for one in result.trades if one.status is TradeStatus.CLOSED]
    assert [one.realised_pnl for one in closed] == profits


def test_apple_pays_and_splits() -> None:
    """100 shares of 1998 are 100 x 2 x 2 x 7 x 4 of 2021; every dividend is booked to the cent."""
    actions = read_factors(FACTORS, {"AAPL"})
    splits = {one.date: one.ratio for one in actions if one.ratio != 1}
    assert splits[dt.date(2014, 6, 9)] == 7
    assert splits[dt.date(2020, 8, 31)] == 4
    result = backtest(DAILY, BuyAndHold(100), ["AAPL"], 1_000_000, market=MarketModel(actions=actions))
    assert result.positions == {"AAPL": Decimal(100 * 2 * 2 * 7 * 4)}
    with FACTORS.open(encoding="utf-8") as file:
        rows = sorted((row for row in csv.DictReader(file) if row["symbol"] == "AAPL"), key=lambda row: row["date"])
    frame = pl.read_parquet(DAILY).filter(pl.col("symbol") == "AAPL").sort("date")
    last_bar = f"{frame['date'][-1]:%Y%m%d}"
    shares, received = 100, Decimal(0)
    for before, after in itertools.pairwise(rows):
        if before["date"] >= last_bar:
            break
        share = Decimal(before["price_factor"]) / Decimal(after["price_factor"])
        if share < 1:
            per_share = (Decimal(before["reference_price"]) * (1 - share)).quantize(Decimal("0.001"), ROUND_HALF_UP)
            received += (shares * per_share).quantize(CENT, ROUND_HALF_UP)
        shares *= round(float(after["split_factor"]) / float(before["split_factor"]))
    assert received > 10_000
    assert result.cash == 1_000_000 - 100 * exact(frame["open"][1]) + received
    assert result.equity[-1][1] == result.cash + shares * exact(frame["close"][-1])


def test_equity_does_not_jump_at_a_split() -> None:
    actions = read_factors(FACTORS, {"AAPL"})
    result = backtest(DAILY, BuyAndHold(100), ["AAPL"], 1_000_000, market=MarketModel(actions=actions))
    equity = {at.date(): float(value) for at, value in result.equity}
    for before, behind in ((dt.date(2014, 6, 6), dt.date(2014, 6, 9)), (dt.date(2020, 8, 28), dt.date(2020, 8, 31))):
        assert abs(equity[behind] / equity[before] - 1) < 0.05
