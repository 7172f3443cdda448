"""Keeping SQLite's log (the WAL) short while others read."""

from __future__ import annotations

import sqlite3

from tradecore.journal.sqlite.failures import is_lock

_LONG_PAGES = 2000  # 8 MB of pages of 4096 bytes
_PATIENCE_MS = 100


def shorten(connection: sqlite3.Connection) -> None:
    """Move the log into the file; cut it off when it has become long. For a writer that is alone.

    A passive checkpoint waits for nobody, and the log begins anew only when nobody reads from it just then: readers
    that take turns could let it grow for ever. Cutting it off waits until those who read now are done, and new ones
    read from the file, so it ends. Somebody who holds a read transaction open for longer keeps the log as it is until
    the next time.
    """
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if pages < _LONG_PAGES:
        return
    patience_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}").close()
    try:
        cut_off(connection)
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience_ms}").close()


def cut_off(connection: sqlite3.Connection) -> bool:
    """Move the whole log into the file and make it empty; False when a reader was in the way for too long."""
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        if is_lock(error):
            return False
        raise
    return not busy
