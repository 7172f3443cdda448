"""The broker's clock, as far as it is known here: its last word, and what has passed since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock


class BrokerClock:
    """Asks the broker for its time, and keeps it."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._told: tuple[dt.datetime, float] | None = None
        self.compare: Callable[[dt.datetime], None] = lambda _: None
        """Told each word of the broker, to compare it with our own clock."""

    async def ask(self) -> dt.datetime:
        """Ask the broker for its time. Raises `BrokerUnreachable`, `ProtocolError`."""
        told = await self._broker.now()
        self._told = (told, self._clock.monotonic())
        self.compare(told)
        return told

    def now(self) -> dt.datetime | None:
        """The broker's time; None before it was asked for the first time."""
        if self._told is None:
            return None
        told, at = self._told
        return told + dt.timedelta(seconds=self._clock.monotonic() - at)
