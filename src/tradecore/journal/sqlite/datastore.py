"""One connection per ledger and process, its transactions, and what happens when one of them fails."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import IntegrityError
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore

from tradecore.errors import JournalError, StoreFull, StoreUnavailable
from tradecore.journal.file_lock import FileLock
from tradecore.journal.sqlite.connection import connect, make_durable
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error, is_fault, primary_code
from tradecore.journal.sqlite.files import LedgerFiles
from tradecore.journal.sqlite.log_size import shorten

Landed = Callable[[sqlite3.Connection], bool]
"""Looks on a fresh connection whether a transaction whose commit failed is there after all."""

_CHECKPOINT_PAGES = 1000


class LedgerDatastore(SQLiteDatastore):
    """Gives out the connection to one thread at a time.

    Writers of all processes take turns by a file lock, which also covers checkpoints: SQLite before 3.51.3 can corrupt
    a file when one process checkpoints while another writes.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, guard: FileLock, patience_s: float) -> None:
        self.path = path
        self.connection = connection
        self._guard = guard
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._unfit: str | None = None
        self._is_full = False
        self._closed = False
        self._files = LedgerFiles(path)
        self._is_settled = False
        self._pages = 0
        super().__init__(str(path), originator_id_type="text")

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """A cursor to read with, or to write with and commit."""
        if commit:
            with self.writing(lambda _: False) as cursor:
                yield cursor
        else:
            with self.reading() as connection:
                yield SQLiteCursor(connection.cursor())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for single statements: each sees one state of the ledger."""
        self._take_turn()
        try:
            yield self.connection
        except DATABASE_ERRORS as error:
            raise as_journal_error(error, self.path) from error
        finally:
            self._lock.release()

    @contextmanager
    def writing(self, landed: Landed) -> Iterator[SQLiteCursor]:
        """A transaction that is durable when the block is left, or never was.

        Raises `IntegrityError` for a clash with what is there, `StoreUnavailable` otherwise. After an I/O error the
        datastore takes no more writes.
        """
        self._be_alone()
        try:
            try:
                before = self.connection.total_changes
                self.connection.execute("BEGIN IMMEDIATE")
                self._find_files()
                self._settle()
                yield SQLiteCursor(self.connection.cursor())
                self._commit(landed)
                self._find_files()
            except BaseException as error:
                self._fail(error)
                raise
            self._pages += 5 + (self.connection.total_changes - before) // 4
            if self._pages >= _CHECKPOINT_PAGES:
                self._checkpoint()
        finally:
            self._let_others()

    @contextmanager
    def maintaining(self) -> Iterator[sqlite3.Connection]:
        """The connection while nobody else writes, for what cannot be in a transaction. Raises as `writing`."""
        self._be_alone()
        try:
            self._find_files()
            self._settle()
            yield self.connection
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._let_others()

    def _be_alone(self) -> None:
        self._take_turn()
        try:
            self._take_guard()
        except BaseException:
            self._lock.release()
            raise

    def _take_guard(self) -> None:
        if self._unfit is not None:
            kind = StoreFull if self._is_full else StoreUnavailable
            raise kind(f"{self.path} takes no more writes until a restart: {self._unfit}")
        if not self._guard.take(self._patience_s):
            raise StoreUnavailable(f"{self.path} is locked by another process for too long")

    def _let_others(self) -> None:
        self._guard.let_go()
        self._lock.release()

    def _fail(self, error: BaseException) -> None:
        """Undo, and raise the typed error for what SQLite raised; returns for what is none of its errors."""
        self._roll_back()
        if isinstance(error, sqlite3.IntegrityError):
            raise IntegrityError(str(error)) from error
        if isinstance(error, DATABASE_ERRORS):
            if isinstance(error, UnicodeDecodeError) or is_fault(error):
                self._take_no_more(error)
            raise as_journal_error(error, self.path) from error

    def _take_no_more(self, error: Exception) -> None:
        self._unfit = str(error)
        self._is_full = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_FULL

    def _commit(self, landed: Landed) -> None:
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._take_no_more(error)
            self._roll_back()
            # SQLite publishes a commit to others only after its sync has returned: who can see it, has it.
            if not self._ask_afresh(landed):
                raise

    def _ask_afresh(self, landed: Landed) -> bool:
        try:
            connection = connect(self.path, self._patience_s)
            try:
                make_durable(connection, self.path)
                return landed(connection)
            finally:
                connection.close()
        except (sqlite3.Error, JournalError):
            return False

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            try:
                self.connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self._take_no_more(error)

    def _settle(self) -> None:
        """Before this process changes anything, be sure that what it builds on is on the disk."""
        if self._is_settled:
            return
        try:
            self._files.settle()
        except OSError as error:
            self._unfit = f"its log cannot be put on the disk: {error.strerror}"
            raise StoreUnavailable(f"{self.path}: {self._unfit}") from error
        self._is_settled = True

    def _find_files(self) -> None:
        if not self._files.are_in_place():
            self._unfit = "it, its -wal or its -shm was removed or replaced"
            raise StoreUnavailable(f"{self.path} is not the ledger that was opened: {self._unfit}")

    def _checkpoint(self) -> None:
        """Move the log into the file. What was committed is safe in the log, so an error only ends the writing."""
        self._pages = 0
        try:
            shorten(self.connection)
        except sqlite3.Error as error:
            if is_fault(error):
                self._take_no_more(error)

    def _take_turn(self) -> None:
        # Asked before the lock: a forked child may find it taken by a thread that it does not have.
        if self._pid != os.getpid():
            raise StoreUnavailable(f"{self.path} was opened before this process was forked: open it again here")
        self._lock.acquire()
        if self._closed:
            self._lock.release()
            raise StoreUnavailable("the journal is closed")

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        if self._pid != os.getpid():
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._unfit is not None and sys.version_info >= (3, 12):
                    # After a failed sync the log must stay as it is: recovery will need it.
                    self.connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
                if self._guard.take(self._patience_s):  # closing may checkpoint
                    self.connection.execute("BEGIN IMMEDIATE")
                    self._settle()
                    self.connection.execute("ROLLBACK")
            except (StoreUnavailable, sqlite3.Error):
                pass
            finally:
                self.connection.close()
                self._guard.close()
