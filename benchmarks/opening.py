"""How long a runner takes from opening a ledger to knowing what is open, with its views and snapshots in place.

`python benchmarks/opening.py [--events 10000 1000000]`; each opening is in a process of its own, after its imports.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ledgers import traded
from machine import describe, table

from tradecore.journal import open_journal
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector

_ROUNDS = 5
_OPEN = """
import json, resource, sys, time
sys.path[:0] = sys.argv[2:]
from tests.ledger.test_start import fresh_engine
from tests.ledger.desk import CountingIds, Desk, StillClock
from tradecore.journal import open_journal
from tradecore.draft import last_event
from tradecore.domain import streams
from tradecore.ledger import Ledger
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector
begun = time.perf_counter()
journal = open_journal(sys.argv[1], create=False)
clock, ids = StillClock(), CountingIds()
desk = Desk(Ledger(journal, clock, ids), clock, ids)
opened = time.perf_counter() - begun
engine = fresh_engine(desk, journal)
engine.projector = Projector(journal, kept_views(journal))
last_event(journal, streams.ASSETS)
engine._restore()
engine.catch_up()
print(json.dumps([opened, time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def opening(url: str) -> list[float]:
    """Medians: seconds until the ledger is open, until what is open is known; peak memory in MB."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", _OPEN, url, str(root)]
    rounds = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(_ROUNDS)]
    return [statistics.median(each) for each in zip(*rounds, strict=True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 1_000_000], help="sizes of the ledgers")
    wanted = parser.parse_args()
    rows = [["events", "open, s", "ready, s", "times the first", "peak memory, MB"]]
    first = None
    for events in sorted(wanted.events):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/ledger.db"
            journal = open_journal(url)
            traded(journal, events)
            Projector(journal, kept_views(journal)).catch_up()
            head = journal.head()
            journal.close()
            opened, ready, memory = opening(url)
        first = first or ready
        rows.append([f"{head:,}", f"{opened:.3f}", f"{ready:.3f}", f"{ready / first:.2f}", f"{memory:.0f}"])
    table(f"Opening a ledger on SQLite, views caught up ({describe('msgspec', 'attrs')})", rows)


if __name__ == "__main__":
    main()
