"""The journal in memory: everything that a durable one promises, except to outlive the process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tradecore.errors import CorruptLedger, StoreUnavailable
from tradecore.journal.codec import CODEC, EventCodec
from tradecore.journal.memory.recorder import MemoryRecorder
from tradecore.journal.memory.texts import MemoryTexts
from tradecore.journal.memory.views import MemoryViews
from tradecore.journal.stats import StoreStats, ViewStanding
from tradecore.journal.stored import StoredJournal


class MemoryJournal(StoredJournal):
    """A `Journal` in memory; each one is a ledger of its own."""

    def __init__(self, codec: EventCodec = CODEC) -> None:
        self._recorder = MemoryRecorder()
        self._views = MemoryViews()
        self._texts = MemoryTexts()
        super().__init__("memory:", self._recorder, codec, None)

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
        rows = self._recorder.rows(0, self.head())
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
        self._recorder.close()
        self._views.close()
        self._texts.close()
