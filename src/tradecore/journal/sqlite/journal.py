"""The journal in a SQLite file."""

from __future__ import annotations

from pathlib import Path

from tradecore.journal.codec import CODEC, EventCodec
from tradecore.journal.sqlite.backup import back_up
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.head_file import HeadFile
from tradecore.journal.sqlite.inspection import inspect
from tradecore.journal.sqlite.measuring import measure
from tradecore.journal.sqlite.recorder import LedgerRecorder
from tradecore.journal.sqlite.texts import SqliteTexts
from tradecore.journal.sqlite.views import SqliteViews
from tradecore.journal.stats import StoreStats
from tradecore.journal.stored import StoredJournal

# Asking for the head costs what `PRAGMA data_version` costs (4 µs), so that is how other processes are noticed.
_NET_S = 0.05


class SqliteJournal(StoredJournal):
    """A `Journal` in a file: several threads and processes may append, one after the other."""

    def __init__(self, url: str, datastore: LedgerDatastore, codec: EventCodec = CODEC) -> None:
        self.datastore = datastore
        self.recorder = LedgerRecorder(datastore)
        self._views = SqliteViews(datastore)
        self._texts = SqliteTexts(datastore)
        self._head_file = HeadFile(datastore.path)
        super().__init__(url, self.recorder, codec, _NET_S)

    def _committed(self, head: int = 0) -> None:
        self._head_file.write(self.recorder.last_seen)
        super()._committed(head)

    @property
    def views(self) -> SqliteViews:
        """The read models."""
        return self._views

    @property
    def texts(self) -> SqliteTexts:
        """Free text that can be erased."""
        return self._texts

    def backup(self, target: Path) -> int:
        """Copy the ledger as it is now, online. Raises `InputError`, `CorruptLedger`, `StoreUnavailable`."""
        return back_up(self.datastore, target, self.codec)

    def stats(self) -> StoreStats:
        """Counts and sizes."""
        return measure(self.datastore)

    def check(self) -> None:
        """Check the file, the order of positions and versions, and every event. Raises `CorruptLedger`."""
        inspect(self.datastore, self.codec)

    def close(self) -> None:
        """Let go of the file."""
        self.datastore.close()
        self._head_file.close()
