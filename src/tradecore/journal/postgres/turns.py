"""One user of a connection at a time, in the process that opened it, until it is closed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tradecore.errors import StoreUnavailable
from tradecore.journal.postgres.address import Address


class Turns:
    """Gives turns to the threads of one process."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._closed = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Until the block is left, nobody else has a turn. Raises `StoreUnavailable` when closed or forked."""
        # Asked before the lock: a forked child may find it taken by a thread that it does not have.
        if self._pid != os.getpid():
            raise StoreUnavailable(
                f"{self._address.shown} was opened before this process was forked: open it again here"
            )
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the journal is closed")
            yield

    @contextmanager
    def last(self) -> Iterator[bool]:
        """The last turn: False when it was had already, or belongs to another process."""
        if self._pid != os.getpid():
            yield False
            return
        with self._lock:
            first, self._closed = not self._closed, True
            yield first
