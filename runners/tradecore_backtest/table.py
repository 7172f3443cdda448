"""Bars by symbol, in memory or, where they are many, in columns of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property

import attrs

from tradecore.domain.nanos import nanoseconds, to_nanos
from tradecore.domain.values import Bar
from tradecore.errors import InputError
from tradecore_backtest.checking import check, refuse_unknown, skipped_warnings
from tradecore_backtest.columns import Chunk, Columns, packed
from tradecore_backtest.filed import PIECE, Stage, pieces_of
from tradecore_backtest.merging import chunks_of_one, merged, slice_size, slices
from tradecore_backtest.spacing import Distances, distances_of


class BarTable:
    """Bars by symbol; their columns are arrays, lists of wider numbers, or lie in a file."""

    def __init__(
        self,
        table: dict[str, Columns],
        name: str = "memory",
        warnings: tuple[str, ...] = (),
        bar_ns: int | None = None,
        *,
        is_checked: bool = False,
    ) -> None:
        """Raises `InputError` for times that do not rise or are no whole seconds, and for impossible prices.

        `is_checked`: whoever made the columns has looked already.
        """
        self._table = {symbol: table[symbol] for symbol in sorted(table) if len(table[symbol])}
        self.symbols = tuple(self._table)
        self.name = name
        self.warnings = warnings
        self.bar_ns = bar_ns
        for symbol, columns in () if is_checked else self._table.items():
            check(symbol, columns)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over symbols and columns."""
        found = hashlib.sha256()
        for symbol, columns in self._table.items():
            found.update(symbol.encode())
            for column in attrs.astuple(columns, recurse=False):
                if isinstance(column, list):
                    found.update(repr(column).encode())
                    continue
                for piece in pieces_of(column):
                    found.update(piece)
        return found.hexdigest()

    def chunks(self) -> Iterator[Chunk]:
        """All bars by (start, symbol)."""
        if len(self.symbols) == 1:
            return chunks_of_one(self._table[self.symbols[0]])
        size = slice_size(len(self.symbols))
        return merged([slices(columns, size) for columns in self._table.values()])

    def of(self, symbol: str) -> Iterator[Bar]:
        """The bars of a symbol by time."""
        columns = self._table.get(symbol, Columns())
        return (columns.bar(symbol, place) for place in range(len(columns)))

    def distances(self) -> dict[str, Distances]:
        """How the bars of every symbol lie in time."""
        return self._distances

    @cached_property
    def _distances(self) -> dict[str, Distances]:
        return {symbol: distances_of(columns.starts) for symbol, columns in self._table.items()}

    def only(self, wanted: frozenset[str]) -> BarTable:
        """The bars of some symbols. Raises `InputError` for one that has none."""
        refuse_unknown(wanted, self.symbols)
        table = {symbol: columns for symbol, columns in self._table.items() if symbol in wanted}
        return BarTable(table, self.name, self.warnings, self.bar_ns, is_checked=True)

    def table(self) -> dict[str, Columns]:
        """All columns, by symbol."""
        return dict(self._table)

    def columns(self, symbol: str) -> Columns:
        """The columns of a symbol."""
        return self._table[symbol]


def table_of(bars: Iterable[Bar], symbols: frozenset[str] | None = None, name: str = "memory") -> BarTable:
    """Bars of the domain as columns. A bar with a price that is no number is left out, and counted in the warnings.

    Raises `InputError` as `BarTable`, and for prices with more than 9 places.
    """
    stage = Stage(6)
    lists: dict[str, tuple[list[int], ...]] = {}
    waiting = 0
    skipped: dict[str, int] = {}
    for bar in bars:
        if symbols is not None and bar.symbol not in symbols:
            continue
        numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        if not all(number.is_finite() for number in numbers):
            skipped[bar.symbol] = skipped.get(bar.symbol, 0) + 1
            continue
        if bar.start.tzinfo is None:
            raise InputError(f"{bar.symbol}: start", bar.start.isoformat(), "a time with a zone")
        into = lists.setdefault(bar.symbol, ([], [], [], [], [], []))
        row = (nanoseconds(bar.start), *(to_nanos(f"{bar.symbol}: price", number) for number in numbers))
        for column, number in zip(into, row, strict=True):
            column.append(number)
        waiting += 1
        if waiting == PIECE:
            _hand_over(lists, stage)
            waiting = 0
    _hand_over(lists, stage)
    found = stage.columns()
    if symbols is not None:
        refuse_unknown(symbols, found)
    table = {symbol: Columns(*columns) for symbol, columns in found.items()}
    return BarTable(table, name, skipped_warnings(skipped))


def _hand_over(lists: dict[str, tuple[list[int], ...]], stage: Stage) -> None:
    for symbol, columns in lists.items():
        stage.add(symbol, [packed(column) for column in columns])
    lists.clear()
