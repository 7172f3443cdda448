"""Connections that do not acknowledge what a power cut could take back."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from tradecore.errors import NotDurable
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error

_SETTINGS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: with NORMAL half of all power cuts lose acknowledged commits
    "mmap_size": 0,  # an I/O error on mapped memory is a signal, not an error code
    "wal_autocheckpoint": 0,  # its errors are swallowed; checkpoints are run, and judged, by the writer
    "locking_mode": "normal",
    "trusted_schema": 0,
    "cell_size_check": 1,
}
if sys.platform == "darwin":
    # Here fsync leaves the data in the drive's cache.
    _SETTINGS |= {"fullfsync": 1, "checkpoint_fullfsync": 1}


def connect(path: Path, patience_s: float) -> sqlite3.Connection:
    """A connection to an existing file, nothing set yet; `patience_s` is how long it waits for locks."""
    try:
        return sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=patience_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
    except sqlite3.Error as error:
        raise as_journal_error(error, path) from error


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Set what durability needs and read it back. Raises `NotDurable` naming the setting that did not take."""
    try:
        for name, wanted in _SETTINGS.items():
            connection.execute(f"PRAGMA {name}={wanted}").close()
            row = connection.execute(f"PRAGMA {name}").fetchone()
            # SQLite built without memory maps or without WAL answers nothing at all.
            got = row[0] if row else 0
            if str(got).lower() != str(wanted):
                raise NotDurable(f"{path}: SQLite keeps {name} at {got!r} where {wanted!r} is needed")
    except DATABASE_ERRORS as error:
        raise as_journal_error(error, path) from error
