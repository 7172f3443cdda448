"""The thread of the engine: one event loop for the life of the kernel, that no cell holds up and no interrupt hits."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tradecore_notebook.interrupts import uninterrupted

Answer = TypeVar("Answer")
_NAME = "tradecore-engine"


class EngineThread:
    """Calls into the loop from cells, in blocking and in awaiting style."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._group: TaskGroup | None = None
        self.before_exit: Callable[[], None] = _nothing
        """What is to be done before the loop ends with the kernel."""

    def spawn(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Begin something that goes on behind the call; on the loop. It must raise nothing."""
        assert self._group is not None, "the loop runs"
        self._group.start_soon(work, *arguments)

    def start(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Future[Any]:
        """Begin something there, from another thread. Must not be interrupted: its result would be lost."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal(name=_NAME))
            _, self._group = self._portal.start_task(_host)
            atexit.register(self._end)
        return self._portal.start_task_soon(work, *arguments)

    def call(self, work: Callable[..., Awaitable[Answer]], *arguments: Any, timeout_s: float | None = None) -> Answer:
        """Wait for something that is done there. When the cell is interrupted, it is canceled there.

        Raises what it raises, `TimeoutError` (then it is canceled, too), `KeyboardInterrupt`.
        """
        future: Future[Answer] | None = None
        try:
            with uninterrupted():
                future = self.start(work, *arguments)
            return future.result(timeout_s)
        except BaseException:
            _cancel(future)
            raise

    async def acall(self, work: Callable[..., Awaitable[Answer]], *arguments: Any) -> Answer:
        """The same for `await`: the kernel's own loop goes on meanwhile."""
        future: Future[Answer] | None = None
        try:
            with uninterrupted():
                future = self.start(work, *arguments)
            return await asyncio.wrap_future(future)
        except BaseException:
            _cancel(future)
            raise

    def _end(self) -> None:
        self.before_exit()
        self._stack.__exit__(SystemExit, SystemExit(), None)  # cancels what is left there


def _cancel(future: Future[Any] | None) -> None:
    with uninterrupted():
        if future is not None:
            future.cancel()  # harmless when it is done


async def _host(*, task_status: TaskStatus[TaskGroup]) -> None:
    async with anyio.create_task_group() as group:
        task_status.started(group)
        await anyio.sleep_forever()


def _nothing() -> None:
    """Nothing is open."""


ENGINE = EngineThread()
"""The kernel's one."""
