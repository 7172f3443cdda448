"""Bars and ticks that are too many for memory: read a piece at a time, they are what they are as a whole."""

from __future__ import annotations

import datetime as dt
from array import array
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import OPENING, BuyAndHold, Planned, bar, buy, sell
from tests.backtest.test_ticks import quotes, trades
from tradecore.errors import InputError
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest import backtest, open_bars, table_of, ticks
from tradecore_backtest.filed import FileColumn, Stage
from tradecore_backtest.ticks import bars_of_ticks, read_quotes
from tradecore_bars import seeded_bars

HEADER = "symbol,timestamp,open,high,low,close,volume\n"
numbers = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9)


def staged(pieces: list[list[int]], most: int) -> Any:
    stage = Stage(1)
    stage.most = most
    for piece in pieces:
        stage.add("A", [array("q", piece)])
    return stage.columns().get("A", [array("q")])[0]


@given(st.lists(numbers, max_size=6), st.integers(1, 9), st.data())
def test_a_column_in_a_file_is_a_sequence(pieces: list[list[int]], most: int, data: st.DataObject) -> None:
    whole = [number for piece in pieces for number in piece]
    column = staged(pieces, most)
    assert list(column) == whole
    assert len(column) == len(whole)
    assert [column[place] for place in range(-len(whole), len(whole))] == whole + whole
    first, behind = data.draw(st.integers(-10, 60)), data.draw(st.integers(-10, 60))
    assert list(column[first:behind]) == whole[first:behind]


def test_a_long_slice_is_a_view_and_ends_where_it_ends() -> None:
    column = staged([list(range(begin, begin + 50_000)) for begin in range(0, 200_000, 50_000)], 60_000)
    view = column[10:150_010]
    assert isinstance(view, FileColumn)
    assert (view[0], view[-1], len(view)) == (10, 150_009, 150_000)
    assert list(view[149_990:]) == list(range(150_000, 150_010))
    with pytest.raises(IndexError):
        view[150_000]


def test_numbers_that_are_wider_than_a_file_keeps_stay_whole() -> None:
    stage = Stage(2)
    stage.most = 2
    stage.add("A", [array("q", [1, 2, 3]), array("q", [4, 5, 6])])
    stage.add("A", [array("q", [7]), [2**70]])
    assert [list(column) for column in stage.columns()["A"]] == [[1, 2, 3, 7], [4, 5, 6, 2**70]]


def csv_of(path: Path, symbols: list[str]) -> Path:
    rows = [
        f"{one.symbol},{one.start.isoformat()},{one.open},{one.high},{one.low},{one.close},{one.volume}\n"
        for one in seeded_bars(symbols, 1, 3)
    ]
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.mark.parametrize("symbols", [["AAA"], ["AAA", "BBB"]])
def test_a_csv_that_does_not_fit_into_memory_gives_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, symbols: list[str]
) -> None:
    file = csv_of(tmp_path / "bars.csv", symbols)
    expected = backtest(file, SmaCrossover(5, 20, 10))
    monkeypatch.setattr(Stage, "most", 50)
    monkeypatch.setattr("tradecore_backtest.table.PIECE", 7)
    found = backtest(file, SmaCrossover(5, 20, 10))
    assert list(found.equity) == list(expected.equity)
    assert found.provenance == expected.provenance
    assert list(found.fills) == list(expected.fills) != []
    same = table_of(seeded_bars(symbols, 1, 3))
    assert found.provenance.digest == same.digest


def test_csv_rows_without_a_number_are_left_out_and_told(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    rows = ["10,10,10,10,5", "10,,10,10,5", "nan,NaN,nan,nan,nan", "10,10,10,11,"]
    lines = [
        f"AAA,2024-01-02T15:0{minute}:00Z,{row}\n"
        for minute, row in enumerate([*rows, "10,12,10,12,5", "12,12,12,12,5"])
    ]
    file.write_text(HEADER + "".join(lines))
    result = backtest(file, BuyAndHold(1))
    assert result.provenance.warnings == ("AAA: 3 rows without a price were left out",)
    assert [fill.at.minute for fill in result.fills] == [5]
    file.write_text(HEADER + lines[0] + lines[1].replace("10,,10,10,5", "10,cheap,10,10,5"))
    with pytest.raises(InputError, match="row 3: high"):
        backtest(file, BuyAndHold(1))


deals = st.lists(st.tuples(st.integers(0, 9), st.integers(900, 1100), st.integers(1, 9)), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None)
@given(deals, st.integers(1, 7))
def test_bars_do_not_depend_on_where_a_piece_of_the_trades_ends(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, int, int]], size: int
) -> None:
    at, deals = 0, []
    for wait, cents, count in told:
        at += wait
        deals.append((at, f"{cents / 100:.2f}", count))
    file = trades(tmp_path_factory.mktemp("t") / "t.parquet", deals)
    expected = list(bars_of_ticks(file, 5).of("AAA"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticks, "_PIECE", size)
        patch.setattr(Stage, "most", 3)
        assert list(open_bars(file, bar_seconds=5).of("AAA")) == expected
    assert sum(one.volume for one in expected) == sum(count for _, _, count in deals)


def test_quotes_in_a_file_of_columns_fill_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = [bar(number, "10") for number in range(30)]
    told = [(second, f"{10 + second % 7 / 100:.2f}", f"{10.1 + second % 5 / 100:.2f}") for second in range(0, 1800, 3)]
    file = quotes(tmp_path / "q.parquet", told)
    plan = {1: buy(), 4: sell(), 5: buy(), 20: sell()}
    expected = list(backtest(bars, Planned(plan), quotes=file).fills)
    monkeypatch.setattr(ticks, "_PIECE", 11)
    monkeypatch.setattr(Stage, "most", 40)
    assert isinstance(read_quotes(file)["AAA"].times, FileColumn)
    assert list(backtest(bars, Planned(plan), quotes=file).fills) == expected
    assert len(expected) == 4
    assert expected[0].at == OPENING + dt.timedelta(seconds=123)
    assert expected[0].price == Decimal("10.1") + Decimal(123 % 5) / 100


def test_ticks_that_go_back_between_two_pieces_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks, "_PIECE", 2)
    file = trades(tmp_path / "t.parquet", [(0, "10", 1), (5, "10", 1), (4, "10", 1), (6, "10", 1)])
    with pytest.raises(InputError, match="order of time"):
        bars_of_ticks(file, 1)
