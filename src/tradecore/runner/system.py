"""The real clock, real identities and real chance. Only runners and command lines create these."""

from __future__ import annotations

import datetime as dt
import os
import random
import secrets
import time

import anyio


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """UTC nanoseconds since 1970."""
        return time.time_ns()

    def now(self) -> dt.datetime:
        """The same moment as an aware datetime in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for that long."""
        await anyio.sleep(seconds)


class SystemIds:
    """Fresh identities; event and order ids are UUIDv7 and rise within one process."""

    def __init__(self) -> None:
        self._last = 0

    def _uuid7(self) -> str:
        # 48 bits of milliseconds and 12 of their fraction, forced to rise, then 62 bits of chance (RFC 9562, method 3).
        stamp = time.time_ns() * 4096 // 1_000_000
        self._last = stamp = max(stamp, self._last + 1)
        chance = int.from_bytes(os.urandom(8))
        bits = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | chance >> 2
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def event_id(self) -> str:
        """A UUIDv7."""
        return self._uuid7()

    def order_id(self) -> str:
        """A UUIDv7."""
        return self._uuid7()

    def trace_id(self) -> str:
        """32 hexadecimal digits, never all zero."""
        return secrets.token_hex(15) + f"{os.getpid() % 255 + 1:02x}"

    def epoch(self) -> str:
        """8 hexadecimal digits."""
        return secrets.token_hex(4)


class SystemRng:
    """The machine's chance."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
        return self._random.uniform(low, high)
