"""The long campaign: `python -m tests.campaign --runs 1000` meets every fault in every phase, or fails."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence

from tests.campaign.campaign import Total
from tests.campaign.catalogue import CASES
from tests.campaign.processes import outcomes

_FURTHER_TURNS = 8
"""How often a fault that no run met is tried again with further seeds, before the campaign fails for want of it."""


def main() -> int:
    """Run it; prints what failed, and a total."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--runs", type=int, default=len(CASES))
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=4, help="runs beside each other in each process")
    arguments = parser.parse_args()
    began, total = time.monotonic(), Total()
    first = arguments.seed + arguments.runs
    _run(range(arguments.seed, first), arguments, total)
    for turn in range(_FURTHER_TURNS if arguments.runs >= len(CASES) else 0):
        behind = {CASES.index(case) for case in total.unmet}
        turns = range(first + turn * len(CASES), first + (turn + 1) * len(CASES))
        _run([seed for seed in turns if seed % len(CASES) in behind], arguments, total)
    took = time.monotonic() - began
    print(f"{total}; {took:.0f} s, Python {platform.python_version()}")
    if arguments.runs >= len(CASES) and total.unmet:
        print(f"not met: {', '.join(map(str, total.unmet))}")
        return 1
    return 1 if total.failed else 0


def _run(seeds: Sequence[int], arguments: argparse.Namespace, total: Total) -> None:
    for outcome in outcomes(seeds, arguments.processes, arguments.at_once):
        total.add(outcome)
        if not outcome.verdict.ok:
            print(outcome, flush=True)


if __name__ == "__main__":
    sys.exit(main())
