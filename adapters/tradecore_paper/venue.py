"""Opening paper trading: the market of the settings, its books beside the ledger, everything in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tradecore.domain.values import Bar
from tradecore.ports.venue import Venue
from tradecore.settings import Settings
from tradecore_exchange.venue import floor_of, market_of
from tradecore_paper.broker import PaperBroker
from tradecore_paper.market_data import PaperMarketData
from tradecore_paper.replay import PaperReplay


def open_venue(settings: object) -> AbstractAsyncContextManager[Venue]:
    """The venue of these `Settings`, whose market is read now. Raises `InputError` for bars that are none."""
    assert isinstance(settings, Settings)
    return _opened(settings, *market_of(settings))


@asynccontextmanager
async def _opened(settings: Settings, symbols: list[str], bars: list[Bar], source: str) -> AsyncIterator[Venue]:
    floor = floor_of(settings, symbols, bars, source)
    try:
        broker, data, replay = PaperBroker(floor), PaperMarketData(floor), PaperReplay(floor)
        yield Venue(broker, data, replay=replay, symbols=tuple(sorted(floor.exchange.symbols)))
    finally:
        floor.close()
