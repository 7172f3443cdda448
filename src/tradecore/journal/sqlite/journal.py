"""The journal in a SQLite file."""

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
from tradecore.journal.sqlite.backup import back_up
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.head_file import HeadFile
from tradecore.journal.sqlite.inspection import inspect
from tradecore.journal.sqlite.measuring import measure
from tradecore.journal.sqlite.recorder import LedgerRecorder
from tradecore.journal.sqlite.texts import SqliteTexts
from tradecore.journal.sqlite.views import SqliteViews
from tradecore.journal.stats import StoreStats
from tradecore.journal.wakeup import Wakeup

# Asking for the head costs what `PRAGMA data_version` costs (4 µs), so that is how other processes are noticed.
_NET_S = 0.05


class SqliteJournal:
    """A `Journal` in a file: several threads and processes may append, one after the other."""

    def __init__(self, url: str, datastore: LedgerDatastore) -> None:
        self.url = url
        self.datastore = datastore
        self.recorder = LedgerRecorder(datastore)
        self._views = SqliteViews(datastore)
        self._texts = SqliteTexts(datastore)
        self._head_file = HeadFile(datastore.path)
        self._wakeup = Wakeup(self.head, _NET_S)

    def append(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """Append in one transaction. Raises `WrongVersion`, `InputError`, `StoreUnavailable`."""
        rows = stored(events)
        if not rows:
            return ()
        try:
            positions = self.recorder.insert_events(rows, event_ids=[e.envelope.event_id for e in events])
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        assert positions is not None
        self._head_file.write(self.recorder.last_seen)
        self._wakeup.signal()
        failpoint("journal.append.after_commit")
        return placed(events, positions)

    def load(self, stream: str, after: int = 0) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`."""
        return tuple(decode(row) for row in self.recorder.stream_rows(stream, after))

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`."""
        return tuple(decode(row) for row in self.recorder.rows(after, limit))

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
        """Wait until the head is behind `after`; other processes' commits are noticed within 50 ms."""
        return await self._wakeup.wait(after, timeout_s)

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
        return back_up(self.datastore, target)

    def stats(self) -> StoreStats:
        """Counts and sizes."""
        return measure(self.datastore)

    def check(self) -> None:
        """Check the file, the order of positions and versions, and every event. Raises `CorruptLedger`."""
        inspect(self.datastore)

    def close(self) -> None:
        """Let go of the file."""
        self.datastore.close()
        self._head_file.close()
