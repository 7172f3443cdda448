"""Drawdowns: from a peak of the equity, down, and back to it or not."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal, localcontext

import attrs

from tradecore.domain.values import ZERO
from tradecore.metrics.curve import Curve
from tradecore.metrics.figure import NotDefined


@attrs.frozen
class Drawdown:
    """One fall. `depth` is a fraction of the peak, below zero; `recovered_at` is None while the peak is not reached."""

    peak_at: dt.datetime
    trough_at: dt.datetime
    recovered_at: dt.datetime | None
    ends_at: dt.datetime
    depth: Decimal

    @property
    def duration(self) -> dt.timedelta:
        """From the peak until it was reached again, or until the curve ended."""
        return self.ends_at - self.peak_at


def underwater(curve: Curve) -> tuple[Decimal, ...] | NotDefined:
    """At each sample: how far below the highest point so far, as a fraction, 0 or less (Magdon-Ismail, Atiya 2004)."""
    index = curve.index
    if isinstance(index, NotDefined):
        return index
    return tuple(_depths(index))


def _depths(index: Sequence[Decimal]) -> list[Decimal]:
    depths, peak = [], index[0]
    with localcontext() as context:
        context.prec = 28
        for value in index:
            if value >= peak:
                peak = value
                depths.append(ZERO)
            else:
                depths.append(value / peak - 1)
    return depths


def drawdowns(curve: Curve) -> tuple[Drawdown, ...] | NotDefined:
    """Every fall in order of time. It begins at the last sample at the peak and ends at the first one back there."""
    depths = underwater(curve)
    if isinstance(depths, NotDefined):
        return depths
    samples, found = curve.samples, []
    peak: int = 0
    trough: int | None = None
    for place, depth in enumerate(depths):
        if depth < 0:
            if trough is None or depth < depths[trough]:
                trough = place
            continue
        if trough is not None:
            now = samples[place].at
            found.append(Drawdown(samples[peak].at, samples[trough].at, now, now, depths[trough]))
            trough = None
        peak = place
    if trough is not None:
        found.append(Drawdown(samples[peak].at, samples[trough].at, None, curve.last.at, depths[trough]))
    return tuple(found)


def deepest(falls: Sequence[Drawdown]) -> Drawdown | None:
    """The deepest fall; the first of equals."""
    return min(falls, key=lambda fall: fall.depth, default=None)


def longest(falls: Sequence[Drawdown]) -> Drawdown | None:
    """The longest fall; the first of equals."""
    return max(falls, key=lambda fall: fall.duration, default=None)


def ulcer_index(curve: Curve) -> float | NotDefined:
    """Root mean square of the depth below the peak (Martin and McCann 1989), as a fraction."""
    depths = underwater(curve)
    if isinstance(depths, NotDefined):
        return depths
    return math.sqrt(math.fsum(float(depth) ** 2 for depth in depths) / len(depths))
