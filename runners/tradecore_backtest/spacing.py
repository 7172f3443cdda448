"""How bars lie in time: how long one is, how many there are, and where some are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import sub

import attrs

from tradecore.domain.nanos import NANO

DAY_NS = 86_400 * NANO
_MINUTE = 60 * NANO


@attrs.frozen
class Distances:
    """The bars of one symbol: how many, from when to when, and how often which distance lies between two."""

    count: int
    first: int
    last: int
    by_length: Mapping[int, int]


def distances_of(starts: Sequence[int]) -> Distances:
    """Look once over the starts of a symbol."""
    if not starts:
        return Distances(0, 0, 0, {})
    return Distances(len(starts), starts[0], starts[-1], Counter(map(sub, islice(starts, 1, None), starts)))


@attrs.frozen
class Spacing:
    """`bar_ns` is the length of a bar; `gaps` counts longer distances by symbol, those over a night left out."""

    bar_ns: int
    counts: Mapping[str, int]
    gaps: Mapping[str, int]
    first: int | None
    last: int | None


def spacing_of(found: Mapping[str, Distances], bar_ns: int | None) -> Spacing:
    """`bar_ns` where the source knows it; else the shortest distance. A single bar counts as a minute."""
    shortest = bar_ns or min((length for one in found.values() for length in one.by_length), default=_MINUTE)
    told = [one for one in found.values() if one.count]
    longest = DAY_NS // 4
    gaps = {
        symbol: sum(count for length, count in one.by_length.items() if shortest < length < longest)
        for symbol, one in found.items()
    }
    return Spacing(
        min(shortest, DAY_NS),
        {symbol: one.count for symbol, one in found.items()},
        {symbol: count for symbol, count in gaps.items() if count},
        min((one.first for one in told), default=None),
        max((one.last for one in told), default=None),
    )
