"""What the market has shown: bars by symbol, last quotes, closes of the day before. Nothing of the future."""

from __future__ import annotations

import bisect
import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.instants import nanoseconds
from tradecore_exchange.sessions import new_york_date

_QUOTES_KEPT = 10_000


@attrs.define
class SymbolHistory:
    """One symbol's past. `starts` are the bars' beginnings in nanoseconds, in step with `bars`."""

    bars: list[Bar] = attrs.field(factory=list)
    starts: list[int] = attrs.field(factory=list)
    quotes: list[Quote] = attrs.field(factory=list)
    day: dt.date | None = None
    day_before_close: Decimal | None = None

    def add_bar(self, bar: Bar) -> None:
        """Remember a bar that has ended."""
        start = nanoseconds(bar.start)
        # The date is looked up at most once an hour: it costs more than all the rest of remembering a bar.
        if not self.starts or start // 3_600_000_000_000 != self.starts[-1] // 3_600_000_000_000:
            day = new_york_date(start)
            if self.day is not None and day != self.day:
                self.day_before_close = self.bars[-1].close
            self.day = day
        self.bars.append(bar)
        self.starts.append(start)

    def add_quote(self, quote: Quote) -> None:
        """Remember a quote; only the latest ten thousand are kept."""
        self.quotes.append(quote)
        if len(self.quotes) > 2 * _QUOTES_KEPT:
            del self.quotes[:_QUOTES_KEPT]

    def bars_between(self, start_ns: int, end_ns: int) -> list[Bar]:
        """Bars whose start lies from `start_ns` to `end_ns`, both included, as the data service counts."""
        return self.bars[bisect.bisect_left(self.starts, start_ns) : bisect.bisect_right(self.starts, end_ns)]


class MarketHistory:
    """The past of every symbol."""

    def __init__(self) -> None:
        self._of: dict[str, SymbolHistory] = {}

    def of(self, symbol: str) -> SymbolHistory:
        """The past of a symbol, empty for one that has not traded."""
        history = self._of.get(symbol)
        if history is None:
            history = self._of[symbol] = SymbolHistory()
        return history
