"""Bars as columns of whole numbers, and chunks of them in the order of time."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import attrs

from tradecore.domain.nanos import NANO, from_nanos, instant, nanoseconds, to_nanos
from tradecore.domain.values import Bar
from tradecore_backtest.checking import check, refuse_unknown, skipped_warnings
from tradecore_backtest.spacing import Distances, distances_of

CHUNK = 8192
_SECOND = NANO

Numbers = Sequence[int]


@attrs.define
class Columns:
    """Bars of one symbol by time: starts in nanoseconds since 1970, prices and volumes in billionths."""

    starts: Numbers = attrs.field(factory=lambda: array("q"))
    opens: Numbers = attrs.field(factory=lambda: array("q"))
    highs: Numbers = attrs.field(factory=lambda: array("q"))
    lows: Numbers = attrs.field(factory=lambda: array("q"))
    closes: Numbers = attrs.field(factory=lambda: array("q"))
    volumes: Numbers = attrs.field(factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.starts)

    def bar(self, symbol: str, place: int) -> Bar:
        """One bar as the domain has it."""
        return make_bar(
            symbol,
            self.starts[place],
            self.opens[place],
            self.highs[place],
            self.lows[place],
            self.closes[place],
            self.volumes[place],
        )


def make_bar(symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> Bar:
    """A bar out of whole numbers."""
    return Bar(
        symbol,
        instant(start),
        from_nanos(open_),
        from_nanos(high),
        from_nanos(low),
        from_nanos(close),
        from_nanos(volume),
    )


@attrs.frozen
class Chunk:
    """Bars by (start, symbol). `codes` are places in the tuple of symbols; None when there is only one."""

    codes: list[int] | None
    starts: list[int]
    opens: list[int]
    highs: list[int]
    lows: list[int]
    closes: list[int]
    volumes: list[int]


class BarSource(Protocol):
    """Bars that a backtest runs over, once or several times."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What has bars, sorted."""

    @property
    def name(self) -> str:
        """Where they came from, for people."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out, and why."""

    @property
    def digest(self) -> str:
        """SHA-256 of what was read."""

    @property
    def bar_ns(self) -> int | None:
        """The length of a bar where it is known, in nanoseconds; None to tell it from the distances."""

    def distances(self) -> dict[str, Distances]:
        """How the bars of every symbol lie in time."""

    def chunks(self) -> Iterator[Chunk]:
        """All bars by (start, symbol)."""

    def of(self, symbol: str) -> Iterator[Bar]:
        """The bars of a symbol by time."""


class BarTable:
    """Bars in memory, by symbol."""

    def __init__(
        self,
        table: dict[str, Columns],
        name: str = "memory",
        warnings: tuple[str, ...] = (),
        bar_ns: int | None = None,
    ) -> None:
        """Raises `InputError` for times that do not rise or are no whole seconds, and for impossible prices."""
        self._table = {symbol: table[symbol] for symbol in sorted(table) if len(table[symbol])}
        self.symbols = tuple(self._table)
        self.name = name
        self.warnings = warnings
        self.bar_ns = bar_ns
        for symbol, columns in self._table.items():
            check(symbol, columns)

    @property
    def digest(self) -> str:
        """SHA-256 over symbols and columns."""
        found = hashlib.sha256()
        for symbol, columns in self._table.items():
            found.update(symbol.encode())
            for column in attrs.astuple(columns, recurse=False):
                found.update(column if isinstance(column, array) else repr(column).encode())
        return found.hexdigest()

    def chunks(self) -> Iterator[Chunk]:
        """All bars by (start, symbol)."""
        if len(self.symbols) == 1:
            yield from _chunks_of_one(self._table[self.symbols[0]])
        elif self.symbols:
            yield from self._merged()

    def of(self, symbol: str) -> Iterator[Bar]:
        """The bars of a symbol by time."""
        columns = self._table.get(symbol, Columns())
        return (columns.bar(symbol, place) for place in range(len(columns)))

    def distances(self) -> dict[str, Distances]:
        """How the bars of every symbol lie in time."""
        return {symbol: distances_of(columns.starts) for symbol, columns in self._table.items()}

    def only(self, wanted: frozenset[str]) -> BarTable:
        """The bars of some symbols. Raises `InputError` for one that has none."""
        refuse_unknown(wanted, self.symbols)
        table = {symbol: columns for symbol, columns in self._table.items() if symbol in wanted}
        return BarTable(table, self.name, self.warnings, self.bar_ns)

    def columns(self, symbol: str) -> Columns:
        """The columns of a symbol."""
        return self._table[symbol]

    def _merged(self) -> Iterator[Chunk]:
        """Every symbol's bars are in order already, so sorting is a merge."""
        count = len(self.symbols)
        keys = [
            start // _SECOND * count + code
            for code, columns in enumerate(self._table.values())
            for start in columns.starts
        ]
        keys.sort()
        following = [
            zip(c.starts, c.opens, c.highs, c.lows, c.closes, c.volumes, strict=True) for c in self._table.values()
        ]
        for begin in range(0, len(keys), CHUNK):
            codes = [key % count for key in keys[begin : begin + CHUNK]]
            rows = [next(following[code]) for code in codes]
            starts, opens, highs, lows, closes, volumes = map(list, zip(*rows, strict=True))
            yield Chunk(codes, starts, opens, highs, lows, closes, volumes)


def _chunks_of_one(columns: Columns) -> Iterator[Chunk]:
    for begin in range(0, len(columns), CHUNK):
        piece = slice(begin, begin + CHUNK)
        yield Chunk(
            None,
            list(columns.starts[piece]),
            list(columns.opens[piece]),
            list(columns.highs[piece]),
            list(columns.lows[piece]),
            list(columns.closes[piece]),
            list(columns.volumes[piece]),
        )


def packed(numbers: Iterable[int]) -> Numbers:
    """Whole numbers in 8 bytes each where they fit."""
    listed = list(numbers)
    try:
        return array("q", listed)
    except OverflowError:
        return listed


def table_of(bars: Iterable[Bar], symbols: frozenset[str] | None = None, name: str = "memory") -> BarTable:
    """Bars of the domain as columns. A bar with a price that is no number is left out, and counted in the warnings.

    Raises `InputError` as `BarTable`, and for prices with more than 9 places.
    """
    lists: dict[str, tuple[list[int], ...]] = {}
    skipped: dict[str, int] = {}
    for bar in bars:
        if symbols is not None and bar.symbol not in symbols:
            continue
        numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        if not all(number.is_finite() for number in numbers):
            skipped[bar.symbol] = skipped.get(bar.symbol, 0) + 1
            continue
        into = lists.setdefault(bar.symbol, ([], [], [], [], [], []))
        row = (nanoseconds(bar.start), *(to_nanos(f"{bar.symbol}: price", number) for number in numbers))
        for column, number in zip(into, row, strict=True):
            column.append(number)
    if symbols is not None:
        refuse_unknown(symbols, lists)
    table = {symbol: Columns(*map(packed, columns)) for symbol, columns in lists.items()}
    return BarTable(table, name, skipped_warnings(skipped))
