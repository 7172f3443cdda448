"""Stories in virtual time: nothing sleeps, time jumps to what is due next. For what waits for no socket or thread."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

Told = TypeVar("Told")


class _Jumping(selectors.DefaultSelector):
    """Never waits for a timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # nothing is due, ever: only a signal or a thread can go on
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += max(0.0, timeout)
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_story(story: Callable[..., Awaitable[Told]], *arguments: Any) -> Told:
    """As `anyio.run`, in virtual time that begins at 0."""
    return anyio.run(story, *arguments, backend_options={"loop_factory": _VirtualLoop})
