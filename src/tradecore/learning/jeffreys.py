"""The Jeffreys interval of a share: what a base rate may really be after so few cases."""

from __future__ import annotations

import math

from tradecore.learning.resampling import Interval

_TINY = 1e-300
_STEPS = 300


def jeffreys(hits: int, count: int) -> Interval:
    """The central 95 % of Beta(hits + 1/2, misses + 1/2); 0 and 1 are kept as ends where nothing speaks against them.

    Brown, Cai, DasGupta, Statistical Science 16 (2001).
    """
    a, b = hits + 0.5, count - hits + 0.5
    low = 0.0 if hits == 0 else _quantile(a, b, 0.025)
    high = 1.0 if hits == count else _quantile(a, b, 0.975)
    return Interval(low, high)


def _quantile(a: float, b: float, share: float) -> float:
    """By halving: the distribution function grows."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if _beta(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function (Abramowitz and Stegun 26.5.8, by Lentz's method)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / _safe(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / _safe(1.0 + term * d)
            c = _safe(1.0 + term / c)
            value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return front * value


def _safe(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
