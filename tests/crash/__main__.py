"""The long campaign: `python -m tests.crash --kills 100` kills at every failpoint, then at random moments."""

from __future__ import annotations

import argparse
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.crash.campaign import Outcome, kill_at_failpoint, kill_at_random
from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tradecore.failpoints import FAILPOINTS

_HITS = (1, 2, 3, 5, 8)


def main() -> int:
    """Run it; prints a line per campaign and a total."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kills", type=int, default=100, help="random kills, on top of those at failpoints")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds until a random kill, at most")
    arguments = parser.parse_args()
    started = time.monotonic()
    kills = orders = 0
    for failpoint in FAILPOINTS:
        done, count = _campaign(partial(kill_at_failpoint, failpoint=failpoint, hits=_HITS), days=1)
        print(f"{failpoint:32} {done.kills:4} kills {count:6} orders")
        kills, orders = kills + done.kills, orders + count
    rng = random.Random(arguments.seed)
    left = arguments.kills
    while left > 0:
        done, count = _campaign(partial(kill_at_random, kills=left, rng=rng, longest_s=arguments.longest), days=10)
        print(f"{'random moments':32} {done.kills:4} kills {count:6} orders")
        kills, orders, left = kills + done.kills, orders + count, left - done.kills
    took = time.monotonic() - started
    print(f"{kills} kills, {orders} orders, 0 lost, 0 sent twice, {took:.0f} s; Python {platform.python_version()}")
    return 0


def _campaign(kill: Callable[[Path, Judge], Outcome], days: int) -> tuple[Outcome, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Judge.start(folder, "--seed", "7", "--days", str(days), "--symbols", "AAA,BBB") as judge:
            outcome = kill(folder, judge)
            if outcome.last_exit != 0:
                sys.stderr.write((folder / "runner.log").read_text())
                raise SystemExit(f"a run ended with {outcome.last_exit}")
            return outcome, assert_nothing_lost_or_doubled(judge, folder)


if __name__ == "__main__":
    sys.exit(main())
