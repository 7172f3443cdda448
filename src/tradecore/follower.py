"""Hands every event of the ledger, whoever appended it, to those in this process who keep something by it."""

from __future__ import annotations

from collections.abc import Callable

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal.contract import Journal

Listener = Callable[[tuple[Recorded[Event], ...]], None]


class Follower:
    """Reads the log in order and passes each batch to every listener once."""

    def __init__(self, journal: Journal, position: int = 0) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []
        self.position = position

    def listen(self, listener: Listener) -> None:
        """Pass further batches to `listener` too; who listens already goes on, and hears each batch once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def catch_up(self, batch: int = 1000) -> None:
        """Read to the head, now; what this process just appended need not be read."""
        while events := self._journal.fresh(self.position) or self._journal.read(self.position, batch):
            for listener in self._listeners:
                listener(events)
            self.position = events[-1].envelope.position

    async def wait(self, timeout_s: float) -> bool:
        """Wait until there is more than was read; False when the time passed first."""
        return await self._journal.wait(self.position, timeout_s)
