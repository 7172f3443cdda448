"""The ledger's disk: a journal in memory that outlives processes, with writes that fail or are lost with the power."""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tests.simulation.hosts import HOST, Host, Killed
from tests.simulation.loop import SimulatedLoop
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreFull, StoreUnavailable
from tradecore.journal.batch import NOTHING
from tradecore.journal.chain import Link
from tradecore.journal.codec import CODEC, Row
from tradecore.journal.memory.journal import MemoryJournal
from tradecore.journal.side_store import SideStore
from tradecore.journal.stats import StoreStats
from tradecore.journal.view_store import ViewStore
from tradecore.journal.wakeup import Wakeup

Watcher = Callable[[Host, tuple[Recorded[Event], ...]], None]
_HEARD_WITHIN_S = 0.25
_MOST_REFUSED = 100
"""Writes that a process may still try after its journal broke: it is to end."""


class Remembering:
    """A codec that reads each stored event once: events do not change, and every process reads all of them."""

    def __init__(self) -> None:
        self.encode = CODEC.encode
        self._known: dict[int, tuple[bytes, Recorded[Event]]] = {}

    def decode(self, row: Row) -> Recorded[Event]:
        """The event of a row."""
        known = self._known.get(row[0])
        if known is not None and known[0] is row[4]:
            return known[1]
        found = CODEC.decode(row)
        self._known[row[0]] = row[4], found
        return found

    def decode_all(self, rows: Sequence[Row]) -> tuple[Recorded[Event], ...]:
        """The events of many rows."""
        return tuple(map(self.decode, rows))


class Disk:
    """What is written, and how much of it a loss of power would leave."""

    def __init__(self, loop: SimulatedLoop, seed: int, watcher: Watcher, stuck: Callable[[Host], None]) -> None:
        self.codec = Remembering()
        self.journal = MemoryJournal(self.codec)
        self.handles: list[Handle] = []
        self.is_full = False
        self.struck: list[str] = []
        self.synced = 0
        self._loop = loop
        self._rng = random.Random(f"disk:{seed}")
        self._watcher = watcher
        self.stuck = stuck

    def open(self, host: Host) -> Handle:
        """The ledger in the hands of a process."""
        handle = Handle(self, host)
        self.handles.append(handle)
        return handle

    def sync(self) -> None:
        """What is written is safe from here on."""
        self.synced = self.journal.head()

    def lose_power(self) -> int:
        """Forget what was not synced; returns how much that was. Nothing may run meanwhile."""
        lost = self.journal.head() - self.synced
        if lost:
            kept = self.journal.read(0, self.synced)
            self.journal = MemoryJournal(self.codec)
            self.journal.append([replace(one, envelope=replace(one.envelope, position=0)) for one in kept])
        return lost

    def standings(self) -> dict[str, int]:
        """How far the views are."""
        return dict(self.journal.views.positions())

    def forget(self, host: Host) -> None:
        """A process ended."""

    def anonymous(self, text: str) -> str:
        """A text without the place of the ledger, which is another one each time."""
        return text

    def end(self) -> None:
        """Nothing is left to be removed."""

    def written(self, by: Handle, recorded: tuple[Recorded[Event], ...]) -> None:
        """Let everybody hear of an append: its writer at once, others when they next look."""
        self._watcher(by.host, recorded)
        head = recorded[-1].envelope.position
        by.wakeup.signal(head)
        for other in self.handles:
            if other is not by and not other.host.is_dead:
                context = contextvars.copy_context()
                context.run(HOST.set, other.host)
                self._loop.call_later(self._rng.uniform(0, _HEARD_WITHIN_S), other.wakeup.signal, head, context=context)


class Handle:
    """A `Journal` as one process has it open."""

    def __init__(self, disk: Disk, host: Host) -> None:
        self.disk = disk
        self.host = host
        self.url = "memory:"
        self.appends = self.refused = 0
        self.fail_at: tuple[int, bool] | None = None
        self.wakeup = Wakeup(self.head, None)
        self._is_broken = False

    @property
    def _journal(self) -> MemoryJournal:
        if self.host.is_dead:
            raise Killed(self.host.name)
        return self.disk.journal

    def append(
        self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING
    ) -> tuple[Recorded[Event], ...]:
        journal = self._journal
        if self._is_broken:
            self._count_refused()
            raise StoreUnavailable("a write failed before: only a restart tells what the disk holds")
        if self.disk.is_full:
            self._is_broken = True
            raise StoreFull("the disk is full")
        self.appends += 1
        fails = self.fail_at is not None and self.appends >= self.fail_at[0]
        if fails and self.fail_at is not None and not self.fail_at[1]:
            self._is_broken = True
            raise StoreUnavailable("the write failed; it may or may not have been done")
        before = journal.head()
        try:
            recorded = journal.append(events, while_at)
        finally:
            if journal.head() > before:  # also when the process died just then
                self.disk.sync()
                self.disk.written(self, journal.read(before))
        if fails:
            self._is_broken = True
            raise StoreUnavailable("the write was done, and its confirmation was lost")
        return recorded

    def _count_refused(self) -> None:
        self.refused += 1
        if self.refused > _MOST_REFUSED:
            self.disk.stuck(self.host)
            raise Killed(self.host.name)

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        return self._journal.load(stream, after, limit)

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        return self._journal.read(after, limit)

    def fresh(self, after: int) -> tuple[Recorded[Event], ...]:
        return self._journal.fresh(after)

    def head(self) -> int:
        return self._journal.head()

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        return self._journal.links(after, limit)

    def head_link(self) -> tuple[int, bytes]:
        return self._journal.head_link()

    async def wait(self, after: int, timeout_s: float) -> bool:
        return await self.wakeup.wait(after, timeout_s)

    @property
    def views(self) -> ViewStore:
        return self._journal.views

    @property
    def texts(self) -> SideStore:
        return self._journal.texts

    def backup(self, target: Path) -> int:
        return self._journal.backup(target)

    def stats(self) -> StoreStats:
        return self._journal.stats()

    def check(self) -> None:
        self._journal.check()

    def close(self) -> None:
        """The disk stays."""
