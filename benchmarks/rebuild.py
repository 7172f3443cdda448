"""Views behind a large ledger: built anew, and followed from its beginning, each in a process of its own.

`python benchmarks/rebuild.py [--events 100000] [--postgres] [--verify]`. A step of a view is one transaction of rows
and cursor. Beside the time that passed stands the CPU time of that process: a busy machine does not show in it, and
neither does the work of a server.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ledgers import traded
from machine import describe, table
from tests.postgres.server import Server

from tradecore.journal import open_journal
from tradecore.views.keeping import kept_views

_STOCK = 1_300
"""Events per second of `ProjectionRunner` of `eventsourcing` on Postgres, which commits each: see the documentation."""

_CHILD = """
import json, resource, sys, time
from tradecore.journal import open_journal
from tradecore.verify import verify
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector
journal, how, names = open_journal(sys.argv[1], create=False), sys.argv[2], sys.argv[3].split()
views = [view for view in kept_views(journal) if view.name in names]
if how == "follow":
    for view in views:
        journal.views.drop(view.name)
begun, cpu = time.perf_counter(), time.process_time()
if how == "rebuild":
    Projector(journal, views).rebuild()
elif how == "follow":
    Projector(journal, views).catch_up(batch=2000)
else:
    assert verify(journal).ok
passed, worked = time.perf_counter() - begun, time.process_time() - cpu
print(json.dumps([passed, worked, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def measure(name: str, url: str, events: int, *, verifying: bool) -> None:
    """Fill a ledger, work on it, print."""
    journal = open_journal(url)
    traded(journal, events)
    head = journal.head()
    names = [view.name for view in kept_views(journal)]
    journal.close()
    works = [("follow", [each]) for each in ("fills", "orders", "traces")]
    works += [("follow", names), ("rebuild", names)]
    if verifying:
        works.append(("verify", names))
    rows = [["what", "views", "seconds", "events/s", "CPU seconds", "events per CPU s", "times stock", "peak MB"]]
    for how, views in works:
        command = [sys.executable, "-c", _CHILD, url, how, " ".join(views)]
        passed, worked, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        which = views[0] if len(views) == 1 else f"all {len(views)}"
        times = f"{head / passed / _STOCK:.0f}" if how == "follow" else ""
        rate, cpu_rate = f"{head / passed:,.0f}", f"{head / worked:,.0f}"
        rows.append([how, which, f"{passed:.1f}", rate, f"{worked:.1f}", cpu_rate, times, f"{peak:.0f}"])
    table(f"Views of {head:,} events on {name} ({describe('msgspec', 'attrs', 'psycopg')})", rows)


def main() -> None:
    """Measure on SQLite, or on a Postgres of our own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events in the ledger")
    parser.add_argument("--postgres", action="store_true", help="on a server of our own instead of a file")
    parser.add_argument("--verify", action="store_true", help="verify the ledger, too")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not wanted.postgres:
            measure("SQLite", f"sqlite:///{folder}/views.db", wanted.events, verifying=wanted.verify)
            return
        server = Server(Path(folder))
        try:
            server.create()
            server.start()
            measure("Postgres", server.url("postgres"), wanted.events, verifying=wanted.verify)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
