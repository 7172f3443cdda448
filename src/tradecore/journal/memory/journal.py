"""The journal in memory: everything that a durable one promises, except to outlive the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eventsourcing.persistence import IntegrityError

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, StoreUnavailable, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.batch import placed, stored
from tradecore.journal.chain import Link
from tradecore.journal.codec import decode
from tradecore.journal.memory.recorder import MemoryRecorder
from tradecore.journal.memory.texts import MemoryTexts
from tradecore.journal.memory.views import MemoryViews
from tradecore.journal.stats import StoreStats, ViewStanding
from tradecore.journal.wakeup import Wakeup


class MemoryJournal:
    """A `Journal` in memory; each one is a ledger of its own."""

    url = "memory:"

    def __init__(self) -> None:
        self._recorder = MemoryRecorder()
        self._views = MemoryViews()
        self._texts = MemoryTexts()
        self._wakeup = Wakeup(self.head, net_s=None)
        self._closed = False

    def append(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """Append in one step. Raises `WrongVersion`, `InputError`."""
        rows = stored(events)
        recorder = self._open()
        if not rows:
            return ()
        try:
            positions = recorder.insert_events(rows, event_ids=[e.envelope.event_id for e in events])
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        assert positions is not None
        self._wakeup.signal()
        failpoint("journal.append.after_commit")
        return placed(events, positions)

    def load(self, stream: str, after: int = 0) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`."""
        return tuple(decode(row) for row in self._open().stream_rows(stream, after))

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`."""
        return tuple(decode(row) for row in self._open().rows(after, limit))

    def head(self) -> int:
        """The last position."""
        return self._open().max_notification_id() or 0

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` rows behind position `after`, with their links."""
        return self._open().links(after, limit)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        return self._open().head_link()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the head is behind `after`."""
        return await self._wakeup.wait(after, timeout_s)

    @property
    def views(self) -> MemoryViews:
        """The read models."""
        return self._views

    @property
    def texts(self) -> MemoryTexts:
        """Free text that can be erased."""
        return self._texts

    def backup(self, target: Path) -> int:
        """Raises `StoreUnavailable`: what lives in memory has nothing to copy from."""
        raise StoreUnavailable(f"a ledger in memory cannot be backed up to {target}: it ends with its process")

    def stats(self) -> StoreStats:
        """Counts; there are no files to measure."""
        rows = self._open().rows(0, self.head())
        standings = tuple(ViewStanding(*item) for item in sorted(self._views.positions().items()))
        by_name = dict(sorted(Counter(name for _, _, _, name, _ in rows).items()))
        return StoreStats(len(rows), len({row[1] for row in rows}), self.head(), 0, 0, by_name, standings)

    def check(self) -> None:
        """Decode everything. Raises `CorruptLedger`, `NewerLedger`."""
        head = self.head()
        self.read(0, head)
        for view, position in self._views.positions().items():
            if position > head:
                raise CorruptLedger(f"view {view} stands at position {position}, and the ledger ends at {head}")

    def close(self) -> None:
        """Refuse everything from here on."""
        self._closed = True
        self._views.close()
        self._texts.close()

    def _open(self) -> MemoryRecorder:
        if self._closed:
            raise StoreUnavailable("the journal is closed")
        return self._recorder
