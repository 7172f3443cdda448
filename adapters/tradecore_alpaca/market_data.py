"""`tradecore.ports.market_data.MarketData` over Alpaca's market data."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence

import httpx

from tradecore.domain.values import Bar
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore.ports.market_data import DataConnected
from tradecore_alpaca.channel import UNGUARDED, Channel
from tradecore_alpaca.data_stream import DataStream
from tradecore_alpaca.history import read_history
from tradecore_alpaca.http import AlpacaHttp, Timeouts
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.questions import Questions
from tradecore_alpaca.urls import Urls
from tradecore_alpaca.websocket import Connect, open_socket


class AlpacaMarketData:
    """Bars of one feed (stocks). The HTTP client is given and not closed here."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: Urls,
        keys: Keys,
        clock: Clock,
        rng: Rng,
        *,
        timeouts: Timeouts | None = None,
        budget_s: float = 10.0,
        connect: Connect = open_socket,
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._urls = urls
        # Alpaca counts requests for data apart from those of trading, and no order waits for them.
        channel = Channel(AlpacaHttp(http, keys, timeouts), clock, UNGUARDED)
        self._questions = Questions(channel, clock, rng, budget_s)
        self._stream = DataStream(urls.data_stream_url, keys, clock, rng, connect, timeouts.read_s)

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        """One-minute bars as they close. Raises `BrokerUnauthorized`, `ConfigurationError`."""
        return self._stream.bars(symbols)

    async def history(self, symbols: Sequence[str], start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        """Bars with `start <= bar.start < end`, by time then symbol. Raises `BrokerUnreachable`, `ProtocolError`."""
        return await read_history(self._questions, self._urls, symbols, start, end)
