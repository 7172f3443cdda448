"""Many seeds on all cores, and what they reached together."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs
import structlog

from tests.simulation.reach import DECLARED, least
from tests.simulation.world import Outcome, World

_WORN_OUT = 25
"""After so many chunks a worker is replaced: a world leaves more than a megabyte behind that nobody finds."""


@attrs.define
class Total:
    """What a campaign amounts to."""

    seeds: int = 0
    orders: int = 0
    events: int = 0
    starts: int = 0
    kills: int = 0
    seconds: float = 0.0
    bad: list[Outcome] = attrs.field(factory=list)
    reach: Counter[str] = attrs.field(factory=Counter)

    def take(self, outcome: Outcome) -> None:
        """Count a seed."""
        self.seeds += 1
        self.orders += outcome.orders
        self.events += outcome.events
        self.starts += outcome.starts
        self.kills += outcome.kills
        self.reach.update(outcome.reach)
        if outcome.violation is not None:
            self.bad.append(outcome)

    def missed(self) -> list[str]:
        """What of the declared places was reached too rarely for so many seeds."""
        return sorted(place for place in DECLARED if self.reach[place] < least(place, self.seeds))

    def __str__(self) -> str:
        reached = len(DECLARED) - len(self.missed())
        return (
            f"seeds {self.seeds} | violations {len(self.bad)} | sim trading days {self.seeds} | orders {self.orders} | "
            f"events {self.events} | model calls {self.reach['thought:models.call.before']} | starts {self.starts} | "
            f"kills {self.kills} | reach {reached}/{len(DECLARED)} | "
            f"{self.seconds:.0f} s"
        )


def run(seeds: Iterable[int], cores: int) -> Total:
    """Run the seeds."""
    total, began = Total(), time.perf_counter()
    for outcome in _outcomes(seeds, cores):
        total.take(outcome)
    total.seconds = time.perf_counter() - began
    return total


def _outcomes(seeds: Iterable[int], cores: int) -> Iterator[Outcome]:
    if cores == 1:
        yield from map(run_one, seeds)
        return
    with multiprocessing.get_context("fork").Pool(cores, quiet, maxtasksperchild=_WORN_OUT) as pool:
        yield from pool.imap_unordered(run_one, seeds, chunksize=4)


def quiet() -> None:
    """What goes wrong in a simulation is meant to: nobody wants to read it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run_one(seed: int) -> Outcome:
    """One seed."""
    return World(seed).run()
