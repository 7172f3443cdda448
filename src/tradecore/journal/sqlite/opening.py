"""Open a ledger file, or create one: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from tradecore.errors import CorruptLedger, StoreUnavailable
from tradecore.journal.codec import EventCodec
from tradecore.journal.directory import sync_directory
from tradecore.journal.file_lock import FileLock
from tradecore.journal.sealed_codec import codec_found
from tradecore.journal.sqlite.connection import connect, make_durable
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error
from tradecore.journal.sqlite.head_file import SUFFIX, is_at_head
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.journal.sqlite.log_tail import read_log, refuse_early_end
from tradecore.journal.sqlite.schema import lay_out, recognise, renew_views
from tradecore.journal.sqlite.seal import break_seal, is_sealed

_LOG_HEADER_BYTES = 32
_MOMENT_S = 0.5


def open_ledger(
    url: str, path: Path, *, create: bool, patience_s: float, codec: EventCodec | None = None
) -> SqliteJournal:
    """The journal in a file; see `tradecore.journal.open_journal`."""
    codec = codec or codec_found()
    found = _exists(path)
    if not found and not create:
        raise StoreUnavailable(f"there is no ledger at {path}")
    guard = FileLock(path.with_name(path.name + ".lock"))
    try:
        if not found:
            _create(path, guard, patience_s)
        datastore = LedgerDatastore(path, _open(path, guard, patience_s), guard, patience_s)
    except BaseException:
        guard.close()
        raise
    try:
        renew_views(datastore)
    except BaseException:
        datastore.close()
        raise
    return SqliteJournal(url, datastore, codec)


def _exists(path: Path) -> bool:
    try:
        if path.is_dir():
            raise StoreUnavailable(f"{path} is a directory, not a ledger")
        if not path.exists():
            return False
        if not path.is_file():
            raise CorruptLedger(f"{path} is not a tradecore ledger: not a regular file")
        if path.stat().st_size == 0:
            # Taking an empty file for a new ledger would hide that a ledger was emptied.
            raise CorruptLedger(f"{path} is not a tradecore ledger: it is empty")
        if not os.access(path, os.R_OK | os.W_OK):
            raise StoreUnavailable(f"{path} may not be read and written by this user")
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be looked at: {error.strerror}") from error
    return True


def _open(path: Path, guard: FileLock, patience_s: float) -> sqlite3.Connection:
    connection = connect(path, patience_s)
    try:
        recognise(connection, path)
        make_durable(connection, path)
        _look_behind(connection, path, guard)
    except BaseException:
        connection.close()
        raise
    return connection


def _look_behind(connection: sqlite3.Connection, path: Path, guard: FileLock) -> None:
    """Whether the ledger still has the end that it had; a copy that is opened as a ledger goes on as one."""
    try:
        log = b""
        # Without the lock somebody writes just now, who looked when he opened it.
        if guard.take(_MOMENT_S):
            try:
                if is_sealed(connection):
                    break_seal(connection)
                log = read_log(path)
            finally:
                guard.let_go()
        if not is_at_head(connection, path):
            refuse_early_end(path, log)
    except DATABASE_ERRORS as error:
        raise as_journal_error(error, path) from error


def _create(path: Path, guard: FileLock, patience_s: float) -> None:
    if not path.parent.is_dir():
        raise StoreUnavailable(f"{path.parent} is not a directory: there can be no ledger {path.name} in it")
    if not guard.take(patience_s):
        raise StoreUnavailable(f"{path} is being created by another process for too long")
    try:
        if not _exists(path):  # another process may have been faster
            _build(path, patience_s)
    finally:
        guard.let_go()


def _build(path: Path, patience_s: float) -> None:
    """Lay the ledger out under another name and give it its own when it is complete and on the disk."""
    draft = path.with_name(path.name + ".new")
    try:
        for kind, harmless in (("-wal", _LOG_HEADER_BYTES), ("-journal", -1)):
            left = path.with_name(path.name + kind)
            if left.exists() and left.stat().st_size > harmless:
                # SQLite would play it back into the new file.
                raise CorruptLedger(
                    f"{path} is gone but {left.name} is there: bring the ledger back, or move both away"
                )
        head = path.with_name(path.name + SUFFIX)
        if head.exists():
            raise CorruptLedger(f"{path} is gone but {head.name} is there: bring the ledger back, or move it away")
        _remove(draft)
        draft.touch(exist_ok=False)
        connection = connect(draft, patience_s)
        try:
            make_durable(connection, draft)
            lay_out(connection)
            # Closing would move the log into the file, too, but tells nobody when that fails.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise as_journal_error(error, path) from error
        finally:
            connection.close()
        draft.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be created: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):  # the next creation tries again
            _remove(draft)


def _remove(draft: Path) -> None:
    for kind in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + kind).unlink(missing_ok=True)
