"""What chance alone does to a score: null values and intervals by resampling, from a source of chance that is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import attrs

from tradecore.learning.scores import Forecast, calibration_error
from tradecore.ports.ids import Rng

_ROUNDS = 400


@attrs.frozen
class Interval:
    """Where 95 of 100 resampled values lie."""

    low: float
    high: float


def null_calibration_error(forecasts: Sequence[Forecast], rng: Rng, rounds: int = _ROUNDS) -> float:
    """The calibration error that perfectly calibrated forecasts like these stay below in 95 of 100 cases."""
    found = []
    for _ in range(rounds):
        drawn = [attrs.evolve(one, came_true=rng.uniform(0.0, 1.0) < one.probability) for one in forecasts]
        found.append(calibration_error(drawn))
    return _quantile(sorted(found), 0.95)


def block_interval(
    forecasts: Sequence[Forecast],
    blocks: Sequence[Hashable],
    statistic: Callable[[Sequence[Forecast]], float],
    rng: Rng,
    rounds: int = _ROUNDS,
) -> Interval:
    """An interval by drawing whole blocks (days) with replacement: what happens on one day is not independent."""
    grouped: dict[Hashable, list[Forecast]] = {}
    for one, block in zip(forecasts, blocks, strict=True):
        grouped.setdefault(block, []).append(one)
    days = list(grouped.values())
    found = []
    for _ in range(rounds):
        chosen = [days[min(int(rng.uniform(0.0, len(days))), len(days) - 1)] for _ in days]
        found.append(statistic([one for day in chosen for one in day]))
    found.sort()
    return Interval(_quantile(found, 0.025), _quantile(found, 0.975))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the neighbours."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
