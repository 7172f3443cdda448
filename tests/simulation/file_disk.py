"""The ledger's disk as real files: every process has the shipped SQLite journal open, and dies with it.

A process that dies leaves what it wrote: the next one opens a copy of the files as they were at that moment, with what
was in the middle of a transaction. With the power also goes what SQLite does not sync: the index of its log, and the
file that says where the ledger ended. Everything is called inline, so a seed stays the same day.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tests.simulation.disk import Disk, Handle, Remembering
from tests.simulation.hosts import Host, Killed
from tests.simulation.loop import SimulatedLoop
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable
from tradecore.journal.batch import NOTHING
from tradecore.journal.codec import EventCodec, Row
from tradecore.journal.memory.journal import MemoryJournal
from tradecore.journal.sqlite.head_file import SUFFIX
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.journal.sqlite.opening import open_ledger

_SHARED_MEMORY = Path("/dev/shm")
_NO_LIMIT = 2**30
_PATIENCE_S = 1.0


def uses_files(seed: int) -> bool:
    """Whether a seed's ledger is in a file."""
    return random.Random(f"store:{seed}").random() < 0.08


class RememberingBytes(Remembering):
    """The same for bytes that are other objects each time they are read."""

    def decode(self, row: Row) -> Recorded[Event]:
        known = self._known.get(row[0])
        if known is not None and known[0] == row[4] and known[1].envelope.stream == row[1]:
            return known[1]
        return super().decode(row)


class Connection:
    """A connection whose commits fail when they are told to: before anything is done, or when all of it is."""

    def __init__(self, connection: sqlite3.Connection, handle: FileHandle) -> None:
        self._connection = connection
        self._handle = handle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement. Raises as `sqlite3` does."""
        if statement != "COMMIT" or not self._handle.is_struck():
            return self._connection.execute(statement, *parameters)
        if self._handle.is_done:
            self._connection.execute(statement)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"
        raise error


class FileHandle(Handle):
    """The ledger as one process has it open."""

    disk: FileDisk

    def __init__(self, disk: FileDisk, host: Host) -> None:
        super().__init__(disk, host)
        self.is_done = False
        self.opened = disk.open_file()
        self.raw = self.opened.datastore.connection
        self.opened.datastore.connection = cast("sqlite3.Connection", Connection(self.raw, self))

    @property
    def _journal(self) -> MemoryJournal:
        if self.host.is_dead:
            raise Killed(self.host.name)
        return cast("MemoryJournal", self.opened)

    def is_struck(self) -> bool:
        """Whether this commit fails; then this process ends soon, and no other one of its does."""
        self.appends += 1
        if self.fail_at is None or self.appends < self.fail_at[0]:
            return False
        self.is_done = self.fail_at[1]
        self.fail_at = None
        self.disk.struck.append("done" if self.is_done else "lost")
        return True

    def append(
        self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING
    ) -> tuple[Recorded[Event], ...]:
        journal = self._journal
        before = journal.head()
        try:
            return journal.append(events, while_at)
        except StoreUnavailable:
            self._count_refused()
            raise
        finally:
            written = self.opened.read(before)
            if written:  # also when the process died just then
                self.disk.written(self, written)

    def close(self) -> None:
        """A daemon whose disk is full closes what it has open."""
        if not self.host.is_dead:
            self.opened.close()


class FileDisk(Disk):
    """A folder per life of the ledger."""

    def __init__(self, loop: SimulatedLoop, seed: int, watcher: Any, stuck: Any) -> None:
        self._folder: Path | None = None
        self._lives = 0
        self._is_full = False
        self._own: SqliteJournal | None = None
        self._chance = random.Random(f"files:{seed}")
        super().__init__(loop, seed, watcher, stuck)
        self.codec = RememberingBytes()

    @property
    def _path(self) -> Path:
        if self._folder is None:
            place = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
            self._folder = Path(tempfile.mkdtemp(prefix="tradecore-seed-", dir=place))
        return self._folder / f"{self._lives}.db"

    def open_file(self) -> SqliteJournal:
        """What a process opens. Raises as `open_ledger`."""
        codec = cast("EventCodec", self.codec)
        journal = open_ledger(f"sqlite:///{self._path}", self._path, create=True, patience_s=_PATIENCE_S, codec=codec)
        if self._is_full:
            _limit(journal.datastore.connection, is_full=True)
        return journal

    def open(self, host: Host) -> Handle:
        handle = FileHandle(self, host)
        self.handles.append(handle)
        return handle

    @property
    def journal(self) -> MemoryJournal:
        """The ledger as the judge reads it."""
        if self._own is None:
            self._own = self.open_file()
        return cast("MemoryJournal", self._own)

    @journal.setter
    def journal(self, _: MemoryJournal) -> None:
        """There are files instead."""

    @property
    def is_full(self) -> bool:
        """Whether the file cannot grow: SQLite itself says so, when it needs another page."""
        return self._is_full

    @is_full.setter
    def is_full(self, is_full: bool) -> None:
        self._is_full = is_full
        for handle in self.handles:
            if isinstance(handle, FileHandle) and not handle.host.is_dead:
                _limit(handle.raw, is_full=is_full)

    def standings(self) -> dict[str, int]:
        self.journal.head()
        assert self._own is not None, "it was just opened"
        with self._own.datastore.reading() as connection:
            return dict(connection.execute("SELECT view, position FROM tradecore_views").fetchall())

    def forget(self, host: Host) -> None:
        """A process ended; when it was the only one, the next one finds the files as they are now."""
        if all(handle.host.is_dead or handle.host is host for handle in self.handles):
            self._next_life(has_power=True)

    def lose_power(self) -> int:
        self._next_life(has_power=False)
        return 0

    def _next_life(self, *, has_power: bool) -> None:
        old, self._own = self._path, None
        self._lives += 1
        for kind in ("", "-wal", SUFFIX):
            part = old.with_name(old.name + kind)
            is_kept = kind != SUFFIX or has_power or self._chance.random() < 0.5
            if part.exists() and is_kept:
                shutil.copyfile(part, self._path.with_name(self._path.name + kind))
        keys = old.with_name(old.name + ".keys")  # of texts; each is synced before it is used
        if keys.is_dir():
            shutil.copytree(keys, self._path.with_name(self._path.name + ".keys"))

    def anonymous(self, text: str) -> str:
        return text if self._folder is None else text.replace(str(self._folder), "…")

    def end(self) -> None:
        """Remove everything."""
        for handle in self.handles:
            if isinstance(handle, FileHandle):
                handle.raw.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _limit(connection: sqlite3.Connection, *, is_full: bool) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages if is_full else _NO_LIMIT}").close()
