"""Simulated processes: what of them is ready to run, and whether it runs."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable
from typing import Any


class Killed(BaseException):
    """Raised in code of a host that was killed while it ran."""


class Livelock(Exception):
    """Raised when a moment of virtual time does not end."""


class Host:
    """A simulated process: its callbacks that are ready, and whether they run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: deque[Any] = deque()
        self.is_dead = False
        self.is_paused = False
        self.steps = 0
        self.at_step: tuple[int, Callable[[], None]] | None = None
        self.signals: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}

    @property
    def runs(self) -> bool:
        """Whether its callbacks are run now."""
        return not (self.is_dead or self.is_paused)


HOST: contextvars.ContextVar[Host] = contextvars.ContextVar("host")
