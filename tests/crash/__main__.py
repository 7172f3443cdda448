"""The long campaign: `python -m tests.crash --kills 100` strikes at every failpoint, then kills at random moments.

Each of SIGKILL, SIGTERM, SIGINT and SIGSTOP, on SQLite and on Postgres; every round of `--rounds` on another market.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.crash.campaign import ACTIONS, EXITS, Outcome, kill_at_failpoint, kill_at_random
from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.postgres.server import Server, binaries
from tradecore.failpoints import FAILPOINTS, SAGA_FAILPOINTS

_HITS = (1, 2, 3, 5, 8)
_PLACES = (*FAILPOINTS, *SAGA_FAILPOINTS)
STORES = ("sqlite", "postgres")
_schemas = itertools.count(1)


def main() -> int:
    """Run it; prints a line per campaign and a total."""
    given = _parse()
    started = time.monotonic()
    kills = orders = 0
    with _ledgers(given.stores) as ledger:
        for number, store, action in itertools.product(range(given.rounds), given.stores, given.actions):
            for failpoint in given.failpoints:
                kill = partial(kill_at_failpoint, failpoint=failpoint, hits=_HITS, action=action)
                told = EXITS if failpoint in SAGA_FAILPOINTS else {}
                done, count = _campaign(kill, 1, 7 + number, ledger(store), told)
                print(f"{store:8} {action:4} {failpoint:32} {done.kills:4} kills {count:6} orders", flush=True)
                kills, orders = kills + done.kills, orders + count
        rng = random.Random(given.seed)
        left = given.kills
        while left > 0:
            kill = partial(kill_at_random, kills=left, rng=rng, longest_s=given.longest)
            done, count = _campaign(kill, 10, 7, ledger(given.stores[0]), EXITS)
            print(f"{'random moments':32} {done.kills:4} kills {count:6} orders", flush=True)
            kills, orders, left = kills + done.kills, orders + count, left - done.kills
    took = time.monotonic() - started
    print(f"{kills} kills, {orders} orders, 0 lost, 0 sent twice, {took:.0f} s; Python {platform.python_version()}")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kills", type=int, default=100, help="random kills, on top of those at failpoints")
    parser.add_argument("--rounds", type=int, default=1, help="how often every failpoint is visited; 6 are 3,600 kills")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES if binaries() else STORES[:1])
    parser.add_argument("--actions", nargs="+", choices=ACTIONS, default=ACTIONS)
    parser.add_argument("--failpoints", nargs="+", choices=_PLACES, default=_PLACES, metavar="NAME")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds until a random kill, at most")
    return parser.parse_args()


@contextmanager
def _ledgers(stores: list[str]) -> Iterator[Callable[[str], str]]:
    """Gives each campaign the URL of an empty ledger; none for a file in its own folder."""
    if "postgres" not in stores:
        yield lambda _: ""
        return
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name))
        try:
            server.create()
            server.start()
            yield lambda store: "" if store == "sqlite" else server.url("postgres", schema=f"crash_{next(_schemas)}")
        finally:
            server.remove()


def _campaign(
    kill: Callable[[Path, Judge], Outcome], days: int, market: int, ledger: str, told: dict[str, str]
) -> tuple[Outcome, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        terms = ("--seed", str(market), "--days", str(days), "--symbols", "AAA,BBB")
        with Judge.start(folder, *terms, ledger=ledger) as judge:
            judge.told = told
            outcome = kill(folder, judge)
            if outcome.last_exit != 0:
                sys.stderr.write((folder / "runner.log").read_text())
                raise SystemExit(f"a run ended with {outcome.last_exit}")
            return outcome, assert_nothing_lost_or_doubled(judge, folder)


if __name__ == "__main__":
    sys.exit(main())
