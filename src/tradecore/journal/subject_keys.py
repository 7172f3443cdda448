"""A key per subject, each in a file of its own beside the ledger: without its key a text is gone from every copy.

They are files and not rows, so that a backup of the ledger has none of them. Whoever backs them up decides how long an
erased text can be brought back.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tradecore.errors import CorruptLedger, StoreUnavailable
from tradecore.journal.sealing import new_key

_BYTES = 32


class SubjectKeys:
    """Keys by the subject's hash. Callers take turns: the ledger's write lock is held around every change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, subject_hash: str) -> bytes | None:
        """The key, or None when it never was or is gone. Raises `StoreUnavailable`, `CorruptLedger`."""
        path = self.folder / subject_hash
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be read: {error.strerror}") from error
        if len(key) != _BYTES:
            raise CorruptLedger(f"{path} is not a key")
        return key

    def find_or_make(self, subject_hash: str) -> bytes:
        """The key, made and durable before it is used where there was none."""
        key = self.find(subject_hash)
        if key is not None:
            return key
        key = new_key()
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700)
                _sync(self.folder.parent)
            handle, draft = tempfile.mkstemp(prefix=".", dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(handle)
            Path(draft).replace(self.folder / subject_hash)
            _sync(self.folder)
        except OSError as error:
            raise StoreUnavailable(f"no key can be written to {self.folder}: {error.strerror}") from error
        return key

    def drop(self, subject_hash: str) -> None:
        """Overwrite the key and remove it; harmless when there is none."""
        path = self.folder / subject_hash
        try:
            with path.open("r+b") as file:
                file.write(bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync(self.folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be removed: {error.strerror}") from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
