"""Indicators against polars, and against their definitions where polars has none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.strategies.indicators import Atr, Bollinger, Deviation, Ema, Highest, Lowest, Rsi, Sma
from tradecore.strategies.timeframes import Longer, Timeframe

pl = pytest.importorskip("polars")
prices = st.lists(st.integers(10**9, 10**12), min_size=1, max_size=60)
lengths = st.integers(2, 12)


def same(found: Sequence[float | None], wanted: Sequence[float | None]) -> None:
    assert [one is None for one in found] == [one is None for one in wanted]
    assert [one for one in found if one is not None] == pytest.approx([one for one in wanted if one is not None])


@given(prices, lengths)
def test_against_polars(numbers: list[int], length: int) -> None:
    series = pl.Series(numbers, dtype=pl.Float64)
    sma, deviation, sample = Sma(length), Deviation(length), Deviation(length, ddof=1)
    same([sma.update(one) for one in numbers], series.rolling_mean(length).to_list())
    same([deviation.update(one) for one in numbers], series.rolling_std(length, ddof=0).to_list())
    same([sample.update(one) for one in numbers], series.rolling_std(length, ddof=1).to_list())
    highest, lowest = Highest(length), Lowest(length)
    same([highest.update(one) for one in numbers], series.rolling_max(length).to_list())
    same([lowest.update(one) for one in numbers], series.rolling_min(length).to_list())
    ema = Ema(length)
    smooth = series.ewm_mean(span=length, adjust=False, min_samples=length).to_list()
    same([ema.update(one) for one in numbers], smooth)
    bands = Bollinger(length)
    mean, std = series.rolling_mean(length), series.rolling_std(length, ddof=0)
    found = [bands.update(one) for one in numbers]
    same([one and one[0] for one in found], (mean - 2 * std).to_list())
    same([one and one[2] for one in found], (mean + 2 * std).to_list())


def wilder(numbers: Sequence[float], length: int) -> float:
    average = sum(numbers[:length]) / length
    for number in numbers[length:]:
        average = (average * (length - 1) + number) / length
    return average


@given(prices, lengths)
def test_rsi_by_its_definition(numbers: list[int], length: int) -> None:
    rsi = Rsi(length)
    found = [rsi.update(one) for one in numbers][-1]
    moves = [behind - before for before, behind in itertools.pairwise(numbers)]
    if len(moves) < length:
        assert found is None
        return
    gain, loss = (wilder([max(0, sign * move) for move in moves], length) for sign in (1, -1))
    assert found == pytest.approx(100 - 100 / (1 + gain / loss) if loss else 100.0 if gain else 50.0)


@given(st.lists(st.tuples(st.integers(50, 99), st.integers(1, 40), st.integers(40, 50)), min_size=1), lengths)
def test_atr_by_its_definition(bars: list[tuple[int, int, int]], length: int) -> None:
    atr = Atr(length)
    found = [atr.update(*bar) for bar in bars][-1]
    pairs = itertools.pairwise(bars)
    ranges = [max(high - low, abs(high - before), abs(low - before)) for (_, _, before), (high, low, _) in pairs]
    assert found == (pytest.approx(wilder(ranges, length)) if len(ranges) >= length else None)


def test_a_longer_bar_is_shown_when_it_has_ended_and_not_before() -> None:
    minute, frame = 60 * 10**9, Timeframe(180)
    assert frame.update(0, 5, 7, 4, 6, 1) == ()
    assert frame.update(minute, 6, 9, 6, 8, 1) == ()
    assert frame.update(2 * minute, 8, 8, 3, 4, 1) == (Longer(0, 5, 9, 3, 4, 3),)
    assert frame.update(4 * minute, 4, 4, 4, 4, 1) == ()
    late = frame.update(8 * minute, 5, 5, 5, 5, 2)
    assert late == (Longer(3 * minute, 4, 4, 4, 4, 1), Longer(6 * minute, 5, 5, 5, 5, 2))
