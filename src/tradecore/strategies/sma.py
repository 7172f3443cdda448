"""Crossover of two simple moving averages of closing prices, long or flat.

The averages are compared as exact sums: fast average above slow average exactly when fast_sum x slow > slow_sum x fast.
A tie is not a cross: the side that was last strictly above stays above until the other is strictly above.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import attrs

from tradecore.domain.values import ZERO, Bar, Side, parse_positive
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea, Portfolio


@attrs.define
class _Average:
    """The last closes of one symbol with their two running sums."""

    closes: deque[Decimal]
    fast_sum: Decimal = ZERO
    slow_sum: Decimal = ZERO
    above: bool | None = None


class SmaCrossover:
    """Buys when the fast average crosses above the slow one, sells what it holds when it crosses below."""

    name = "sma"

    def __init__(self, fast: int = 20, slow: int = 100, quantity: str | int | Decimal = 10) -> None:
        """Averages over `fast` and `slow` bars; orders of `quantity` units. Raises `InputError`."""
        for field, value in (("strategy.parameters.fast", fast), ("strategy.parameters.slow", slow)):
            if type(value) is not int or value < 1:  # settings come as Any, whatever the annotation says
                raise InputError(field, value, "a whole number of bars, at least 1")
        if not fast < slow:
            raise InputError("strategy.parameters.fast", fast, f"fewer bars than slow ({slow})")
        self._fast, self._slow = fast, slow
        self._quantity = parse_positive("strategy.parameters.quantity", quantity)
        self._averages: dict[str, _Average] = {}

    @property
    def warmup_bars(self) -> int:
        """The slow average and some more: the bars before decide which side was above, also after a few ties."""
        return self._slow + 20

    def observe(self, bar: Bar) -> None:
        """Take in a close."""
        self._crossed(bar)

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Take in a close and propose the order that a cross calls for."""
        crossed = self._crossed(bar)
        if crossed is None or portfolio.working(bar.symbol):
            return ()
        target = self._quantity if crossed else ZERO
        change = target - portfolio.position(bar.symbol)
        if not change:
            return ()
        word = "above" if crossed else "below"
        reasoning = f"the {self._fast}-bar average crossed {word} the {self._slow}-bar average at {bar.close}"
        return (Idea(bar.symbol, Side.BUY if change > 0 else Side.SELL, abs(change), reasoning),)

    def _crossed(self, bar: Bar) -> bool | None:
        """True when the fast average just went above, False when it just went below, None otherwise."""
        average = self._averages.get(bar.symbol)
        if average is None:
            average = self._averages[bar.symbol] = _Average(deque(maxlen=self._slow + 1))
        closes = average.closes
        closes.append(bar.close)
        average.fast_sum += bar.close - (closes[-1 - self._fast] if len(closes) > self._fast else ZERO)
        average.slow_sum += bar.close - (closes[0] if len(closes) > self._slow else ZERO)
        if len(closes) < self._slow:
            return None
        fast, slow = average.fast_sum * self._slow, average.slow_sum * self._fast
        before = average.above
        if fast != slow:
            average.above = fast > slow
        return average.above if before is not None and average.above is not before else None
