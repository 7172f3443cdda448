"""Time, as a need: the core never reads a clock of its own."""

from __future__ import annotations

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations, and waiting."""

    def now_ns(self) -> int:
        """UTC nanoseconds since 1970."""

    def now(self) -> dt.datetime:
        """The same moment as an aware datetime in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that long."""
