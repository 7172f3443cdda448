"""Room on the ledger's disk that is kept for the last things that must be recorded when it is full."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tradecore.errors import StoreUnavailable
from tradecore.journal.directory import sync_directory
from tradecore.journal.url import ledger_path


class Reserve:
    """A file beside the ledger, filled up on the disk, whose room can be given back. Sizes in bytes."""

    def __init__(self, ledger: Path, size: int) -> None:
        self.path = ledger.with_name(ledger.name + ".reserve")
        self._size = size

    def take(self) -> bool:
        """Take the room if it is not taken; False when the disk does not give it. Harmless when repeated."""
        if self._size == 0:
            return True
        try:
            if self.path.exists() and self.path.stat().st_blocks * 512 >= self._size:
                return True
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _fill(handle, self._size)
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_directory(self.path.parent)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the room back to the disk; harmless when there is none. Raises `StoreUnavailable`."""
        try:
            self.path.unlink(missing_ok=True)
            sync_directory(self.path.parent)
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be removed: {error.strerror}") from error


def free_bytes(url: str) -> int | None:
    """Room that is left on the disk of a ledger for this user; None for one that is not on a disk of this machine.

    Raises `StoreUnavailable` when the disk does not say.
    """
    path = ledger_path(url)
    if path is None:
        return None
    try:
        return shutil.disk_usage(path.parent).free
    except OSError as error:
        raise StoreUnavailable(f"the disk of {path} does not say how much room it has: {error.strerror}") from error


def _fill(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    for start in range(0, size, 2**16):
        os.pwrite(handle, bytes(min(2**16, size - start)), start)
