"""A ledger as a killed process left it, and what may be done to its bytes before it is opened again."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import attrs

from tests.power.judging import Promises, Verdict, judge_folder
from tests.power.workload import Worker
from tradecore.journal.sqlite import datastore


@attrs.frozen
class Remains:
    """The files of a ledger whose process was killed, part of it still in the log; and what it had promised."""

    folder: Path
    promises: Promises

    @property
    def ledger(self) -> bytes:
        """The bytes of the file."""
        return (self.folder / "ledger.db").read_bytes()

    @property
    def log(self) -> bytes:
        """The bytes of the log."""
        return (self.folder / "ledger.db-wal").read_bytes()

    @property
    def frames_in_use(self) -> int:
        """How many frames of the log the file does not have yet: those with the salts of the log's header."""
        salts, frame_bytes = self.log[16:24], 24 + 4096
        starts = range(32, len(self.log) - frame_bytes + 1, frame_bytes)
        return sum(self.log[start + 8 : start + 16] == salts for start in starts)

    @property
    def head(self) -> bytes:
        """The bytes of the file that knows where it ended."""
        return (self.folder / "ledger.db.head").read_bytes()


def remains(folder: Path, seed: int, steps: int) -> Remains:
    """Work on a ledger, and keep its files as they are in the middle of it."""
    living, dead = folder / "living", folder / "dead"
    living.mkdir()
    dead.mkdir()
    marks = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT)
    worker = Worker(living, seed, marks)
    with mock.patch.object(datastore, "_CHECKPOINT_PAGES", 60):
        worker.work(steps)
    os.close(marks)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db.head"):
        shutil.copy(living / name, dead / name)
    worker.close()
    promises = Promises()
    for line in (folder / "marks").read_text().splitlines():
        assert json.loads(line)[0] not in ("failed", "refused")
        promises.hear(line)
    return Remains(dead, promises)


def opened_with(
    left: Remains, ledger: bytes, log: bytes, folder: Path, head: bytes | None = None
) -> tuple[Verdict, str]:
    """The verdict on the remains with other bytes; without `head` as if that had never reached the disk.

    What is no typed error gets out of here.
    """
    for old in folder.iterdir():
        old.unlink()
    (folder / "ledger.db").write_bytes(ledger)
    (folder / "ledger.db-wal").write_bytes(log)
    if head is not None:
        (folder / "ledger.db.head").write_bytes(head)
    return judge_folder(folder, left.promises)


def flips(content: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The content with one bit the other way, so many times."""
    for _ in range(count):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        yield bytes(changed)


def cuts(content: bytes, step: int) -> Iterator[bytes]:
    """The content, shorter and shorter."""
    for size in range(len(content) - 1, -1, -step):
        yield content[:size]
