"""Indicators that take one number at a time and cost the same however long they run.

They are fed whole billionths (what `glance` gets). Where a result is a ratio it is a float; sums, extremes and what is
compared with them stay whole numbers, so ties are decided exactly. None until there are enough numbers.
"""

from __future__ import annotations

import math
from collections import deque

from tradecore.errors import InputError


def _length(length: int, least: int = 1) -> int:
    if type(length) is not int or length < least:
        raise InputError("length", length, f"a whole number, at least {least}")
    return length


class Sma:
    """Simple moving average. `total` is the exact sum: compare `a.total * b.length > b.total * a.length`."""

    __slots__ = ("_last", "length", "total")

    def __init__(self, length: int) -> None:
        self.length = _length(length)
        self.total = 0
        self._last: deque[int] = deque(maxlen=length)

    def update(self, number: int) -> float | None:
        """Take in a number; the average, or None."""
        last = self._last
        if len(last) == self.length:
            self.total -= last[0]
        last.append(number)
        self.total += number
        return self.value

    @property
    def value(self) -> float | None:
        """The average, or None."""
        return self.total / self.length if len(self._last) == self.length else None


class Ema:
    """Exponential moving average: weight 2 / (length + 1), begun with the first number."""

    __slots__ = ("_count", "_weight", "length", "raw")

    def __init__(self, length: int) -> None:
        self.length = _length(length)
        self._weight = 2 / (length + 1)
        self._count = 0
        self.raw = 0.0

    def update(self, number: float) -> float | None:
        """Take in a number; the average, or None for the first `length` - 1."""
        self.raw = number if not self._count else self.raw + self._weight * (number - self.raw)
        self._count += 1
        return self.value

    @property
    def value(self) -> float | None:
        """The average, or None."""
        return self.raw if self._count >= self.length else None


class _Wilder:
    """Wilder's average: the plain mean of the first `length` numbers, then 1/length of each further one."""

    __slots__ = ("_count", "_length", "_raw")

    def __init__(self, length: int) -> None:
        self._length, self._count, self._raw = length, 0, 0.0

    def update(self, number: float) -> float | None:
        self._count += 1
        if self._count <= self._length:
            self._raw += (number - self._raw) / self._count
        else:
            self._raw += (number - self._raw) / self._length
        return self._raw if self._count >= self._length else None


class Rsi:
    """Relative strength index after Wilder, 0 to 100; 50 when nothing moved."""

    __slots__ = ("_before", "_gains", "_losses", "value")

    def __init__(self, length: int = 14) -> None:
        self._gains, self._losses = _Wilder(_length(length)), _Wilder(length)
        self._before: int | None = None
        self.value: float | None = None

    def update(self, number: int) -> float | None:
        """Take in a number; the index, or None."""
        before, self._before = self._before, number
        if before is not None:
            gain = self._gains.update(max(0, number - before))
            loss = self._losses.update(max(0, before - number))
            if gain is not None and loss is not None:
                self.value = 100 * gain / (gain + loss) if gain + loss else 50.0
        return self.value


class Atr:
    """Average true range after Wilder; the first bar has no true range."""

    __slots__ = ("_average", "_close", "value")

    def __init__(self, length: int = 14) -> None:
        self._average = _Wilder(_length(length))
        self._close: int | None = None
        self.value: float | None = None

    def update(self, high: int, low: int, close: int) -> float | None:
        """Take in a bar; the average, or None."""
        before, self._close = self._close, close
        if before is not None:
            self.value = self._average.update(max(high, before) - min(low, before))
        return self.value


class Deviation:
    """Standard deviation of the last numbers, of the population (`ddof` 0) or of a sample (1); from exact sums."""

    __slots__ = ("_last", "_squares", "_total", "ddof", "length")

    def __init__(self, length: int, ddof: int = 0) -> None:
        self.length, self.ddof = _length(length, 2), ddof
        self._total = self._squares = 0
        self._last: deque[int] = deque(maxlen=length)

    def update(self, number: int) -> float | None:
        """Take in a number; the deviation, or None."""
        last = self._last
        if len(last) == self.length:
            gone = last[0]
            self._total -= gone
            self._squares -= gone * gone
        last.append(number)
        self._total += number
        self._squares += number * number
        return self.value

    @property
    def mean(self) -> float | None:
        """The average of the same numbers, or None."""
        return self._total / self.length if len(self._last) == self.length else None

    @property
    def value(self) -> float | None:
        """The deviation, or None."""
        count = self.length
        if len(self._last) < count:
            return None
        return math.sqrt((count * self._squares - self._total * self._total) / (count * (count - self.ddof)))


class Bollinger:
    """Average and bands `width` standard deviations (of the population) below and above it."""

    __slots__ = ("_deviation", "width")

    def __init__(self, length: int = 20, width: float = 2.0) -> None:
        self._deviation = Deviation(length)
        self.width = width

    def update(self, number: int) -> tuple[float, float, float] | None:
        """Take in a number; lower band, average, upper band, or None."""
        deviation, mean = self._deviation.update(number), self._deviation.mean
        if deviation is None or mean is None:
            return None
        return mean - self.width * deviation, mean, mean + self.width * deviation


class Highest:
    """The highest of the last numbers, exactly, at a cost that does not grow with their count."""

    __slots__ = ("_count", "_peaks", "length")
    _sign = 1

    def __init__(self, length: int) -> None:
        self.length = _length(length)
        self._count = 0
        self._peaks: deque[tuple[int, int]] = deque()

    def update(self, number: int) -> int | None:
        """Take in a number; the extreme, or None."""
        peaks, signed = self._peaks, self._sign * number
        while peaks and peaks[-1][1] <= signed:
            peaks.pop()
        peaks.append((self._count, signed))
        self._count += 1
        if peaks[0][0] <= self._count - 1 - self.length:
            peaks.popleft()
        return self.value

    @property
    def value(self) -> int | None:
        """The extreme, or None."""
        return self._sign * self._peaks[0][1] if self._count >= self.length else None


class Lowest(Highest):
    """The lowest of the last numbers."""

    __slots__ = ()
    _sign = -1
