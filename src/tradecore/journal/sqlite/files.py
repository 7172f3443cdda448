"""The files of an open ledger: whether they are still the ones under their names, and on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from tradecore.journal.directory import sync_directory


class LedgerFiles:
    """The ledger, its log, and the index of the log, as they were when the ledger was opened."""

    def __init__(self, path: Path) -> None:
        self._directory = path.parent
        self._log = f"{path}-wal"
        self._names = (str(path), self._log, f"{path}-shm")
        self._opened = [_identity(name) for name in self._names]

    def are_in_place(self) -> bool:
        """Whether nobody removed or replaced one: what is written to a file without a name, nobody finds again."""
        return [_identity(name) for name in self._names] == self._opened

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
        sync_directory(self._directory)


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - asked twice for every write
    except OSError:
        return None
    return found.st_dev, found.st_ino
