"""Bars as columns of whole numbers, and chunks of them in the order of time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import attrs

from tradecore.domain.nanos import from_nanos, instant
from tradecore.domain.values import Bar
from tradecore_backtest.spacing import Distances

CHUNK = 8192

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

    def between(self, first: int, behind: int) -> Columns:
        """Some of the bars."""
        places = slice(first, behind)
        return Columns(
            self.starts[places], self.opens[places], self.highs[places], self.lows[places], self.closes[places],
            self.volumes[places],
        )  # fmt: skip

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

    def table(self) -> dict[str, Columns]:
        """All bars as columns, by symbol."""


def packed(numbers: Iterable[int]) -> Numbers:
    """Whole numbers in 8 bytes each where they fit."""
    listed = list(numbers)
    try:
        return array("q", listed)
    except OverflowError:
        return listed
