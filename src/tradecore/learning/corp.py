"""The CORP decomposition of the Brier score: miscalibration - discrimination + uncertainty, without bins to choose.

Forecasts are calibrated by isotonic regression (pool adjacent violators); what that gains is miscalibration, what the
calibrated ones gain over the base rate is discrimination. Dimitriadis, Gneiting, Jordan, PNAS 118 (2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from tradecore.learning.scores import Forecast, base_rate, brier


@attrs.frozen
class Corp:
    """The parts of a mean Brier score; `brier = miscalibration - discrimination + uncertainty`."""

    brier: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@attrs.frozen
class Step:
    """One distinct forecast: how often it was made and came true, and what isotonic regression makes of it."""

    probability: float
    count: int
    came_true: int
    calibrated: float


def decompose(forecasts: Sequence[Forecast]) -> Corp:
    """Split the Brier score of forecasts."""
    calibrated = {step.probability: step.calibrated for step in reliability(forecasts)}
    rate = base_rate(forecasts)
    score = brier(forecasts)
    best = brier([attrs.evolve(one, probability=calibrated[one.probability]) for one in forecasts])
    flat = brier([attrs.evolve(one, probability=rate) for one in forecasts])
    return Corp(score, score - best, flat - best, flat)


def reliability(forecasts: Sequence[Forecast]) -> tuple[Step, ...]:
    """The reliability curve: every distinct forecast in ascending order, with what it came true as."""
    counts: dict[float, list[int]] = {}
    for one in forecasts:
        seen = counts.setdefault(one.probability, [0, 0])
        seen[0] += 1
        seen[1] += one.came_true
    stated = sorted(counts)
    pooled = _pool([(counts[p][1], counts[p][0]) for p in stated])
    return tuple(Step(p, counts[p][0], counts[p][1], value) for p, value in zip(stated, pooled, strict=True))


def _pool(groups: Sequence[tuple[int, int]]) -> list[float]:
    """Hits and counts in ascending order of the forecast, made non-decreasing by pooling neighbours."""
    blocks: list[list[int]] = []  # hits, count, how many groups
    for hits, count in groups:
        blocks.append([hits, count, 1])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [old + new for old, new in zip(blocks[-1], last, strict=True)]
    return [hits / count for hits, count, size in blocks for _ in range(size)]


def distance(step: Step) -> float:
    """How far a forecast is from what it came true as; zero on the diagonal."""
    return math.fabs(step.probability - step.calibrated)
