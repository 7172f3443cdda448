"""`tradecore.ports.market_data.MarketData` over the market of a floor."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence

from tradecore.domain.values import Bar
from tradecore.ports.market_data import DataConnected
from tradecore_exchange import Floor
from tradecore_exchange.floor import Message
from tradecore_exchange.instants import nanoseconds
from tradecore_paper.reporting import Readers


class PaperMarketData:
    """Bars as the floor shows them, and as it has shown them; nothing of the future."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._readers: Readers[Bar | DataConnected] = Readers()
        floor.listen(self._on_message)

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        """One-minute bars as they close; `DataConnected` first."""
        wanted = frozenset(symbols)
        return self._readers.read(DataConnected(), lambda told: isinstance(told, Bar) and told.symbol in wanted)

    async def history(self, symbols: Sequence[str], start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        """One-minute bars with `start <= bar.start < end`, by time then symbol."""
        first, last = nanoseconds(start), nanoseconds(end) - 1
        bars = (bar for symbol in symbols for bar in self._floor.history.of(symbol).bars_between(first, last))
        return tuple(sorted(bars, key=lambda bar: (bar.start, bar.symbol)))

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Bar):
            self._readers.tell(message)
