"""The journal in Postgres."""

from __future__ import annotations

from pathlib import Path

from tradecore.journal.codec import CODEC, EventCodec
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.backup import back_up
from tradecore.journal.postgres.connection import Line
from tradecore.journal.postgres.inspection import inspect
from tradecore.journal.postgres.listener import Listener
from tradecore.journal.postgres.measuring import measure
from tradecore.journal.postgres.reader import Reader
from tradecore.journal.postgres.recorder import LedgerRecorder
from tradecore.journal.postgres.texts import PostgresTexts
from tradecore.journal.postgres.views import PostgresViews
from tradecore.journal.postgres.writer import Writer
from tradecore.journal.stats import StoreStats
from tradecore.journal.stored import StoredJournal

_NET_S = 1.0  # how often to look for what a lost notification would have told


class PostgresJournal(StoredJournal):
    """A `Journal` in a Postgres schema: threads, processes and machines may append, one after the other.

    It has a connection for writing, one for reading, and one for listening once somebody waits. Connections that break
    are replaced when they are next needed.
    """

    def __init__(self, address: Address, line: Line, patience_s: float, codec: EventCodec = CODEC) -> None:
        self._address = address
        self.writer = Writer(address, line, patience_s)
        self.reader = Reader(address, patience_s)
        self.recorder = LedgerRecorder(self.writer, self.reader)
        self._views = PostgresViews(self.writer, self.reader)
        self._texts = PostgresTexts(address, patience_s)
        super().__init__(address.url, self.recorder, codec, _NET_S)
        self._listener = Listener(address, self._wakeup.signal)

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the head is behind `after`; other processes' commits wake by NOTIFY."""
        self._listener.start()
        return await super().wait(after, timeout_s)

    @property
    def views(self) -> PostgresViews:
        """The read models."""
        return self._views

    @property
    def texts(self) -> PostgresTexts:
        """Free text that can be erased."""
        return self._texts

    def backup(self, target: Path) -> int:
        """Copy the ledger as it is now to a file. Raises `InputError`, `CorruptLedger`, `StoreUnavailable`."""
        self.reader.ask(b"SELECT 1")  # refuses what is closed or belongs to another process
        return back_up(self._address, target, self.codec)

    def stats(self) -> StoreStats:
        """Counts and sizes."""
        return measure(self.reader)

    def check(self) -> None:
        """Check order, versions, hash chain, and every event. Raises `CorruptLedger`."""
        inspect(self.reader, self._address.shown, self.codec)

    def close(self) -> None:
        """Let go of all connections."""
        self._listener.close()
        self.writer.close()
        self.reader.close()
        self._texts.close()
