"""Fewer points for a chart, without losing a peak or a trough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

POINTS = 4000
"""More than twice the columns of pixels of a wide screen."""


def thinned(values: Sequence[Any], limit: int = POINTS) -> list[int]:
    """At most about `limit` places: first, lowest, highest and last of equal stretches (M4, Jugel et al. 2014)."""
    count = len(values)
    if count <= limit:
        return list(range(count))
    stretches = max(limit // 4, 1)
    kept: set[int] = set()
    for stretch in range(stretches):
        places = range(stretch * count // stretches, (stretch + 1) * count // stretches)
        kept |= {places[0], places[-1], min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    return sorted(kept)
