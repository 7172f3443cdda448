"""The long campaign: `python -m tests.power.campaign --images 100000`, with `--synchronous normal` to see it fail."""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
from pathlib import Path

from tests.power.cuts import FULL, NORMAL, OFF, Session, Tally, cut_everywhere, record
from tests.power.recording import recorder

_LEVELS = {"full": FULL, "normal": NORMAL, "off": OFF}


def main() -> int:
    """Record session after session and cut the power in each; prints a line per recording and a total."""
    parser = argparse.ArgumentParser(prog="python -m tests.power.campaign")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--tries", type=int, default=12, help="random images per crash point")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--synchronous", choices=_LEVELS, default="full")
    arguments = parser.parse_args()
    total, seed = Tally(), arguments.seed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        library = recorder(folder)
        if library is None:
            sys.exit("recording needs Linux and a C compiler (cc or gcc)")
        while total.images < arguments.images:
            sessions = _sessions(random.Random(seed))
            operations = record(library, folder, seed, sessions, _LEVELS[arguments.synchronous])
            left = arguments.images - total.images
            tally = cut_everywhere(operations, random.Random(seed), arguments.tries, left)
            print(f"seed {seed}: {len(operations)} operations, {tally}", flush=True)
            for verdict, reasons in tally.reasons.items():
                print(f"  {verdict.value}: {reasons[0]}")
            total.counts.update(tally.counts)
            total.seconds += tally.seconds
            seed += 1
    print(f"synchronous={arguments.synchronous}, SQLite {sqlite3.sqlite_version}: {total}")
    return 0 if arguments.synchronous != "full" or total.is_sound else 1


def _sessions(chance: random.Random) -> list[Session]:
    """Two to four lives of a ledger; in every third recording a sync fails, in every fifth the creator dies."""
    lives = [
        Session(chance.randint(1, 30), chance.choice(("exit", "exit", "close"))) for _ in range(chance.randint(2, 4))
    ]
    if chance.random() < 0.2:
        lives.insert(0, Session(0, "dies-creating"))
    elif chance.random() < 0.4:
        lives.insert(0, Session(40, "exit", fails_sync=chance.randint(10, 45)))
    return lives


if __name__ == "__main__":
    sys.exit(main())
