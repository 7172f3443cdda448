"""Does a ledger get slower as it grows? Appends and whole commands at several sizes of one ledger, and their ratios.

`python benchmarks/growth.py [--sizes 10000 1000000] [--postgres]`, from the repository's root. The ledger is filled
in bulk up to each size in turn; what is measured is the same work each time.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import attrs
from ledgers import traded
from machine import describe, table
from tests.ledger.desk import CountingIds, Desk, StillClock
from tests.postgres.server import Server

from tradecore.domain.events import AlertTriggered
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemIds
from tradecore.testing.journal_samples import recorded
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector

_ROUNDS = 400


class _Ids(SystemIds, CountingIds):
    """Real ids, at a desk that expects its own kind."""


@attrs.frozen
class Taken:
    """Milliseconds of each round, and the processor's own per round, where a busy machine and disk do not show."""

    passed: list[float]
    worked: float


def milliseconds(work: Callable[[], object]) -> Taken:
    """So many rounds."""
    passed = []
    cpu = time.process_time()
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        passed.append((time.perf_counter() - begun) * 1e3)
    return Taken(passed, (time.process_time() - cpu) * 1e3 / _ROUNDS)


def measured(journal: Journal) -> dict[str, Taken]:
    """The works at the size that the ledger has."""
    clock, ids = StillClock(), _Ids()
    desk = Desk(Ledger(journal, clock, ids), clock, ids)
    desk.account  # noqa: B018 - loaded once, as a runner does at its start
    sides = itertools.cycle(["buy", "sell"])
    projector = Projector(journal, kept_views(journal))

    def append() -> None:
        journal.append([recorded(str(uuid.uuid4()), 1, AlertTriggered(kind="k", message="m" * 100))])

    def round_trip() -> None:
        desk.done(next(sides), "1", "50")

    def follow() -> None:
        desk.done(next(sides), "1", "50")
        projector.catch_up()

    round_trip(), round_trip(), projector.catch_up()
    return {
        "append one event": milliseconds(append),
        "order from intent to fill (4 commands)": milliseconds(round_trip),
        "the same, and all views behind it": milliseconds(follow),
        "load an order that is not at hand": milliseconds(lambda: journal.load(f"order-{_some_order(journal)}")),
    }


def _some_order(journal: Journal) -> str:
    head = journal.head()
    place = uuid.uuid4().int % head
    found = (item.envelope.stream for item in journal.read(place, 40))
    return next((stream.removeprefix("order-") for stream in found if stream.startswith("order-")), "none")


def growth(name: str, journal: Journal, sizes: list[int]) -> None:
    """Measure at each size and print."""
    rows = [["work", "events", "p50 ms", "p99 ms", "CPU ms", "p50 / first", "CPU / first"]]
    first: dict[str, Taken] = {}
    for size in sizes:
        begun = time.perf_counter()
        traded(journal, size)
        filled = time.perf_counter() - begun
        projector = Projector(journal, kept_views(journal))
        begun = time.perf_counter()
        projector.catch_up(batch=10_000)
        caught_up = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        filling = ["fill in bulk; views behind it", f"{size:,}", f"{filled:.0f} s; {caught_up:.0f} s"]
        rows.append([*filling, f"peak {peak:.0f} MB", "", "", ""])
        for work, taken in measured(journal).items():
            before = first.setdefault(work, taken)
            median, p99 = statistics.median(taken.passed), statistics.quantiles(taken.passed, n=100)[-1]
            ratio, cpu_ratio = median / statistics.median(before.passed), taken.worked / before.worked
            figures = [f"{median:.2f}", f"{p99:.2f}", f"{taken.worked:.3f}", f"{ratio:.2f}", f"{cpu_ratio:.2f}"]
            rows.append([work, f"{size:,}", *figures])
    table(f"{name} ({describe('msgspec', 'eventsourcing')})", rows)


def main() -> None:
    """Measure on SQLite, or on a Postgres of our own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000], help="events in the ledger")
    parser.add_argument("--postgres", action="store_true", help="on a server of our own instead of a file")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not wanted.postgres:
            growth("SQLite", open_journal(f"sqlite:///{folder}/ledger.db"), sorted(wanted.sizes))
            return
        server = Server(Path(folder))
        try:
            server.create()
            server.start()
            growth("Postgres", open_journal(server.url("postgres")), sorted(wanted.sizes))
        finally:
            server.remove()


if __name__ == "__main__":
    main()
