"""The long races: `python -m tests.races --rounds 200 --appends 600`, on every store that there is."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.races.conftest import has_postgres, postgres
from tests.races.contests import open_store, take_orders, write_and_follow
from tests.races.referee import Following


def main() -> int:
    """Run them; prints two lines per store."""
    parser = argparse.ArgumentParser(prog="python -m tests.races")
    parser.add_argument("--rounds", type=int, default=200, help="rounds of four takers")
    parser.add_argument("--appends", type=int, default=600, help="appends of each of eight writers")
    arguments = parser.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name).resolve()
        urls = ["memory:", f"sqlite:///{folder}/ledger.db"]
        if has_postgres():
            urls.append(stack.enter_context(postgres(folder)))
        for url in urls:
            store = open_store(url)
            started = time.monotonic()
            events, following = write_and_follow(store, arguments.appends)
            print(f"{url.partition(':')[0]}: {events} events, {following}, {time.monotonic() - started:.0f} s")
            started = time.monotonic()
            taking = take_orders(store, arguments.rounds)
            naive = take_orders(store, 10, role="take_naively")
            print(
                f"  {arguments.rounds} rounds, {dict(taking.done)}, {len(taking.breaches)} above a limit "
                f"(naively, in 10 rounds: {len(naive.breaches)}), {time.monotonic() - started:.0f} s"
            )
            lost += following != Following(0, 0, 0, 0) or bool(taking.breaches) or not naive.breaches
            store.journal.check()
            store.journal.close()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
