"""Clock, identities and chance of a simulated machine."""

from __future__ import annotations

import asyncio
import datetime as dt
import random

from tests.simulation.loop import SimulatedLoop

_SECOND_NS = 1_000_000_000


class SimulatedClock:
    """A machine's clock: monotonic time is the loop's, the wall's is off by as much as somebody set it wrong."""

    def __init__(self, loop: SimulatedLoop, begin: dt.datetime) -> None:
        self._loop = loop
        self._begin_ns = int(begin.timestamp()) * _SECOND_NS
        self.off_s = 0.0
        self._last = (-1, begin)

    def now_ns(self) -> int:
        return self._begin_ns + round((self._loop.time() + self.off_s) * _SECOND_NS)

    def now(self) -> dt.datetime:
        now = self.now_ns()
        if self._last[0] != now:  # a moment is asked for many times
            whole, part = divmod(now, _SECOND_NS)
            self._last = now, dt.datetime.fromtimestamp(whole, dt.UTC).replace(microsecond=part // 1000)
        return self._last[1]

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SimulatedIds:
    """Identities of one process, out of the seed."""

    def __init__(self, clock: SimulatedClock, seed: str) -> None:
        self._clock = clock
        self._rng = random.Random(f"ids:{seed}")
        self._last = 0

    def _uuid7(self) -> str:
        stamp = self._clock.now_ns() * 4096 // 1_000_000
        self._last = stamp = max(stamp, self._last + 1)
        bits = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | self._rng.getrandbits(62)
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def event_id(self) -> str:
        return self._uuid7()

    def order_id(self) -> str:
        return self._uuid7()

    def trace_id(self) -> str:
        return f"{self._rng.getrandbits(120):030x}01"

    def epoch(self) -> str:
        return f"{self._rng.getrandbits(32):08x}"
