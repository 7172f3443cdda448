"""The bars of a window, and the ones before it that a strategy wants to have seen."""

from __future__ import annotations

import datetime as dt
import heapq
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

import attrs

from tradecore.domain.nanos import nanoseconds
from tradecore.domain.values import Bar
from tradecore.errors import InputError
from tradecore_backtest.api import open_bars
from tradecore_backtest.columns import Columns
from tradecore_backtest.spacing import spacing_of
from tradecore_backtest.table import BarTable
from tradecore_sweep.study import Window


@lru_cache(maxsize=1)
def table_of(path: str, symbols: tuple[str, ...] | None, bar_seconds: int = 60) -> BarTable:
    """The bars of a file, or of its ticks, read once in each process. Raises `InputError`."""
    source = open_bars(path, symbols, bar_seconds=bar_seconds)
    return BarTable(
        source.table(),
        source.name,
        source.warnings,
        spacing_of(source.distances(), source.bar_ns).bar_ns,  # a short window must not guess another length of bar
        is_checked=True,
    )


def windowed(table: BarTable, window: Window) -> BarTable:
    """The bars that start within a window. Raises `InputError` when there are none."""
    if window == Window():
        return table
    cut = {symbol: _cut(table.columns(symbol), window) for symbol in table.symbols}
    found = {symbol: columns for symbol, columns in cut.items() if len(columns)}
    if not found:
        raise InputError("window", str(window), "a window with bars in it")
    return BarTable(found, f"{table.name} {window}", table.warnings, table.bar_ns)


def before(table: BarTable, window: Window, count: int) -> Iterator[Bar]:
    """The last `count` bars of each symbol before a window, by time."""
    if window.start is None or not count:
        return iter(())
    start = nanoseconds(window.start)

    def last(symbol: str) -> Iterator[Bar]:
        columns = table.columns(symbol)
        end = bisect_left(columns.starts, start)
        return (columns.bar(symbol, place) for place in range(max(end - count, 0), end))

    return heapq.merge(*(last(symbol) for symbol in table.symbols), key=_order)


def _order(bar: Bar) -> tuple[dt.datetime, str]:
    return bar.start, bar.symbol


def _cut(columns: Columns, window: Window) -> Columns:
    begin = 0 if window.start is None else bisect_left(columns.starts, nanoseconds(window.start))
    end = len(columns) if window.end is None else bisect_left(columns.starts, nanoseconds(window.end))
    return Columns(*(column[begin:end] for column in attrs.astuple(columns, recurse=False)))
