"""What somebody does first with `backtest`, and does wrong: it works, or one error says what would be right."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.backtest.market import OPENING, BuyAndHold, Planned, bar, buy
from tradecore.domain.values import Bar, TimeInForce
from tradecore.errors import InputError
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest import FillAt, Hours, MarketModel, backtest, table_of_arrow
from tradecore_backtest.runner import summary_of
from tradecore_backtest.sheet import sheet_of
from tradecore_backtest.ticks import bars_of_ticks
from tradecore_bars import seeded_bars

D = Decimal


def frame_of(bars: list[Bar]) -> Any:
    polars = pytest.importorskip("polars")
    names = ("open", "high", "low", "close", "volume")
    return polars.DataFrame(
        {
            "symbol": [one.symbol for one in bars],
            "timestamp": polars.Series([one.start for one in bars], dtype=polars.Datetime("us", "UTC")),
            **{name: [float(getattr(one, name)) for one in bars] for name in names},
        }
    )


def test_a_price_of_the_bar_is_chosen_by_its_name_and_never_by_mistake_another() -> None:
    bars = [bar(0, "10"), bar(1, "11", "13", "11", "12"), bar(2, "12")]
    plan = {0: buy()}
    assert [backtest(bars, Planned(plan), market=MarketModel(fill_at=word)).fills[0].price for word in FillAt] == [
        11,
        12,
    ]
    assert backtest(bars, Planned(plan), market=MarketModel(fill_at="close")).fills[0].price == 12
    assert MarketModel(hours="regular").hours is Hours.REGULAR
    mistakes: list[dict[str, Any]] = [{"fill_at": "clsoe"}, {"hours": "all"}]
    for wrong in mistakes:
        with pytest.raises(InputError, match="one of"):
            MarketModel(**wrong)


def test_numbers_of_a_market_are_exact_however_they_are_written() -> None:
    assert MarketModel(slippage_bps=1, fee_per_unit="0.005") == MarketModel(slippage_bps=D(1), fee_per_unit=D("0.005"))
    wrong: list[dict[str, Any]] = [{"slippage": 0.1}, {"fee_bps": "cheap"}, {"volume_share": 0.5}, {"fee_bps": True}]
    for one in wrong:
        with pytest.raises(InputError, match="a Decimal"):
            MarketModel(**one)


def test_what_no_order_can_be_is_refused_while_the_run_goes_on_and_told() -> None:
    """An order for the day of a crypto pair must not trade in short and fail in the ledger."""
    day = attrs.evolve(buy(), symbol="BTC/USD")
    bars = [bar(number, "100", symbol="BTC/USD") for number in range(4)]
    result = backtest(bars, Planned({0: day, 1: attrs.evolve(day, symbol="btc")}))
    assert not result.orders
    assert result.cash == 100_000
    assert not result.positions
    assert result.warnings[0].startswith("2 proposals were no orders, the first: strategy planned at ")
    assert "expected gtc or ioc" in summary_of(result)
    assert sheet_of(result).notes == result.warnings
    assert list(backtest(bars, Planned({0: day}), at_once=True).orders) == []


def test_the_crossover_trades_pairs_too() -> None:
    walk = [bar(n, str(100 + (n * 7919 % 13) - n % 3), symbol="BTC/USD") for n in range(200)]
    result = backtest(walk, SmaCrossover(3, 9, 1))
    assert len(result.fills) > 10
    assert result.warnings == ()


def test_cash_may_have_more_places_than_prices() -> None:
    """Nine places of a coin times nine of its price are eighteen; the books have them all, the curve the first nine."""
    bars = [bar(number, "27123.456789", symbol="BTC/USD") for number in range(3)]
    part = attrs.evolve(buy("0.123456789"), symbol="BTC/USD", time_in_force=TimeInForce.GTC)
    result = backtest(bars, Planned({0: part}))
    assert result.cash == 100_000 - D("0.123456789") * D("27123.456789")
    assert [equity for _, equity in result.equity] == [100_000] * 3


def test_bars_that_are_not_looked_at_are_told() -> None:
    night = [bar(number, "10", start=OPENING - dt.timedelta(hours=2)) for number in range(3)]
    result = backtest([*night, bar(0, "10"), bar(1, "10")], BuyAndHold(1))
    assert result.warnings == ("3 of 5 bars lie outside of the regular session and were not decided on",)
    assert backtest(night, BuyAndHold(1), market=MarketModel(hours=Hours.ANY)).warnings == ()


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "pandas"])
def test_a_frame_is_bars(kind: str) -> None:
    bars = list(seeded_bars(["AAA", "BBB"], 1, 3))
    frame = frame_of(bars)
    if kind == "pandas":
        pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = frame.to_pandas()
    elif kind == "pyarrow":
        frame = frame.to_arrow()
    expected = backtest(bars, SmaCrossover(5, 20, 10))
    found = backtest(frame, SmaCrossover, parameters={"fast": 5, "slow": 20, "quantity": 10})
    assert list(found.equity) == list(expected.equity)
    assert backtest(frame, "sma", ["BBB"]).config.symbols == ("BBB",)
    with pytest.raises(InputError, match="columns"):
        backtest(frame_of(bars).drop("close"), "sma")


def test_days_and_words_of_frames_are_what_they_say() -> None:
    polars = pytest.importorskip("polars")
    days = [dt.date(2024, 1, day) for day in (2, 3, 4)]
    columns = {"symbol": ["AAA"] * 3, "date": days, **dict.fromkeys(("open", "high", "low", "close"), [10.0] * 3)}
    frame = polars.DataFrame({**columns, "volume": [5] * 3})
    expected = table_of_arrow(frame.to_arrow()).digest
    sorts = frame.with_columns(
        polars.col("symbol").cast(polars.Categorical), polars.col("date").cast(polars.Datetime("us"))
    )
    assert backtest(sorts, BuyAndHold(1)).provenance.digest == expected


def test_strategies_by_file_and_class(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from tradecore.strategies.sma import SmaCrossover\n\n\nclass Mine(SmaCrossover):\n    name = 'mine'\n"
    )
    bars = list(seeded_bars(["AAA"], 1, 3))
    assert backtest(bars, f"{file}:Mine", parameters={"fast": 3, "slow": 9}).config.strategy == "mine"


def test_what_cannot_be_meant_is_one_error() -> None:
    with pytest.raises(InputError, match="cash"):
        backtest([bar(0, "10")], BuyAndHold(1), cash="a lot")
    with pytest.raises(InputError, match="a time with a zone"):
        backtest([bar(0, "10", start=dt.datetime(2024, 1, 2, 15))], BuyAndHold(1))


def test_a_result_is_told_in_a_line() -> None:
    assert repr(backtest([bar(0, "10")], BuyAndHold(1))).startswith(
        "<BacktestResult hold on AAA: 1 bars, equity 100000 after 100000, terms "
    )


def test_bars_of_many_trades_are_in_the_order_of_time(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    seconds = [number * 61 % 7 + number * 61 for number in range(5000)]
    times = pa.array([OPENING + dt.timedelta(seconds=second) for second in seconds], pa.timestamp("us", tz="UTC"))
    rows = {"symbol": ["AAA", "BBB"] * 2500, "timestamp": times, "price": [10.0] * 5000, "size": [1] * 5000}
    parquet.write_table(pa.table(rows), tmp_path / "t.parquet")
    found = bars_of_ticks(tmp_path / "t.parquet", 60)
    expected = sorted({second // 60 * 60 for second in seconds[::2]})
    assert [(one.start - OPENING).total_seconds() for one in found.of("AAA")] == expected
