"""Proper scores of probability forecasts of yes and no, in plain Python. Forecasts are from 0 to 1.

Lower is better for both. A forecast of 0 or 1 that failed costs the logarithmic score infinity, so forecasts are
clipped there, and how many were is told.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import attrs

_CLIP = 2.0**-52  # the distance of 1.0 to the next float, as scikit-learn has it
_BINS = 10


@attrs.frozen
class Forecast:
    """What was said, and what became of it."""

    probability: float
    came_true: bool


@attrs.frozen
class LogLoss:
    """The mean logarithmic score in nats, and how many forecasts were clipped for it."""

    value: float
    clipped: int


def brier(forecasts: Sequence[Forecast]) -> float:
    """Mean squared distance of forecast and outcome (Brier 1950)."""
    return _mean([(one.probability - one.came_true) ** 2 for one in forecasts])


def log_loss(forecasts: Sequence[Forecast]) -> LogLoss:
    """Mean of minus the logarithm of what was said of the side that came true (Good 1952)."""
    clipped = [min(max(one.probability, _CLIP), 1.0 - _CLIP) for one in forecasts]
    losses = [-math.log(p if one.came_true else 1.0 - p) for p, one in zip(clipped, forecasts, strict=True)]
    changed = sum(p != one.probability for p, one in zip(clipped, forecasts, strict=True))
    return LogLoss(_mean(losses), changed)


def base_rate(forecasts: Sequence[Forecast]) -> float:
    """The share that came true."""
    return _mean([float(one.came_true) for one in forecasts])


def skill(forecasts: Sequence[Forecast]) -> float | None:
    """Brier skill against always saying the base rate of the same forecasts; None where that is never wrong."""
    rate = base_rate(forecasts)
    reference = rate * (1.0 - rate)
    return None if reference == 0.0 else 1.0 - brier(forecasts) / reference


def calibration_error(forecasts: Sequence[Forecast], bins: int = _BINS) -> float:
    """Expected calibration error over bins of equal width; never zero by chance alone, so show it beside its null."""
    width = 1.0 / bins
    edges = [number * width for number in range(1, bins)]
    found: dict[int, list[Forecast]] = {}
    for one in forecasts:
        found.setdefault(bisect_left(edges, one.probability), []).append(one)
    gaps = [abs(math.fsum(one.probability - one.came_true for one in group)) for group in found.values()]
    return math.fsum(gaps) / _size(forecasts)


def overconfidence(forecasts: Sequence[Forecast]) -> float:
    """How many standard errors more was said than came true; beyond 1.96 it is hardly chance. Negative: too timid."""
    spread = math.sqrt(math.fsum(one.probability * (1.0 - one.probability) for one in forecasts))
    excess = math.fsum(one.probability - one.came_true for one in forecasts)
    if spread == 0.0:
        return 0.0 if excess == 0.0 else math.copysign(math.inf, excess)
    return excess / spread


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / _size(numbers)


def _size(items: Sequence[object]) -> int:
    assert items, "a score needs at least one forecast"
    return len(items)
