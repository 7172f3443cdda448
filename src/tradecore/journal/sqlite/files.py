"""The files of an open ledger: whether they are still the ones under their names, and on the disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tradecore.journal.directory import sync_directory

_TICK_S = 0.1
_AGAIN_S = 1.0


class LedgerFiles:
    """The ledger, its log, and the index of the log, as they were when the ledger was opened.

    Looking at the log itself makes the next commit dearer by a quarter: Linux (6.13 and later) then gives the file a
    new change time, which has to reach the disk with it. So the directory is looked at instead, which says when a name
    in it was last removed or replaced.
    """

    def __init__(self, path: Path) -> None:
        self._directory = str(path.parent)
        self._log = f"{path}-wal"
        self._names = (str(path), self._log, f"{path}-shm")
        self._opened = [_identity(name) for name in self._names]
        self._folder: tuple[int, int, int] | None = None
        self._since = self._looked = 0.0

    def are_in_place(self) -> bool:
        """Whether nobody removed or replaced one: what is written to a file without a name, nobody finds again."""
        folder = _change(self._directory)
        now = time.monotonic()
        if folder != self._folder:
            self._folder, self._since = folder, now
        elif self._since + _TICK_S <= self._looked <= now <= self._looked + _AGAIN_S:
            # The files were looked at well after the directory's last change: one since then would show as another.
            return True
        if [_identity(name) for name in self._names] != self._opened:
            return False
        self._looked = 0.0 if folder is None else now
        return True

    def settle(self) -> None:
        """Write the log again as it is, and sync it and the names of all. Nobody else may write. Raises `OSError`.

        When a sync fails the system forgets what it could not write, yet goes on showing it: an earlier process may
        have left a log that we can read, that is not on the disk, and that no sync would put there. SQLite syncs the
        name of a new log, but tells nobody when that fails.
        """
        try:
            handle = os.open(self._log, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            at = 0
            while chunk := os.pread(handle, 2**20, at):
                at += os.pwrite(handle, chunk, at)
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_directory(Path(self._directory))


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - asked twice for every write
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _change(directory: str) -> tuple[int, int, int] | None:
    """Which directory it is and when it changed; None where that is told in whole seconds, or not at all."""
    try:
        found = os.stat(directory)  # noqa: PTH116 - asked twice for every write
    except OSError:
        return None
    changed = found.st_mtime_ns
    return None if changed % 1_000_000_000 == 0 else (found.st_dev, found.st_ino, changed)
