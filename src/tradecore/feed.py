"""The feed of bars: what the stream brings, in order and without repeats, with gaps read again."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence

import anyio
import attrs
import structlog

from tradecore.domain.truth import Known, Source, judged
from tradecore.domain.values import Bar
from tradecore.errors import BrokerUnreachable, ProtocolError
from tradecore.ports.clock import Clock
from tradecore.ports.market_data import DataConnected, MarketData

_log = structlog.get_logger("tradecore.feed")
MINUTE = dt.timedelta(minutes=1)


class BarFeed:
    """Buffers the bars of a stream until they are asked for."""

    def __init__(self, market_data: MarketData, symbols: Sequence[str], clock: Clock) -> None:
        self._market_data = market_data
        self._clock = clock
        self.symbols = tuple(symbols)
        self._bars: dict[tuple[dt.datetime, str], Bar] = {}
        self._healed: set[tuple[dt.datetime, str]] = set()
        self._last: dict[str, dt.datetime] = {}
        self._arrived = anyio.Event()
        self.connected = anyio.Event()
        self.heard: Callable[[Bar], None] = lambda _: None
        """Told every bar once, as it comes."""

    async def run(self) -> None:
        """Read the stream for ever; after a reconnect, read what was missed."""
        async for item in self._market_data.bars(self.symbols):
            if isinstance(item, DataConnected):
                await self._heal()
                self.connected.set()
            else:
                self._put(item)

    def begin_after(self, bars: Sequence[Bar]) -> None:
        """These bars are known already; the stream goes on behind them."""
        for bar in bars:
            self._last[bar.symbol] = max(self._last.get(bar.symbol, bar.start), bar.start)

    async def take(self, symbols: Sequence[str], start: dt.datetime, patience_s: float) -> tuple[Bar, ...]:
        """The bars of `symbols` that began at `start`: from the stream, or read again when it does not bring them."""
        wanted = [(start, symbol) for symbol in symbols if symbol in self.symbols]
        with anyio.move_on_after(patience_s):
            while not all(key in self._bars for key in wanted):
                arrived = self._arrived
                await arrived.wait()
        if not all(key in self._bars for key in wanted):
            _log.warning("bars did not come by the stream; reading them again", start=start.isoformat())
            try:
                for bar in await self._market_data.history(symbols, start, start + MINUTE):
                    self._put(bar)
            except ProtocolError as error:  # a bar that cannot be read is a bar that is not there
                _log.warning("bars cannot be read", error=str(error))
        taken = tuple(self._bars.pop(key) for key in wanted if key in self._bars)
        for key in [key for key in self._bars if key[0] <= start]:
            del self._bars[key]
        return taken

    async def live(
        self, now: Callable[[], dt.datetime | None], limit: dt.timedelta | None
    ) -> AsyncIterator[Known[Bar]]:
        """Bars as they arrive, in order of time then symbol, each with whether it is news.

        A bar is as of its end. It is stale when that is more than `limit` ago by the clock `now`, which is the
        broker's, and when it was missed and read again.
        """
        while True:
            arrived = self._arrived
            while self._bars:
                key = min(self._bars)
                bar = self._bars.pop(key)
                known = judged(bar, bar.start + MINUTE, now(), limit)
                if key in self._healed:
                    self._healed.discard(key)
                    known = attrs.evolve(known, source=Source.STALE)
                yield known
            await arrived.wait()

    def _put(self, bar: Bar) -> None:
        last = self._last.get(bar.symbol)
        if last is not None and bar.start <= last:
            return  # a repeat, or older than what was seen
        self._last[bar.symbol] = bar.start
        self._bars[bar.start, bar.symbol] = bar
        self.heard(bar)
        self._arrived.set()
        self._arrived = anyio.Event()

    async def _heal(self) -> None:
        if not self._last:
            return
        since = min(self._last.values()) + MINUTE
        try:
            for bar in await self._market_data.history(self.symbols, since, self._clock.now()):
                self._healed.add((bar.start, bar.symbol))
                self._put(bar)
        except (BrokerUnreachable, ProtocolError) as error:
            _log.warning("missed bars could not be read again", error=str(error))
