"""`python -m tests.simulation`: replay one seed, run a campaign of seeds, or hunt the planted bugs."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys

import structlog

from tests.simulation import campaign, planted
from tests.simulation.reach import least
from tests.simulation.shrink import shrunk
from tests.simulation.world import Outcome, World

_SHRUNK = 5
"""So many violations of a campaign are shrunk; of more, the seed is told."""


def main(argv: list[str] | None = None) -> int:
    """From the command line; 0 when nothing was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, metavar="N", help="replay one seed with its timeline")
    parser.add_argument("--seeds", type=int, metavar="N", help="run N seeds")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first of them (default: 1)")
    parser.add_argument("--cores", type=int, default=multiprocessing.cpu_count(), metavar="N")
    parser.add_argument("--keep", metavar="N,N", help="with --seed: only these acts of its script, counted from 0")
    parser.add_argument(
        "--reach", action="store_true", help="with --seeds: fail when a declared place was reached too rarely"
    )
    parser.add_argument("--planted", nargs="?", const="all", metavar="NAME", help="hunt planted bugs, all or one")
    parser.add_argument("--within", type=int, default=2000, metavar="N", help="with --planted: seeds to find one in")
    given = parser.parse_args(argv)
    if given.planted is not None:
        return planted.hunt(given.planted, given.within, given.cores)
    if given.seed is not None:
        return _replay(given.seed, given.keep)
    return _campaign(given)


def _replay(seed: int, keep: str | None) -> int:
    acts = World(seed).acts
    kept = acts if keep is None else tuple(acts[int(number)] for number in keep.split(",") if number)
    outcome = World(seed, loud=True, acts=kept).run()
    sys.stdout.write(f"\n{outcome.digest}  {outcome.orders} orders, {outcome.events} events, {outcome.steps} steps\n")
    if outcome.violation is not None:
        sys.stdout.write(f"violated: {outcome.violation}\n")
    return 0 if outcome.violation is None else 1


def _campaign(given: argparse.Namespace) -> int:
    total = campaign.run(range(given.first, given.first + (given.seeds or 100)), given.cores)
    for outcome in total.bad[:_SHRUNK]:
        _tell_bad(outcome)
    for outcome in total.bad[_SHRUNK:]:
        sys.stdout.write(f"seed {outcome.seed}: {outcome.violation}\n")
    sys.stdout.write(f"{total}\n")
    missed = total.missed()
    if given.reach and missed:
        rare = [f"{place} {total.reach[place]} of {least(place, total.seeds)}" for place in missed]
        sys.stdout.write(f"reached too rarely: {', '.join(rare)}\n")
    return 1 if total.bad or (given.reach and missed) else 0


def _tell_bad(outcome: Outcome) -> None:
    acts = shrunk(outcome)
    whole = World(outcome.seed).acts
    numbers = ",".join(str(whole.index(act)) for act in acts)
    lines = [f"seed {outcome.seed}: {outcome.violation}", *(f"    {act.at:8.3f}  {act}" for act in acts)]
    lines.append(f"    python -m tests.simulation --seed {outcome.seed} --keep {numbers or ','}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
