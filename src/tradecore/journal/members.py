"""Those who wait for a group commit: a thread that stands still, or a task of an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Protocol

from tradecore.errors import StoreUnavailable
from tradecore.journal.batch import Batch

Outcome = int | Exception
"""The first position of what was appended, or why it was not."""


class Member(Protocol):
    """One append in the queue."""

    batch: Batch
    is_called: bool
    """Whether it was told to lead."""

    @property
    def is_canceled(self) -> bool:
        """Whether nobody waits any more."""

    def lead(self) -> None:
        """Let it commit what waits, itself included."""

    def settle(self, outcome: Outcome) -> None:
        """Tell it what became of its append."""


class InThread:
    """A thread that waits, and leads itself."""

    is_canceled = False

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.is_called = False
        self._latch = threading.Lock()
        self._latch.acquire()
        self._outcome: Outcome | None = None

    def wait(self) -> None:
        """Until it is settled or has to lead."""
        self._latch.acquire()

    def lead(self) -> None:
        """Wake the thread."""
        self.is_called = True
        self._latch.release()

    @property
    def is_settled(self) -> bool:
        """Whether it is known what became of the append."""
        return self._outcome is not None

    def settle(self, outcome: Outcome) -> None:
        """Wake the thread, unless it leads and so is awake."""
        self._outcome = outcome
        if self._latch.locked():
            self._latch.release()

    def first(self) -> int:
        """The first position of what was appended. Raises why it was not."""
        if isinstance(self._outcome, int):
            return self._outcome
        raise self._outcome or StoreUnavailable("an append was not settled")


class InTask:
    """A task that waits; a thread leads for it."""

    def __init__(self, batch: Batch, loop: asyncio.AbstractEventLoop, calls: SimpleQueue[bool]) -> None:
        self.batch = batch
        self.is_called = False
        self.loop = loop
        self.future: asyncio.Future[int] = loop.create_future()
        self._calls = calls

    @property
    def is_canceled(self) -> bool:
        """Whether the task was canceled."""
        return self.future.cancelled()

    def lead(self) -> None:
        """Call the thread."""
        self.is_called = True
        self._calls.put(True)

    def settle(self, outcome: Outcome) -> None:
        """Only on the loop's own thread."""
        if self.future.cancelled():
            return
        if isinstance(outcome, int):
            self.future.set_result(outcome)
        else:
            self.future.set_exception(outcome)


def settle(group: Sequence[Member], outcomes: Sequence[Outcome]) -> None:
    """Tell everybody; all tasks of one loop at once."""
    tasks: dict[asyncio.AbstractEventLoop, list[tuple[InTask, Outcome]]] = {}
    for member, outcome in zip(group, outcomes, strict=True):
        if isinstance(member, InTask):
            tasks.setdefault(member.loop, []).append((member, outcome))
        else:
            member.settle(outcome)
    for loop, pairs in tasks.items():
        # A loop that was closed has nobody left to tell, and the others must not suffer for it.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_tasks, pairs)


def _settle_tasks(pairs: Sequence[tuple[InTask, Outcome]]) -> None:
    for member, outcome in pairs:
        member.settle(outcome)
