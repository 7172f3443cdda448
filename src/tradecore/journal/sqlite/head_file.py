"""Where the ledger ended, in a file beside it: so that an end that went missing without a word is noticed.

The file is written after each durable append and not synced, so it never knows more than the disk has. It may know less
after a power cut, never after a kill.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import zlib
from pathlib import Path

from tradecore.errors import CorruptLedger
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error

SUFFIX = ".head"
_LINE = re.compile(rb"(\d{20}) ([0-9a-f]{64}) ([0-9a-f]{8})\n")


class HeadFile:
    """Keeps the last position and its link beside a ledger. What fails here fails nothing else."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(ledger.name + SUFFIX)
        self._handle: int | None = None

    def write(self, head: tuple[int, bytes]) -> None:
        """Note that the ledger reaches at least to here."""
        body = b"%020d %s" % (head[0], head[1].hex().encode())
        with contextlib.suppress(OSError):
            if self._handle is None:
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            # In one write within one sector: it is the old line or the new one.
            os.pwrite(self._handle, b"%s %08x\n" % (body, zlib.crc32(body)), 0)

    def close(self) -> None:
        """Put it on the disk; harmless when repeated."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._handle)
            os.close(self._handle)
            self._handle = None


def is_at_head(connection: sqlite3.Connection, ledger: Path) -> bool:
    """Whether the ledger ends where it is known to have ended; False when it is longer, or nothing is known.

    Raises `CorruptLedger` when it does not reach to where it did, or has another history there.
    """
    path = ledger.with_name(ledger.name + SUFFIX)
    known = _read(path)
    if known is None:
        return False
    position, chain = known
    try:
        row = connection.execute("SELECT chain FROM events WHERE position = ?", (position,)).fetchone()
        (last,) = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
    except DATABASE_ERRORS as error:
        raise as_journal_error(error, ledger) from error
    if row is None:
        raise CorruptLedger(
            f"{ledger} ends at position {last}, and position {position} was written: the end of its log is damaged, or "
            f"an old copy was put in its place. Bring back the newest copy; only to go on without those events, move "
            f"{path.name} away"
        )
    if row != (chain,):
        raise CorruptLedger(
            f"{ledger} has another event at position {position} than was written there: it is not the ledger that was "
            f"here. If that is meant, move {path.name} away"
        )
    return bool(last == position)


def _read(path: Path) -> tuple[int, bytes] | None:
    """What was noted; None for nothing, and for what is damaged itself: it accuses nobody."""
    try:
        found = _LINE.fullmatch(path.read_bytes())
    except OSError:
        return None
    if found is None or zlib.crc32(b"%s %s" % found.group(1, 2)) != int(found[3], 16):
        return None
    return int(found[1]), bytes.fromhex(found[2].decode())
