"""Mean, deviation, skewness, kurtosis and quantiles of a sample of returns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tradecore.metrics.figure import NotDefined, Real

_NOISE = 1e-15  # below this a deviation of returns is rounding, not risk


def mean(values: Sequence[float]) -> Real:
    """Arithmetic mean."""
    return math.fsum(values) / len(values) if values else NotDefined("no returns")


def deviation(values: Sequence[float]) -> Real:
    """Sample standard deviation (n - 1). Not defined without variance, since it is there to be divided by."""
    if len(values) < 2:
        return NotDefined(f"{len(values)} returns are fewer than two")
    middle = math.fsum(values) / len(values)
    found = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))
    return found if found > _NOISE else NotDefined("the returns do not vary")


def skewness(values: Sequence[float]) -> Real:
    """Adjusted Fisher-Pearson coefficient G1 (Joanes and Gill 1998), as pandas and Excel have it."""
    count = len(values)
    if count < 3:
        return NotDefined(f"{count} returns are fewer than three")
    central = _central(values)
    if isinstance(central, NotDefined):
        return central
    second, third, _ = central
    return third / float(second**1.5) * math.sqrt(count * (count - 1)) / (count - 2)


def kurtosis(values: Sequence[float]) -> Real:
    """Excess kurtosis G2 (Joanes and Gill 1998): 0 for the normal distribution."""
    count = len(values)
    if count < 4:
        return NotDefined(f"{count} returns are fewer than four")
    central = _central(values)
    if isinstance(central, NotDefined):
        return central
    second, _, fourth = central
    excess = fourth / second**2 - 3
    return ((count + 1) * excess + 6) * (count - 1) / ((count - 2) * (count - 3))


def quantile(values: Sequence[float], share: float) -> Real:
    """Linear interpolation between order statistics (Hyndman and Fan 1996, type 7)."""
    if not values:
        return NotDefined("no returns")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _central(values: Sequence[float]) -> tuple[float, float, float] | NotDefined:
    """The second to fourth central moments (n)."""
    spread = deviation(values)
    if isinstance(spread, NotDefined):
        return spread
    count = len(values)
    middle = math.fsum(values) / count
    second, third, fourth = (math.fsum((value - middle) ** power for value in values) / count for power in (2, 3, 4))
    return second, third, fourth
