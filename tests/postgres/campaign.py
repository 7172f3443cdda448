"""Kill every process of the server under load, again and again; then count what was acknowledged and is not there.

By hand at full length: `python -m tests.postgres.campaign --kills 50`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import attrs

from tests.postgres.server import Server
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.opening import open_ledger
from tradecore.testing.journal_samples import recorded

_PATIENCE_S = 20.0


@attrs.define
class Tally:
    """What a campaign saw, in events unless it says otherwise."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn_appends: int = 0
    doubled: int = 0
    strangers: int = 0
    settled_as_done: int = 0
    settled_as_undone: int = 0
    unsettled_appends: int = 0
    unsettled_found_done: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, torn, doubled or invented."""
        return self.lost == self.torn_appends == self.doubled == self.strangers == 0


class _Writer:
    """Appends to a stream of its own until told to stop, and keeps account."""

    def __init__(self, url: str, number: int, stop: threading.Event) -> None:
        self.stream = f"writer {number}"
        self.acknowledged: list[tuple[Recorded[Event], ...]] = []
        self.unsettled: list[list[Recorded[Event]]] = []
        self.events = 0
        self.failure: Exception | None = None
        self._stop = stop
        self._rng = random.Random(number)
        self.journal: PostgresJournal = open_ledger(url, create=True, patience_s=_PATIENCE_S)
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - reported by the main thread
            self.failure = error

    def _write(self) -> None:
        version = 0
        while not self._stop.is_set():
            size = self._rng.randint(1, 5)
            side = f"{self.stream} {version} {uuid.uuid4()}"  # a second stream, so that a torn append would show
            events = [recorded(self.stream, version + 1 + place) for place in range(size)] + [recorded(side, 1)]
            try:
                self.acknowledged.append(self.journal.append(events))
                self.events += len(events)
                version += size
            except StoreUnavailable:
                self.unsettled.append(events)
                version = self._reload()

    def _reload(self) -> int:
        while not self._stop.is_set():
            try:
                known = self.journal.load(self.stream)
                return known[-1].envelope.version if known else 0
            except StoreUnavailable:
                time.sleep(0.1)
        return 0


def run_campaign(
    server: Server, url: str, kills: int, writers: int = 6, seed: int = 1, events_per_kill: int = 0
) -> Tally:
    """Kill `kills` times at random moments, then judge what the server holds.

    A kill waits until its share of events, `events_per_kill`, was acknowledged.
    """
    rng, begun, tally, stop = random.Random(seed), time.monotonic(), Tally(), threading.Event()
    crew = [_Writer(url, number, stop) for number in range(writers)]
    for writer in crew:
        writer.thread.start()
    try:
        for number in range(kills):
            _until_busy(crew)
            while sum(writer.events for writer in crew) < number * events_per_kill:
                time.sleep(0.02)
            time.sleep(rng.uniform(0.0, 0.4))
            server.kill()
            tally.kills += 1
            server.start()
        _until_busy(crew)
    finally:
        stop.set()
        for writer in crew:
            writer.thread.join()
    for writer in crew:
        if writer.failure is not None:
            raise writer.failure
    _judge(crew, tally)
    tally.seconds = time.monotonic() - begun
    return tally


def _until_busy(crew: list[_Writer]) -> None:
    """Until somebody had an answer again: kills in a row without one would prove nothing."""
    before = [len(writer.acknowledged) for writer in crew]
    deadline = time.monotonic() + 60
    while sum(len(w.acknowledged) > count for w, count in zip(crew, before, strict=True)) < len(crew):
        assert time.monotonic() < deadline, "the writers do not come back"
        assert all(writer.failure is None for writer in crew), [writer.failure for writer in crew]
        time.sleep(0.005)


def _judge(crew: list[_Writer], tally: Tally) -> None:
    journal = crew[0].journal
    journal.check()  # positions, versions, chain
    stored: dict[str, Recorded[Event]] = {}
    ids: Counter[str] = Counter()
    while page := journal.read(sum(ids.values()), 5000):
        ids.update(item.envelope.event_id for item in page)
        stored.update((item.envelope.event_id, item) for item in page)
    tally.doubled = sum(count - 1 for count in ids.values())
    expected: set[str] = set()
    for writer in crew:
        for append in writer.acknowledged:
            tally.acknowledged += len(append)
            tally.lost += sum(stored.get(item.envelope.event_id) != item for item in append)
            expected.update(item.envelope.event_id for item in append)
        for unsettled in writer.unsettled:
            there = [item.envelope.event_id for item in unsettled if item.envelope.event_id in stored]
            tally.torn_appends += 0 < len(there) < len(unsettled)
            tally.unsettled_found_done += len(there) == len(unsettled)
            expected.update(there)
        tally.unsettled_appends += len(writer.unsettled)
        tally.settled_as_done += writer.journal.writer.settled_done
        tally.settled_as_undone += writer.journal.writer.settled_undone
        writer.journal.close()
    tally.strangers = len(stored.keys() - expected)


def main() -> None:
    """Run it and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--events", type=int, default=22_000, help="at least so many are acknowledged")
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.create()
            server.start()
            share = options.events // options.kills
            tally = run_campaign(server, server.url("postgres"), options.kills, options.writers, options.seed, share)
        finally:
            server.remove()
    for name, value in attrs.asdict(tally).items():
        print(f"{name.replace('_', ' '):24} {value:,.0f}")
    print("clean" if tally.is_clean else "NOT CLEAN")
    raise SystemExit(0 if tally.is_clean else 1)


if __name__ == "__main__":
    main()
