"""The history that a strategy wants to see before it is asked."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from tradecore.domain.session import is_regular
from tradecore.domain.values import Bar
from tradecore.runner.contract import Session

_FIRST_SPAN = dt.timedelta(days=4)
_LONGEST_SPAN = dt.timedelta(days=256)


async def read_warmup(session: Session, upto: dt.datetime) -> tuple[Bar, ...]:
    """Bars before `upto`, as far back as the strategy's warm-up needs. Raises `BrokerUnreachable`."""
    wanted = session.engine.strategy.warmup_bars
    if not wanted:
        return ()
    span = _FIRST_SPAN
    while True:
        bars = await session.venue.market_data.history(session.feed.symbols, upto - span, upto)
        enough = Counter(bar.symbol for bar in bars if is_regular(bar.symbol, bar.start))
        if span >= _LONGEST_SPAN or all(enough[symbol] >= wanted for symbol in session.feed.symbols):
            return bars
        span *= 4
