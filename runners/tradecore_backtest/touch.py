"""Orders that trade against quotes: a buy takes the ask, a sale the bid, at the first quote after it was placed."""

from __future__ import annotations

from collections.abc import Mapping

from tradecore_backtest.desk import Moment
from tradecore_backtest.market import MarketModel
from tradecore_backtest.orders import Working
from tradecore_backtest.ticks import Quotes
from tradecore_backtest.venue import Prices, Venue


class Touch:
    """The quotes of some symbols; their bars are for deciding only. An order for extended hours has the session's."""

    def __init__(self, venue: Venue, quotes: Mapping[str, Quotes], model: MarketModel) -> None:
        self.symbols = frozenset(quotes)
        self._venue, self._quotes, self._share = venue, quotes, model.volume_share
        self._upto = 0
        self._places = dict.fromkeys(quotes, 0)

    def match(self, until_ns: int, since_ns: int) -> None:
        """Show the quotes later than `since_ns`, up to `until_ns`, to what is open, all symbols in order of time."""
        begin = max(self._upto, since_ns)
        self._upto = until_ns
        due = [
            (self._quotes[symbol].times[place], symbol, place)
            for symbol in self._venue.open
            if symbol in self.symbols
            for place in self._after(symbol, begin, until_ns)
        ]
        for at, symbol, place in sorted(due):
            self._show(symbol, place, Moment(at))

    def _after(self, symbol: str, since_ns: int, until_ns: int) -> range:
        """Places of the quotes of a span of time, which never goes back."""
        found = self._quotes[symbol].after(since_ns, until_ns, self._places[symbol])
        self._places[symbol] = found.start
        return found

    def _show(self, symbol: str, place: int, moment: Moment) -> None:
        quotes, venue = self._quotes[symbol], self._venue
        sides = {1: (quotes.asks[place], quotes.ask_sizes[place]), -1: (quotes.bids[place], quotes.bid_sizes[place])}
        pools = {sign: None if self._share is None else int(self._share * size) for sign, (_, size) in sides.items()}
        met: set[int] = set()
        while order := self._next(symbol, moment, met):  # legs that a fill frees meet the same quote
            met.add(order.ticket)
            if order.expires <= moment.ns:
                venue.run_out(order, moment)
                continue
            price, size = sides[order.sign]
            pool = pools[order.sign]
            filled = venue.meet(order, Prices(price, price, price, price, size, moment), pool)
            if pool is not None:
                pools[order.sign] = pool - filled

    def _next(self, symbol: str, moment: Moment, met: set[int]) -> Working | None:
        orders = self._venue.open.get(symbol, ())
        return next(
            (one for one in orders if one.ticket not in met and one.placed < moment.ns and not one.auction), None
        )
