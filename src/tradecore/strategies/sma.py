"""Crossover of two simple moving averages of closing prices, long or flat.

The averages are compared as exact sums: fast average above slow average exactly when fast_sum x slow > slow_sum x fast.
Closes are whole billionths, so both products are exact. A tie is not a cross: the side that was last strictly above
stays above until the other is strictly above.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from tradecore.domain.values import ZERO, Bar, Side, TimeInForce, parse_positive
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.strategies.glancing import Glancing


class _Average:
    """The last closes of one symbol, in billionths, with their two running sums."""

    __slots__ = ("above", "closes", "fast_sum", "slow_sum")

    def __init__(self, slow: int) -> None:
        self.closes: deque[int] = deque(maxlen=slow)
        self.fast_sum = 0
        self.slow_sum = 0
        self.above: bool | None = None


class SmaCrossover(Glancing):
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

    def glance(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        """Take in a close; True at a cross."""
        average = self._averages.get(symbol)
        if average is None:
            average = self._averages[symbol] = _Average(self._slow)
        closes = average.closes
        if len(closes) < self._slow:
            return self._fill_up(average, close)
        fast = average.fast_sum = average.fast_sum + close - closes[-self._fast]
        slow = average.slow_sum = average.slow_sum + close - closes[0]
        closes.append(close)
        above = fast * self._slow > slow * self._fast
        before = average.above
        if above is before or (not above and fast * self._slow == slow * self._fast):
            return False
        average.above = above
        return before is not None

    def propose(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """The order that the cross calls for."""
        if portfolio.working(bar.symbol):
            return ()
        above = self._averages[bar.symbol].above
        target = self._quantity if above else ZERO
        change = target - portfolio.position(bar.symbol)
        if not change:
            return ()
        word = "above" if above else "below"
        reasoning = f"the {self._fast}-bar average crossed {word} the {self._slow}-bar average at {bar.close}"
        side, force = Side.BUY if change > 0 else Side.SELL, TimeInForce.GTC if "/" in bar.symbol else TimeInForce.DAY
        return (Idea(bar.symbol, side, abs(change), reasoning, time_in_force=force),)

    def _fill_up(self, average: _Average, close: int) -> bool:
        """A close before there are enough for the slow average; the last of them tells which is above."""
        closes = average.closes
        if len(closes) >= self._fast:
            average.fast_sum -= closes[-self._fast]
        closes.append(close)
        average.fast_sum += close
        average.slow_sum += close
        fast, slow = average.fast_sum * self._slow, average.slow_sum * self._fast
        if len(closes) == self._slow and fast != slow:
            average.above = fast > slow
        return False
