"""A strategy that takes in every bar as whole numbers and is asked for ideas only when there may be something to say.

The rule for ties: prices are taken to nine places, half even where there are more, and as whole billionths everything
a strategy adds, multiplies and compares is exact. Equal means equal.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tradecore.domain.nanos import nanoseconds, rounded_nanos
from tradecore.domain.values import Bar
from tradecore.ports.strategy import Idea, Portfolio, Strategy


@runtime_checkable
class Glancer(Strategy, Protocol):
    """A strategy that a backtest may show numbers instead of bars."""

    def glance(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        """Take in a bar: `start` in nanoseconds since 1970, the rest in billionths. True to be asked."""

    def propose(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """What to do at the bar that was glanced at last."""


class Glancing:
    """The strategy port for a class that has `glance` and `propose`: the same code live, replayed and in a backtest."""

    def observe(self, bar: Bar) -> None:
        """Take in a bar without proposing."""
        self._look(bar)

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Take in a bar and propose."""
        return self.propose(bar, portfolio) if self._look(bar) else ()

    def glance(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        """Take in a bar; True when `propose` may have ideas."""
        raise NotImplementedError

    def propose(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """What to do at the bar that was glanced at last."""
        raise NotImplementedError

    def _look(self, bar: Bar) -> bool:
        numbers = (rounded_nanos(number) for number in (bar.open, bar.high, bar.low, bar.close, bar.volume))
        return self.glance(bar.symbol, nanoseconds(bar.start), *numbers)
