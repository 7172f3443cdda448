"""What an error of SQLite means for a ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tradecore.errors import CorruptLedger, JournalError, StoreFull, StoreUnavailable

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_FAULTS = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second where damage is in a text, be it one of its own messages."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code, None when the error is not SQLite's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_lock(error: sqlite3.Error) -> bool:
    """Whether somebody else's lock was in the way, and nothing was done."""
    return primary_code(error) in _LOCKED


def is_fault(error: sqlite3.Error) -> bool:
    """Whether disk, memory or file failed, so that nothing may be assumed about later writes."""
    return primary_code(error) in _FAULTS


def as_journal_error(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> JournalError:
    """The typed error to raise."""
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in str(error):
        return CorruptLedger(f"{path} is damaged: {error}")
    if is_lock(error):
        return StoreUnavailable(f"{path} is locked by another process for too long")
    if primary_code(error) in _DAMAGED:
        return CorruptLedger(f"{path} is damaged or no ledger: {error}")
    if primary_code(error) == sqlite3.SQLITE_FULL:
        return StoreFull(f"{path} cannot grow: {error}")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreUnavailable(f"{path}: {error} ({name})")
