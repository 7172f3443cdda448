"""An advisory lock on a file between processes; the system lets go of it when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

from tradecore.errors import StoreUnavailable


class FileLock:
    """`flock` on a file of its own, created when first taken and never removed: removing it would split the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        _locks.add(self)

    def take(self, patience_s: float, *, shared: bool = False) -> bool:
        """Take it, also `shared`, within `patience_s` seconds; False when it was kept. Raises `StoreUnavailable`."""
        deadline = None
        pause = 0.0001
        try:
            while not self._try(shared=shared):
                now = time.monotonic()
                deadline = now + patience_s if deadline is None else deadline
                if now >= deadline:
                    return False
                time.sleep(min(pause, deadline - now))
                pause = min(pause * 2, 0.002)
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be locked: {error.strerror}") from error
        return True

    def let_go(self) -> None:
        """Let go, and keep the file open for the next time."""
        if self._fd is not None:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            except OSError:
                self.close()  # which lets go as well

    def close(self) -> None:
        """Let go for good; harmless when repeated."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def read(self) -> bytes:
        """The content of the locked file."""
        return b"" if self._fd is None else os.pread(self._fd, 4096, 0)

    def write(self, content: bytes) -> None:
        """Replace the content, durably; in one write, so that it is never seen half done. Raises `StoreUnavailable`."""
        assert self._fd is not None, "only a holder writes"
        try:
            os.pwrite(self._fd, content, 0)
            os.fsync(self._fd)
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be written: {error.strerror}") from error

    def _try(self, *, shared: bool) -> bool:
        if self._fd is None:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_in_place(self) -> bool:
        """Whether the locked file is still the one that others find under its name."""
        assert self._fd is not None, "only a holder asks"
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except FileNotFoundError:
            return False


_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_locks() -> None:
    """A forked child shares the open file: keeping it would hold the lock beyond the parent's death."""
    for lock in _locks:
        lock.close()


os.register_at_fork(after_in_child=_forget_locks)
