"""Signals on their way to a bus: at most once. Nobody waits for them, and what does not get through is dropped."""

from __future__ import annotations

from collections import deque

import anyio
import structlog

from tradecore.domain.signals import Signal
from tradecore.errors import BusUnavailable
from tradecore.ports.bus import EventBus, Publication
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.publishing.envelope import signal_of

_log = structlog.get_logger("tradecore.publishing")


class Announcer:
    """Hands signals to a bus in the order in which they were announced."""

    def __init__(self, bus: EventBus, clock: Clock, ids: Ids, actor: str, capacity: int = 1000) -> None:
        """At most `capacity` signals wait; beyond that, new ones are dropped."""
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._actor = actor
        self._capacity = capacity
        self._waiting: deque[Publication] = deque()
        self._arrived = anyio.Event()
        self.dropped = 0

    def announce(self, signal: Signal) -> None:
        """Let it be published soon, or dropped; never waits, never raises."""
        if len(self._waiting) >= self._capacity:
            self.dropped += 1
            return
        one = signal_of(signal, self._ids.event_id(), self._clock.now_ns(), self._ids.trace_id(), self._actor)
        self._waiting.append(one)
        self._arrived.set()

    async def run(self) -> None:
        """Publish for ever. What a bus does not take is gone."""
        while True:
            await self._arrived.wait()
            self._arrived = anyio.Event()
            while self._waiting:
                one = self._waiting.popleft()
                try:
                    await self._bus.publish((one,))
                except BusUnavailable as error:
                    self.dropped += 1
                    _log.warning("the bus does not take a signal; it is dropped", type=one.type, error=str(error))
