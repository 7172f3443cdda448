"""The full run of bit flips, by hand: `python -m tests.audit.campaign --flips 50000 --seed 1`."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.audit.flips import MISSED, Victim


def main() -> int:
    """Flip and print; exit code 1 when a flip changed an event and nobody noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=10, help="how much there is in the ledger")
    wanted = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        victim = Victim.made(Path(folder), wanted.orders)
        print(f"{len(victim.content):,} bytes, {len(victim.content) // 4096} pages")
        started = time.monotonic()
        for flip in itertools.islice(victim.flips(wanted.seed), wanted.flips):
            counts[flip.outcome] += 1
            if flip.outcome == MISSED:
                print(flip)
    for outcome, count in counts.most_common():
        print(f"{count:>7}  {outcome}")
    print(f"{wanted.flips} flips in {time.monotonic() - started:.0f} s")
    return 1 if counts[MISSED] else 0


if __name__ == "__main__":
    sys.exit(main())
