"""Bars that are read piece by piece are the bars of the file, in whole moments."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import OPENING, bar
from tradecore.domain.values import Bar, Side
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea, Portfolio
from tradecore_backtest import BarTable, backtest, table_of
from tradecore_backtest.columns import CHUNK, Chunk
from tradecore_backtest.parquet import read_parquet
from tradecore_backtest.streaming import ParquetBars

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

minutes = st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True).map(sorted)


def written(path: Path, bars: list[Bar], *, group: int = 7, times: list[Any] | None = None) -> Path:
    """A file of small row groups, in the order given."""
    columns = {
        "symbol": [one.symbol for one in bars],
        "timestamp": pa.array(times or [one.start for one in bars], pa.timestamp("us", tz="UTC")),
        **{name: [float(getattr(one, name)) for one in bars] for name in ("open", "high", "low", "close", "volume")},
    }
    parquet.write_table(pa.table(columns), path, row_group_size=group)
    return path


def rows(chunks: Iterator[Chunk], symbols: tuple[str, ...]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for chunk in chunks:
        codes = chunk.codes or [0] * len(chunk.starts)
        names = [symbols[code] for code in codes]
        found += zip(
            names, chunk.starts, chunk.opens, chunk.highs, chunk.lows, chunk.closes, chunk.volumes, strict=True
        )
    return found


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.sampled_from(["AAA", "BBB", "CC"]), minutes, min_size=1), st.booleans(), st.integers(1, 12))
def test_pieces_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, list[int]], by_time: bool, group: int
) -> None:
    bars = [bar(minute, str(10 + minute % 7), symbol=symbol) for symbol, all_ in told.items() for minute in all_]
    if by_time:
        bars.sort(key=lambda one: (one.start, one.symbol))
    file = written(tmp_path_factory.mktemp("bars") / "bars.parquet", bars, group=group)
    whole, pieces = read_parquet(file), ParquetBars(file)
    assert (pieces.symbols, pieces.distances()) == (whole.symbols, whole.distances())
    assert rows(pieces.chunks(), pieces.symbols) == rows(whole.chunks(), whole.symbols)
    assert [list(pieces.of(name)) for name in whole.symbols] == [list(whole.of(name)) for name in whole.symbols]


def test_a_moment_is_never_cut_in_two() -> None:
    symbols = [f"S{chr(65 + number)}" for number in range(7)]
    bars = [bar(number, "10", symbol=name) for name in symbols for number in range(CHUNK // 3)]
    chunks = list(table_of(bars).chunks())
    assert len(chunks) > 1
    for before, behind in itertools.pairwise(chunks):
        assert before.starts[-1] < behind.starts[0]


class Pair:
    """At every bar of AAA: buys the other symbol, whose bar of the same moment is known, or not yet."""

    name = "pair"
    warmup_bars = 0

    def observe(self, bar: Bar) -> None:
        """Nothing to learn."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """One unit of the other."""
        return (Idea("ZZZ", Side.BUY, Decimal(1), "pair"),) if bar.symbol == "AAA" else ()


def test_an_order_for_another_symbol_never_trades_in_the_moment_that_it_was_placed_at() -> None:
    start = OPENING - dt.timedelta(days=1)
    count = CHUNK // 2 + 10
    bars = [bar(number, "10", symbol=name, start=start) for name in ("AAA", "BBB", "ZZZ") for number in range(count)]
    result = backtest(table_of([one for one in bars if one.symbol != "BBB" or one.start > start]), Pair())
    placed = {order.order_id: order.placed_at for order in result.orders}
    assert result.fills
    assert all(fill.at > placed[fill.order_id] for fill in result.fills)


def test_what_is_wrong_in_a_later_piece_is_told_before_the_run(tmp_path: Path) -> None:
    bars = [bar(number, "10") for number in range(20)]
    file = written(tmp_path / "a.parquet", bars, times=[one.start for one in bars[:15]] + [bars[3].start] * 5)
    with pytest.raises(InputError, match="AAA: start"):
        ParquetBars(file)
    file = written(tmp_path / "b.parquet", [*bars[:15], bar(15, "10", "9", "8", "9")])
    with pytest.raises(InputError, match="low <= open"):
        ParquetBars(file)
    with pytest.raises(InputError, match="symbols that have bars"):
        ParquetBars(written(tmp_path / "c.parquet", bars), frozenset({"BBB"}))


def test_rows_without_a_price_are_left_out_and_told(tmp_path: Path) -> None:
    bars = [bar(number, "NaN" if number == 9 else "10") for number in range(20)]
    pieces = ParquetBars(written(tmp_path / "bars.parquet", bars))
    assert pieces.warnings == ("AAA: 1 rows without a price were left out",)
    assert pieces.distances()["AAA"].count == 19


def test_a_run_over_pieces_is_the_run_over_the_whole(tmp_path: Path) -> None:
    bars = sorted((bar(n, str(10 + n % 5), symbol=s) for s in ("AAA", "ZZZ") for n in range(60)), key=lambda b: b.start)
    file = written(tmp_path / "bars.parquet", bars)
    whole: BarTable = read_parquet(file)
    results = [backtest(source, Pair()) for source in (whole, ParquetBars(file))]
    assert list(results[0].equity) == list(results[1].equity)
    assert results[0].cash == results[1].cash
