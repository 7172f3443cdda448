"""What the exchange knows of its market: prices, live quotes, hours, halts, splits."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.values import Bar, Quote, rounded_quotient
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.instants import MINUTE_NS, nanoseconds
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Order
from tradecore_exchange.sessions import Phase, phase_at


@attrs.frozen
class Split:
    """A share became `ratio` shares."""

    symbol: str
    at_ns: int
    ratio: Decimal


class Market:
    """The market of all symbols. The same facts, told again in any later process, give the same market."""

    def __init__(self, options: ExchangeOptions) -> None:
        self.prices: dict[str, Decimal] = {}
        self.halted: set[str] = set()
        self.splits: list[Split] = []
        self._options = options
        self._quotes: dict[str, Quote] = {}
        self._bar_ends: dict[str, int] = {}

    def show_bar(self, bar: Bar) -> None:
        """A bar has ended."""
        end = nanoseconds(bar.start) + MINUTE_NS
        self._bar_ends[bar.symbol] = end
        self.prices[bar.symbol] = self._after_splits(bar.symbol, bar.close, end)

    def show_quote(self, quote: Quote) -> None:
        """A new best bid and ask; a quote older than the last bar tells nothing."""
        at = nanoseconds(quote.at)
        self._quotes[quote.symbol] = quote
        if quote.bid > 0 and quote.ask > 0 and at >= self._bar_ends.get(quote.symbol, 0):
            self.prices[quote.symbol] = self._after_splits(quote.symbol, (quote.bid + quote.ask) / 2, at)

    def split(self, split: Split) -> None:
        """From now on prices are those of the new shares; what was quoted for the old ones is over."""
        self.splits.append(split)
        price = self.prices.get(split.symbol)
        if price is not None:
            self.prices[split.symbol] = rounded_quotient(price, split.ratio)

    def live_quote(self, symbol: str) -> Quote | None:
        """The quote of a symbol, unless a bar has ended or its shares were split since."""
        quote = self._quotes.get(symbol)
        if quote is None:
            return None
        at = nanoseconds(quote.at)
        over = any(split.symbol == symbol and split.at_ns > at for split in self.splits)
        return quote if at >= self._bar_ends.get(symbol, 0) and not over else None

    def price_since(self, symbol: str, since_ns: int) -> Decimal | None:
        """The last price, if the symbol has shown one after that moment."""
        quote = self._quotes.get(symbol)
        last = max(self._bar_ends.get(symbol, 0), 0 if quote is None else nanoseconds(quote.at))
        return self.prices.get(symbol) if last > since_ns else None

    def phase(self, symbol: str, at_ns: int) -> Phase:
        """What the market of a symbol admits at a moment."""
        return Phase.REGULAR if self._options.always_open or is_crypto(symbol) else phase_at(at_ns)

    def takes(self, symbol: str, at_ns: int, *, extended_hours: bool) -> bool:
        """Whether orders of a symbol, for the extended hours or not, trade at a moment."""
        if symbol in self.halted:
            return False
        phase = self.phase(symbol, at_ns)
        if phase is Phase.OVERNIGHT:
            return extended_hours and self._options.terms(symbol).overnight_tradable
        return phase is Phase.REGULAR or (phase is Phase.EXTENDED and extended_hours)

    def trades(self, order: Order, at_ns: int) -> bool:
        """Whether an order could trade at a moment, if it works."""
        return self.takes(order.symbol, at_ns, extended_hours=order.extended_hours)

    def _after_splits(self, symbol: str, price: Decimal, at_ns: int) -> Decimal:
        for split in self.splits:
            if split.symbol == symbol and split.at_ns > at_ns:
                price = rounded_quotient(price, split.ratio)
        return price
