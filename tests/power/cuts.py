"""Cuts the power at every point of a recorded session, in many ways each, and counts what became of the ledger."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from tests.power.disk import Disk, Image
from tests.power.judging import Promises, Verdict, judge
from tests.power.recording import DirectorySynced, Marked, Operation, Synced, operations, preloaded

FULL, NORMAL, OFF = 2, 1, 0


@attrs.define
class Tally:
    """How many images ended how, in how many seconds; and for each verdict the first reasons."""

    counts: Counter[Verdict] = attrs.field(factory=Counter)
    reasons: dict[Verdict, list[str]] = attrs.field(factory=dict)
    seconds: float = 0.0

    @property
    def images(self) -> int:
        """All images."""
        return sum(self.counts.values())

    @property
    def is_sound(self) -> bool:
        """Whether no image ended in any other way than it should."""
        return self.counts[Verdict.SOUND] == self.images

    def add(self, verdict: Verdict, reason: str) -> None:
        """Count one."""
        self.counts[verdict] += 1
        if verdict is not Verdict.SOUND and len(self.reasons.setdefault(verdict, [])) < 5:
            self.reasons[verdict].append(reason)

    def __str__(self) -> str:
        counted = ", ".join(f"{self.counts[verdict]} {verdict.value}" for verdict in Verdict)
        return f"{self.images} images: {counted}; {self.images / max(self.seconds, 1e-9):.0f} images/s"


@attrs.frozen
class Session:
    """Processes that work on one ledger one after the other: each with its steps, how it ends, and which sync fails."""

    steps: int
    ending: str = "exit"
    fails_sync: int = 0


def record(library: Path, folder: Path, seed: int, sessions: list[Session], synchronous: int = FULL) -> list[Operation]:
    """The operations of a new ledger's sessions."""
    log, work = folder / f"log-{seed}", folder / f"work-{seed}"
    work.mkdir()
    for number, session in enumerate(sessions):
        words = [str(word) for word in (work, 100 * seed + number, session.steps, synchronous, session.ending)]
        environment: Mapping[str, str] = preloaded(library, work, log, session.fails_sync)
        command = [sys.executable, "-m", "tests.power.workload", *words]
        subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, check=True)
    return operations(log)


def cut_everywhere(recorded: list[Operation], chance: random.Random, tries: int, most: int | None = None) -> Tally:
    """Judge the images of every crash point, `tries` random ones for each; stops at `most` images."""
    tally = Tally()
    started = time.perf_counter()
    with _folder_in_memory() as folder:
        for image, promises in _images(recorded, chance, tries):
            tally.add(*judge(image, promises, folder))
            if tally.images == most:
                break
    tally.seconds = time.perf_counter() - started
    return tally


def _images(recorded: list[Operation], chance: random.Random, tries: int) -> Iterator[tuple[Image, Promises]]:
    disk, promises = Disk(chance), Promises()
    for operation in recorded:
        disk.take(operation)
        if isinstance(operation, Marked):
            promises.hear(operation.text)
        if isinstance(operation, Marked | Synced | DirectorySynced):
            yield disk.nothing_unsynced(), promises
        elif not disk.is_settled:
            yield disk.everything(), promises
        if not disk.is_settled:
            for _ in range(tries):
                yield disk.something(), promises


@contextlib.contextmanager
def _folder_in_memory() -> Iterator[Path]:
    """A folder on a file system where a sync costs nothing, if there is one."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Path(name).resolve()
