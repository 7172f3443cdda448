"""Waiting for the next append: a signal inside the process, and looking again as the net for other processes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Wakeup:
    """Wakes whoever waits for the head to move. Appends may come from any thread, waiters from any event loop."""

    def __init__(self, head: Callable[[], int], net_s: float | None) -> None:
        """`net_s` is how often (seconds) to look without a signal; None when nobody else can append."""
        self._head = head
        self._net_s = net_s
        self._lock = threading.Lock()
        self._waiters: dict[asyncio.Future[int], int] = {}

    def signal(self, head: int = 0) -> None:
        """Wake every waiter; `head` is a position that the ledger has reached, 0 when none is known."""
        if not self._waiters:
            return
        with self._lock:
            waiters, self._waiters = self._waiters, {}
        here = threading.get_ident()
        for waiter, thread in waiters.items():
            # A loop that was closed under its waiters has nobody left to wake, and an append must not fail for it.
            with contextlib.suppress(RuntimeError):
                if thread == here:
                    _finish(waiter, head)
                else:
                    waiter.get_loop().call_soon_threadsafe(_finish, waiter, head)

    async def wait(self, after: int, timeout_s: float) -> bool:
        """True once the head is behind position `after`, False after `timeout_s` seconds without."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            # Armed before looking: an append in between is then not missed.
            waiter: asyncio.Future[int] = loop.create_future()
            with self._lock:
                self._waiters[waiter] = threading.get_ident()
            try:
                if self._head() > after:
                    return True
                left = deadline - loop.time()
                if left <= 0:
                    return False
                await asyncio.wait((waiter,), timeout=left if self._net_s is None else min(left, self._net_s))
                if waiter.done() and waiter.result() > after:
                    return True
            finally:
                with self._lock:
                    self._waiters.pop(waiter, None)
                waiter.cancel()


def _finish(waiter: asyncio.Future[int], head: int) -> None:
    if not waiter.done():
        waiter.set_result(head)
