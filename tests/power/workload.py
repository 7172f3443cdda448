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
from tradecore.errors import TradecoreError
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

    def __init__(self, folder: Path, seed: int, marks: int) -> None:
        """`marks` is the descriptor where it says what it does, a line each."""
        self._url = f"sqlite:///{folder}/ledger.db"
        self._chance = random.Random(seed)
        self._marks = marks
        self._journal: Journal | None = None

    def work(self, steps: int) -> None:
        """Open the ledger and do so many steps, or until the disk refuses; then try once more to write."""
        try:
            self._reopen()
            for _ in range(steps):
                choices = (self._append, self._move_view, self._rebuild_view, self._drop_view, self._reopen)
                (step,) = self._chance.choices(choices, (30, 12, 2, 1, 2))
                step()
        except TradecoreError as error:
            self._say("failed", [type(error).__name__, str(error)])
            self._try_again()

    def close(self) -> None:
        """End in order."""
        if self._journal is not None:
            self._journal.close()

    def _try_again(self) -> None:
        for step in (self._append, self._rebuild_view):
            if self._journal is not None:
                try:
                    step()
                except TradecoreError as error:
                    self._say("refused", [type(error).__name__, str(error)])

    def _append(self) -> None:
        batch: list[Recorded[Event]] = []
        for stream in self._chance.sample(STREAMS, self._chance.randint(1, 3)):
            version = len(self._ledger.load(stream))
            size = 20_000 if self._chance.random() < 0.03 else self._chance.randint(1, 900)
            for number in range(self._chance.randint(1, 3)):
                text = f"{stream} {version} {self._chance.choice('abcdefgh') * size}"
                batch.append(recorded(stream, version + number + 1, AlertTriggered("sample", text)))
        tried = [identity(item) for item in batch]
        self._promise("append", tried, lambda: self._ledger.append(batch))

    def _move_view(self) -> None:
        views, head = self._ledger.views, self._ledger.head()
        after = views.cursor(VIEW, SHAPE)
        puts = {str(position): b"seen" for position in range(after + 1, head + 1)}
        self._promise("view", head, lambda: views.write(VIEW, SHAPE, after, head, puts))

    def _rebuild_view(self) -> None:
        head = self._ledger.head()
        rows = {str(position): b"seen" for position in range(1, head + 1)}
        self._promise("view", head, lambda: self._ledger.views.replace(VIEW, SHAPE, head, rows))

    def _drop_view(self) -> None:
        views = self._ledger.views
        if views.cursor(VIEW, SHAPE):  # else there is nothing to write
            self._promise("view", 0, lambda: views.cursor(VIEW, "another shape"))

    def _reopen(self) -> None:
        if self._journal is not None and self._chance.random() < 0.7:
            self._journal.close()
            self._journal = None
        self._journal = open_journal(self._url)
        self._say("opened", None)

    @property
    def _ledger(self) -> Journal:
        assert self._journal is not None, "it is opened before it is worked on"
        return self._journal

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
        opening.sync_directory = _die  # type: ignore[attr-defined]
    marks = os.open(Path(folder) / MARKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    worker = Worker(Path(folder), int(seed), marks)
    worker.work(int(steps))
    if ending == "close":
        worker.close()
    os._exit(0)


if __name__ == "__main__":
    main()
