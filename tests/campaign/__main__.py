"""The long campaign: `python -m tests.campaign --runs 1000` meets every fault in every phase, or fails."""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import sys
import time
from collections.abc import Iterator

import anyio
import structlog

from tests.campaign.campaign import Outcome, Total, run_all
from tests.campaign.catalogue import CASES

_CRITICAL = 50


def main() -> int:
    """Run it; prints what failed, and a total."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--runs", type=int, default=len(CASES))
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=4, help="runs beside each other in each process")
    arguments = parser.parse_args()
    began, total = time.monotonic(), Total()
    for outcome in _outcomes(arguments):
        total.add(outcome)
        if not outcome.verdict.ok:
            print(outcome, flush=True)
    took = time.monotonic() - began
    print(f"{total}; {took:.0f} s, Python {platform.python_version()}")
    if arguments.runs >= len(CASES) and total.unmet:
        print(f"not met: {', '.join(map(str, total.unmet))}")
        return 1
    return 1 if total.failed else 0


def _outcomes(arguments: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    shares = [(list(seeds[number :: arguments.processes]), arguments.at_once) for number in range(arguments.processes)]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_work, args=(*share, results)) for share in shares]
    for worker in workers:
        worker.start()
    left = len(workers)
    while left:
        outcome = results.get()
        if outcome is None:
            left -= 1
        else:
            yield outcome
    for worker in workers:
        worker.join()


def _work(seeds: list[int], at_once: int, results: "multiprocessing.Queue[Outcome | None]") -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    try:
        anyio.run(run_all, seeds, at_once, results.put)
    finally:
        results.put(None)


if __name__ == "__main__":
    sys.exit(main())
