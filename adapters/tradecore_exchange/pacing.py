"""When the market moves by itself: a multiple of its own time, or never."""

from __future__ import annotations

import asyncio

from tradecore_exchange.house import House
from tradecore_exchange.instants import MINUTE_NS, SECOND_NS

_TICK_S = 1 / 30


def pause_s(now_ns: int, next_ns: int, speed: float) -> float:
    """Seconds until the next moment at `speed` times the market's time. Nights and weekends take a minute."""
    return min(max(0, next_ns - now_ns), MINUTE_NS) / SECOND_NS / speed


async def keep_pace(house: House, speed: float) -> None:
    """Move the market until it is done, waking at most thirty times a second. Ends only then, or when canceled."""
    loop = asyncio.get_running_loop()
    floor = house.first.floor
    due = loop.time()
    while (ahead := floor.feed.ahead_ns) is not None:
        # Due times add up from the first, so that the time spent working does not slow the market.
        due = max(due + pause_s(floor.exchange.clock.market_ns, ahead, speed), loop.time() - 1)
        early_s = due - loop.time()
        if early_s > 0:
            await asyncio.sleep(max(early_s, _TICK_S))
        elif loop.time() - due > _TICK_S:
            # Late: others get their turn all the same.
            await asyncio.sleep(0)
        house.advance(house.first)
        house.publish()
