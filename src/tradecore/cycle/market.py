"""The market as a cycle sees it: the newest bars of each symbol, read again only as far as they are new."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence

from tradecore.domain.session import is_regular
from tradecore.domain.truth import Known, judged, unavailable
from tradecore.domain.values import Bar
from tradecore.ports.market_data import MarketData

_MINUTE = dt.timedelta(minutes=1)
_PAST = dt.timedelta(days=5)
"""Over a long weekend, so that a morning begins with the bars of the evening before it."""


class MarketMemory:
    """Bars of regular hours, as many as are wanted."""

    def __init__(self, market_data: MarketData, wanted: int) -> None:
        self._market_data = market_data
        self._wanted = wanted
        self._bars: dict[str, deque[Bar]] = {}

    async def read(self, symbols: Sequence[str], now: dt.datetime) -> None:
        """Take in what closed by `now`. Raises `BrokerUnreachable`, `ProtocolError`; then nothing changed."""
        known = [self._bars[symbol][-1].start for symbol in symbols if self._bars.get(symbol)]
        complete = len(known) == len(symbols)
        since = min(known) + _MINUTE if known and complete else now - _PAST
        if since >= now:
            return
        for bar in await self._market_data.history(symbols, since, now):
            seen = self._bars.setdefault(bar.symbol, deque(maxlen=self._wanted))
            if is_regular(bar.symbol, bar.start) and (not seen or bar.start > seen[-1].start):
                seen.append(bar)

    def bars(self, symbol: str) -> tuple[Bar, ...]:
        """What is known of a symbol, in the order of time."""
        return tuple(self._bars.get(symbol, ()))

    def known(self, symbol: str, now: dt.datetime, max_age_s: float) -> Known[tuple[Bar, ...]]:
        """The same, as of the end of the newest; live when that was no longer ago than `max_age_s` at `now`."""
        bars = self.bars(symbol)
        if not bars:
            return unavailable()
        return judged(bars, bars[-1].start + _MINUTE, now, dt.timedelta(seconds=max_age_s))
