"""A process that works on a ledger and says before and after each step what it tried and what was acknowledged.

`python -m tests.power.workload FOLDER SEED STEPS SYNCHRONOUS ENDING`
"""

from __future__ import annotations

import json
import os
import random
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.power.recording import MARKS
from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable
from tradecore.journal import Journal, open_journal
from tradecore.journal.sqlite import connection, datastore, opening
from tradecore.testing.journal_samples import recorded

VIEW, SHAPE = "seen", "shape"
STREAMS = ("account", "order", "trade", "decision")


def identity(item: Recorded[Event]) -> list[str | int]:
    """What tells one event from any other, and from itself with another content."""
    assert isinstance(item.event, AlertTriggered)
    envelope = item.envelope
    return [envelope.event_id, envelope.stream, envelope.version, zlib.crc32(item.event.message.encode())]


class Worker:
    """Does random steps on a ledger."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._url = f"sqlite:///{folder}/ledger.db"
        self._chance = random.Random(seed)
        self._marks = os.open(folder / MARKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._journal = self._open()

    def work(self, steps: int) -> None:
        """So many steps, or until the disk refuses."""
        choices = (self._append, self._move_view, self._rebuild_view, self._drop_view, self._reopen)
        for _ in range(steps):
            (step,) = self._chance.choices(choices, (30, 12, 2, 1, 2))
            try:
                step()
            except StoreUnavailable:
                self._say("failed", None)
                return

    def close(self) -> None:
        """End in order."""
        self._journal.close()

    def _append(self) -> None:
        batch: list[Recorded[Event]] = []
        for stream in self._chance.sample(STREAMS, self._chance.randint(1, 3)):
            version = len(self._journal.load(stream))
            size = 20_000 if self._chance.random() < 0.03 else self._chance.randint(1, 900)
            for number in range(self._chance.randint(1, 3)):
                text = f"{stream} {version} {self._chance.choice('abcdefgh') * size}"
                batch.append(recorded(stream, version + number + 1, AlertTriggered("sample", text)))
        tried = [identity(item) for item in batch]
        self._promise("append", tried, lambda: self._journal.append(batch))

    def _move_view(self) -> None:
        views, head = self._journal.views, self._journal.head()
        after = views.cursor(VIEW, SHAPE)
        puts = {str(position): b"seen" for position in range(after + 1, head + 1)}
        self._promise("view", head, lambda: views.write(VIEW, SHAPE, after, head, puts))

    def _rebuild_view(self) -> None:
        head = self._journal.head()
        rows = {str(position): b"seen" for position in range(1, head + 1)}
        self._promise("view", head, lambda: self._journal.views.replace(VIEW, SHAPE, head, rows))

    def _drop_view(self) -> None:
        self._promise("view", 0, lambda: self._journal.views.cursor(VIEW, "another shape"))

    def _reopen(self) -> None:
        if self._chance.random() < 0.7:
            self._journal.close()
        self._journal = self._open()

    def _open(self) -> Journal:
        journal = open_journal(self._url)
        self._say("opened", None)
        return journal

    def _promise(self, kind: str, tried: object, act: Callable[[], object]) -> None:
        self._say(kind, tried)
        act()
        self._say("acknowledged", None)

    def _say(self, kind: str, what: object) -> None:
        os.write(self._marks, (json.dumps([kind, what]) + "\n").encode())


def _die(directory: Path) -> None:
    os._exit(0)


def main() -> None:
    """Work, and end as `ENDING` says: close, exit without, or die while the ledger is being created."""
    folder, seed, steps, synchronous, ending = sys.argv[1:]
    connection._SETTINGS["synchronous"] = int(synchronous)
    datastore._CHECKPOINT_PAGES = 60
    if ending == "dies-creating":
        opening._sync_directory = _die
    worker = Worker(Path(folder), int(seed))
    worker.work(int(steps))
    if ending == "close":
        worker.close()
    os._exit(0)


if __name__ == "__main__":
    main()
