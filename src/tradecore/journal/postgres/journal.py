"""The journal in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventsourcing.persistence import IntegrityError

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.batch import placed, stored
from tradecore.journal.chain import Link
from tradecore.journal.codec import decode
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
from tradecore.journal.wakeup import Wakeup

_NET_S = 1.0  # how often to look for what a lost notification would have told


class PostgresJournal:
    """A `Journal` in a Postgres schema: threads, processes and machines may append, one after the other.

    It has a connection for writing, one for reading, and one for listening once somebody waits. Connections that break
    are replaced when they are next needed.
    """

    def __init__(self, address: Address, line: Line, patience_s: float) -> None:
        self.url = address.url
        self._address = address
        self.writer = Writer(address, line, patience_s)
        self.reader = Reader(address, patience_s)
        self.recorder = LedgerRecorder(self.writer, self.reader)
        self._views = PostgresViews(self.writer, self.reader)
        self._texts = PostgresTexts(address, patience_s)
        self._wakeup = Wakeup(self.head, _NET_S)
        self._listener = Listener(address, self._wakeup.signal)

    def append(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """Append in one transaction and one round trip. Raises `WrongVersion`, `InputError`, `StoreUnavailable`."""
        rows = stored(events)
        if not rows:
            return ()
        try:
            positions = self.recorder.insert_events(rows, event_ids=[e.envelope.event_id for e in events])
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        assert positions is not None
        self._wakeup.signal()
        failpoint("journal.append.after_commit")
        return placed(events, positions)

    def load(self, stream: str, after: int = 0) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`."""
        return tuple(map(decode, self.recorder.stream_rows(stream, after)))

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`."""
        return tuple(map(decode, self.recorder.rows(after, limit)))

    def head(self) -> int:
        """The last position."""
        return self.recorder.max_notification_id() or 0

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` stored rows behind position `after`."""
        return self.recorder.links(after, limit)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        return self.recorder.head_link()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the head is behind `after`; other processes' commits wake by NOTIFY."""
        self._listener.start()
        return await self._wakeup.wait(after, timeout_s)

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
        return back_up(self._address, target)

    def stats(self) -> StoreStats:
        """Counts and sizes."""
        return measure(self.reader)

    def check(self) -> None:
        """Check order, versions, hash chain, and every event. Raises `CorruptLedger`."""
        inspect(self.reader, self._address.shown)

    def close(self) -> None:
        """Let go of all connections."""
        self._listener.close()
        self.writer.close()
        self.reader.close()
        self._texts.close()
