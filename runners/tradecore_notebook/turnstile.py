"""The turnstile in front of the market: lets it move freely, by so many steps, or not at all."""

from __future__ import annotations

import anyio


class Turnstile:
    """For one loop. `passed` counts the steps that were let through."""

    def __init__(self) -> None:
        self.passed = 0
        self.is_resting = False
        self._left: int | None = 0
        self._has_ended = False
        self._changed = anyio.Event()

    @property
    def is_free(self) -> bool:
        """Whether the market moves as it likes."""
        return self._left is None

    def allow(self, steps: int | None) -> None:
        """Let so many further steps through; None for any number."""
        self._left = None if steps is None else (self._left or 0) + steps
        self.is_resting = False
        self._tell()

    def hold(self) -> None:
        """Let nothing further through; the step under way ends."""
        self._left = 0

    def end(self) -> None:
        """There will be no further step."""
        self._has_ended = True
        self._tell()

    async def turn(self) -> None:
        """What the market waits for before each step."""
        while self._left == 0:
            self.is_resting = True
            self._tell()
            await self._changed.wait()
        self.is_resting = False
        if self._left is not None:
            self._left -= 1
        self.passed += 1

    async def rest(self) -> None:
        """Wait until the market stands before the turnstile with nothing left to do, or has ended."""
        while not (self.is_resting or self._has_ended):
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
