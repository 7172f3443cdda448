"""A stated random sample of the mutants, and what it says about all of them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from tests.mutation.operators import Mutant

GOAL = 0.9
"""The share of a sample that must be killed."""
_Z = 1.96


def sample_of(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """So many of them, the same for the same seed, in the order of their lines."""
    if size >= len(mutants):
        return list(mutants)
    chosen = random.Random(seed).sample(range(len(mutants)), size)
    return [mutants[number] for number in sorted(chosen)]


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Wilson's interval of the share, 95 % (Wilson 1927): right for shares near 1 too, where the normal one is not."""
    if tried == 0:
        return 0.0, 1.0
    share, square = killed / tried, _Z * _Z / tried
    middle = share + square / 2
    half = _Z * math.sqrt(share * (1 - share) / tried + square / tried / 4)
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))
