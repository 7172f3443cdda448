"""`tradecore.ports.venue.Replay` over a floor: the market moves one moment when asked."""

from __future__ import annotations

from tradecore.ports.venue import Advance
from tradecore_exchange import Floor
from tradecore_exchange.instants import as_datetime


class PaperReplay:
    """Moves the market of a floor."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def state(self) -> Advance:
        """Where the market stands."""
        return self._told(frozenset(), 0)

    async def advance(self) -> Advance:
        """Move to the next moment, and tell of it. Raises `StoreUnavailable`."""
        advanced = self._floor.advance()
        self._floor.publish()
        if advanced is None:
            return self._told(frozenset(), 0)
        return self._told(advanced.bars, len(advanced.orders_changed))

    def _told(self, symbols: frozenset[str], orders_changed: int) -> Advance:
        feed = self._floor.feed
        return Advance(
            time=as_datetime(self._floor.exchange.clock.market_ns),
            symbols=tuple(sorted(symbols)),
            orders_changed=orders_changed,
            done=feed.done,
            steps=feed.steps_done,
            total=feed.steps_total,
        )
