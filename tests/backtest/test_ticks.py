"""Trades become bars, and orders trade against quotes as at the exchange."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import DATA, MINUTES, OPENING, BuyAndHold, Planned, bar, buy, needs_data, sell
from tests.backtest.test_same_fills import classed, ideas, request_of
from tradecore.domain.nanos import NANO, nanoseconds
from tradecore.domain.values import OrderType, Quote, TimeInForce
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea
from tradecore.strategies.timeframes import Longer, Timeframe
from tradecore_backtest import MarketModel, backtest, open_bars
from tradecore_backtest.ticks import bars_of_ticks, read_quotes
from tradecore_exchange import Exchange, ExchangeOptions

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
D = Decimal
SECOND = dt.timedelta(seconds=1)
QUOTES = DATA / "us_equities_minute_quotes.parquet"


def trades(path: Path, told: list[tuple[int, str, int]]) -> Path:
    """Second of the day, price, size."""
    times = [OPENING + second * SECOND for second, _, _ in told]
    columns = {
        "symbol": ["AAA"] * len(told),
        "timestamp": pa.array(times, pa.timestamp("us", tz="UTC")),
        "price": [float(price) for _, price, _ in told],
        "size": [size for _, _, size in told],
    }
    parquet.write_table(pa.table(columns), path)
    return path


def quotes(path: Path, told: list[tuple[int, str, str]], size: int = 100) -> Path:
    """Second of the day, bid, ask."""
    times = [OPENING + second * SECOND for second, _, _ in told]
    columns = {
        "symbol": ["AAA"] * len(told),
        "timestamp": pa.array(times, pa.timestamp("us", tz="UTC")),
        "bid": [float(bid) for _, bid, _ in told],
        "bid_size": [size] * len(told),
        "ask": [float(ask) for _, _, ask in told],
        "ask_size": [size] * len(told),
    }
    parquet.write_table(pa.table(columns), path)
    return path


def test_trades_make_bars_of_any_length(tmp_path: Path) -> None:
    file = trades(tmp_path / "a.parquet", [(0, "10", 5), (0, "11", 1), (3, "9", 2), (4, "10.5", 1), (64, "12", 7)])
    minutes = list(bars_of_ticks(file, 60).of("AAA"))
    assert minutes == [bar(0, "10", "11", "9", "10.5", volume="9"), bar(1, "12", volume="7")]
    seconds = list(open_bars(file, bar_seconds=1).of("AAA"))
    assert [one.close for one in seconds] == [D(11), D(9), D("10.5"), D(12)]
    with pytest.raises(InputError, match="bar_seconds"):
        bars_of_ticks(file, 7)
    with pytest.raises(InputError, match="order of time"):
        bars_of_ticks(trades(tmp_path / "b.parquet", [(5, "10", 1), (4, "10", 1)]), 1)


def test_trades_in_csv_are_exact(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("symbol,timestamp,price,size\nBTC/USD,2024-01-02T00:00:01Z,0.123456789,0.000000001\n")
    (one,) = bars_of_ticks(file, 1).of("BTC/USD")
    assert (one.close, one.volume) == (D("0.123456789"), D("1e-9"))


def test_an_order_over_trades_has_the_first_trade_after_it(tmp_path: Path) -> None:
    file = trades(tmp_path / "a.parquet", [(0, "10", 5), (1, "10", 5), (30, "13", 5), (31, "14", 5)])
    (fill,) = backtest(file, BuyAndHold(1), bar_seconds=1).fills
    assert (fill.price, fill.at) == (D(10), OPENING + 2 * SECOND)


def test_orders_pay_the_spread(tmp_path: Path) -> None:
    bars = [bar(number, "10") for number in range(4)]
    file = quotes(tmp_path / "q.parquet", [(30, "1", "2"), (60, "3", "4"), (70, "9.9", "10.1"), (130, "9.8", "10")])
    result = backtest(bars, Planned({0: buy(), 1: sell()}), quotes=file)
    assert [(fill.price, fill.at - OPENING) for fill in result.fills] == [
        (D("10.1"), 70 * SECOND),
        (D("9.8"), 130 * SECOND),
    ]
    assert result.config_hash != backtest(bars, Planned({0: buy(), 1: sell()})).config_hash


def test_what_was_quoted_at_the_moment_of_deciding_and_a_night_are_not_traded_on(tmp_path: Path) -> None:
    day = dt.timedelta(days=1)
    bars = [bar(388, "10"), bar(389, "10"), bar(0, "10", start=OPENING + day), bar(1, "10", start=OPENING + day)]
    night = 390 * 60 + 5
    file = quotes(tmp_path / "q.parquet", [(389 * 60, "9", "9"), (night, "8", "8"), (86_400 + 10, "10", "11")])
    patient = buy(time_in_force=TimeInForce.GTC, order_type=OrderType.LIMIT, limit_price=D(12))
    (fill,) = backtest(bars, Planned({0: patient}), quotes=file).fills
    assert (fill.price, fill.at) == (D(11), OPENING + day + 10 * SECOND)


def test_size_limits_what_a_quote_gives(tmp_path: Path) -> None:
    bars = [bar(number, "10") for number in range(4)]
    file = quotes(tmp_path / "q.parquet", [(70, "9", "10"), (80, "9", "10.5"), (90, "9", "11")], size=8)
    result = backtest(bars, Planned({0: buy("10")}), quotes=file, market=MarketModel(volume_share=D("0.5")))
    assert [(fill.quantity, fill.price) for fill in result.fills] == [(D(4), D(10)), (D(4), D("10.5")), (D(2), D(11))]


prices = st.integers(960, 1040)
told = st.lists(st.tuples(prices, st.integers(0, 20)), min_size=1, max_size=8)


@settings(max_examples=80, deadline=None)
@given(told, st.one_of(ideas(), classed()))
def test_quotes_are_met_as_at_the_exchange(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, int]], idea: Idea
) -> None:
    steps = [(61 + 3 * n, f"{bid / 100:.2f}", f"{(bid + wide) / 100:.2f}") for n, (bid, wide) in enumerate(told)]
    file = quotes(tmp_path_factory.mktemp("q") / "q.parquet", steps)
    tape = [bar(0, "10"), bar(1, "10"), bar(2, "10")]
    result = backtest(tape, Planned({0: idea}), quotes=file)
    exchange = Exchange({"AAA"}, ExchangeOptions(), start=OPENING)
    exchange.on_bar(tape[0])
    exchange.submit(request_of(idea))
    for second, bid, ask in steps:
        exchange.on_quote(Quote("AAA", OPENING + second * SECOND, D(bid), D(100), D(ask), D(100)))
    wanted = [(one.side, one.qty, one.price) for one in exchange.activities if one.kind == "FILL"]
    assert [(fill.side, fill.quantity, fill.price) for fill in result.fills] == wanted


@needs_data
def test_real_quotes_decide_and_fill() -> None:
    found = backtest(QUOTES, BuyAndHold(1), symbols=["SPY"], bar_seconds=300)
    (fill,) = found.fills
    mine = read_quotes(QUOTES, frozenset({"SPY"}))["SPY"]
    place = list(mine.times).index(nanoseconds(fill.at))
    assert fill.price == D(mine.asks[place]) / NANO


@needs_data
def test_longer_bars_of_real_trades_are_those_of_a_timeframe() -> None:
    """Minute bars through `Timeframe` and the same file through polars come to the same five-minute bars."""
    polars: Any = pytest.importorskip("polars")
    frame = polars.read_parquet(MINUTES).filter(polars.col("symbol") == "SPY")
    longer = frame.group_by_dynamic("timestamp", every="5m").agg(
        polars.col("open").first(), polars.col("high").max(), polars.col("low").min(), polars.col("close").last()
    )
    timeframe = Timeframe(300)
    found: list[Longer] = []
    for one in open_bars(MINUTES, ["SPY"]).of("SPY"):
        numbers = (int(number * NANO) for number in (one.open, one.high, one.low, one.close, one.volume))
        found += timeframe.update(nanoseconds(one.start), *numbers)
    expected = [tuple(round(price * 1e9) for price in row[1:]) for row in longer.iter_rows()]
    assert [tuple(one[1:5]) for one in found] == expected[: len(found)]
    assert len(expected) - len(found) <= 1
