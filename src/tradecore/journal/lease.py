"""The right to deliver for a ledger: one holder at a time, each hold with a number that only grows."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from tradecore.errors import CorruptLedger, LeaseHeld
from tradecore.journal.file_lock import FileLock
from tradecore.journal.url import is_postgres, ledger_path
from tradecore.ports.lease import Lease

_RECORD_BYTES = 512
_MOMENT_S = 0.05


def open_lease(url: str) -> Lease:
    """The lease of a ledger. Raises `InputError` for a URL that is none, `MissingExtra`.

    A file's lease is a lock on `<file>.lease`. A ledger in memory belongs to whoever opened it, and so does its lease:
    it is one between the users of the same lease object.
    """
    if is_postgres(url):
        from tradecore.journal.postgres.address import parse
        from tradecore.journal.postgres.lease import PostgresLease

        return PostgresLease(parse(url))
    path = ledger_path(url)
    return MemoryLease() if path is None else FileLease(path.with_name(path.name + ".lease"))


def lease_holder(url: str) -> str | None:
    """Who works on a ledger now, with his process; None when nobody does, or it is in memory."""
    if is_postgres(url):
        from tradecore.journal.postgres.address import parse
        from tradecore.journal.postgres.lease import current_holder

        return current_holder(parse(url))
    path = ledger_path(url)
    if path is None:
        return None
    lease = path.with_name(path.name + ".lease")
    if not lease.exists():
        return None
    lock = FileLock(lease)
    try:
        if lock.take(patience_s=0):  # for a moment; whoever acquires just then has the patience for it
            return None
        if lock.take(patience_s=0, shared=True):
            return "runners that share it"
        hold = _read_hold(lock)
        return f"{hold.holder} (process {hold.pid})"
    finally:
        lock.close()


class _Hold(msgspec.Struct):
    number: int = 0
    holder: str = "nobody"
    pid: int = 0


class MemoryLease:
    """A lease inside one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._holder: str | None = None

    @property
    def token(self) -> str:
        """The fencing token of the current hold."""
        assert self._holder is not None, "the lease is not held"
        return f"{self._number}:{self._holder}"

    def acquire(self, holder: str, *, shared: bool = False) -> None:  # noqa: ARG002 - who opened it has it alone
        """Take it. Raises `LeaseHeld`."""
        with self._lock:
            if self._holder is not None:
                raise LeaseHeld(f"{self._holder} already works on this ledger")
            self._number += 1
            self._holder = holder

    def release(self) -> None:
        """Give it back."""
        with self._lock:
            self._holder = None


class FileLease:
    """A lease between processes, by a lock on a file that also keeps the last number and holder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: FileLock | None = None
        self._token: str | None = None

    @property
    def token(self) -> str:
        """The fencing token of the current hold."""
        assert self._token is not None, "the lease is not held"
        return self._token

    def acquire(self, holder: str, *, shared: bool = False) -> None:
        """Take it. Raises `LeaseHeld` naming holder and process, `StoreUnavailable`, `CorruptLedger`."""
        if self._lock is not None:
            raise LeaseHeld(f"{self._token} already works on this ledger, in this process")
        lock = FileLock(self._path)
        try:
            self._take(lock, shared=shared)
            if shared:
                self._lock, self._token = lock, f"shared:{holder}"
                return
            number = _read_hold(lock).number + 1
            record = msgspec.json.encode(_Hold(number, holder[:60], os.getpid()))
            # Padded to one size: a shorter record never leaves a tail of a longer one.
            lock.write(record.ljust(_RECORD_BYTES - 1) + b"\n")
        except BaseException:
            lock.close()
            raise
        self._lock = lock
        self._token = f"{number}:{holder}"

    def release(self) -> None:
        """Give it back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = self._token = None

    def _take(self, lock: FileLock, *, shared: bool) -> None:
        if not lock.take(_MOMENT_S, shared=shared):
            if not shared and lock.take(0, shared=True):
                raise LeaseHeld(f"runners that share it already work on this ledger: {self._path}")
            hold = _read_hold(lock)
            raise LeaseHeld(f"{hold.holder} (process {hold.pid}) already works on this ledger: {self._path}")
        if not lock.is_in_place():
            raise LeaseHeld(f"somebody is replacing {self._path}; try again")


def _read_hold(lock: FileLock) -> _Hold:
    """The last hold that a lease's file tells. Raises `CorruptLedger`."""
    content = lock.read().strip()
    try:
        return msgspec.json.decode(content, type=_Hold) if content else _Hold()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptLedger(f"{lock.path} is not a lease; remove it when nothing works on this ledger") from error
