"""Every view built anew from a large ledger, in a process of its own, as `tradecore rebuild` does it.

Seconds are of that process's CPU: it is one thread at work, and a busy machine should not show.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import describe, table

from tradecore.journal import Journal, open_journal
from tradecore.testing.journal_samples import without_positions
from tradecore.views.keeping import kept_views


def traded(path: Path, events: int) -> Journal:
    """A ledger file with about so many events of trading in it."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # the desk of the tests is not part of the wheel
    from tests.ledger.desk import Desk

    desk = Desk.in_memory()
    desk.pin("1000000000")
    source, journal = desk.ledger.journal, open_journal(f"sqlite:///{path}")
    copied = 0
    while copied < events:
        for number in range(300):
            desk.done("buy" if number % 2 == 0 else "sell", "10", "100.25", symbol=("SPY", "QQQ", "IWM")[number // 100])
        while page := source.read(copied, 5_000):
            journal.append(without_positions(page))
            copied = page[-1].envelope.position
    return journal


def rebuilding(folder: Path, events: int) -> None:
    """Measure and print."""
    journal = traded(folder / "views.db", events)
    head = journal.head()
    names = len(kept_views(journal))
    journal.close()
    code = (
        "import sys, time, resource; from tradecore.journal import open_journal; "
        "from tradecore.views.keeping import kept_views; from tradecore.views.projector import Projector; "
        "journal = open_journal(sys.argv[1]); started = time.process_time(); "
        "Projector(journal, kept_views(journal)).rebuild(); "
        "print(time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{folder / 'views.db'}"]
    seconds, kilobytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    rate = head / float(seconds)
    table(
        f"Rebuild of {names} views from {head:,} events on SQLite ({describe('msgspec', 'attrs')})",
        [
            ["what", "figure"],
            ["seconds", f"{float(seconds):.1f}"],
            ["events/s", f"{rate:,.0f}"],
            ["a million events take", f"{1e6 / rate:.0f} s"],
            ["peak memory", f"{int(kilobytes) / 1024:,.0f} MB"],
        ],
    )


def main() -> None:
    """Make a ledger of the wanted size and rebuild its views."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events to rebuild views from")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rebuilding(Path(folder), wanted.events)


if __name__ == "__main__":
    main()
