"""When the market moves by itself: a multiple of its own time, or never."""

from __future__ import annotations

import asyncio

from tradecore_exchange.floor import Floor
from tradecore_exchange.instants import MINUTE_NS, SECOND_NS


def pause_s(now_ns: int, next_ns: int, speed: float) -> float:
    """Seconds until the next moment at `speed` times the market's time. Nights and weekends take a minute."""
    return min(max(0, next_ns - now_ns), MINUTE_NS) / SECOND_NS / speed


async def keep_pace(floor: Floor, speed: float) -> None:
    """Move the market until it is done. Ends only then, or when canceled."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while (ahead := floor.feed.ahead_ns) is not None:
        # Due times add up from the first, so that the time spent working does not slow the market.
        due = max(due + pause_s(floor.exchange.clock.market_ns, ahead, speed), loop.time() - 1)
        await asyncio.sleep(max(0.0, due - loop.time()))
        floor.advance()
        floor.publish()
