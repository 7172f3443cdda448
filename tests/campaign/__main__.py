"""The long campaign: `python -m tests.campaign --runs 1000` meets every fault in every phase, or fails."""

from __future__ import annotations

import argparse
import platform
import sys
import time

from tests.campaign.campaign import Total
from tests.campaign.catalogue import CASES
from tests.campaign.processes import outcomes


def main() -> int:
    """Run it; prints what failed, and a total."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--runs", type=int, default=len(CASES))
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=4, help="runs beside each other in each process")
    arguments = parser.parse_args()
    began, total = time.monotonic(), Total()
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    for outcome in outcomes(seeds, arguments.processes, arguments.at_once):
        total.add(outcome)
        if not outcome.verdict.ok:
            print(outcome, flush=True)
    took = time.monotonic() - began
    print(f"{total}; {took:.0f} s, Python {platform.python_version()}")
    if arguments.runs >= len(CASES) and total.unmet:
        print(f"not met: {', '.join(map(str, total.unmet))}")
        return 1
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
