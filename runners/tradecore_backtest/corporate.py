"""What days bring: splits and dividends, the cost of borrowed shares, prices of a new day for the gate."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from tradecore.domain.calendar import NEW_YORK
from tradecore.domain.nanos import from_nanos, instant, to_nanos
from tradecore.domain.values import ZERO, OrderStatus
from tradecore_backtest.books import Books
from tradecore_backtest.desk import Moment
from tradecore_backtest.market import CorporateAction, MarketModel
from tradecore_backtest.venue import Venue

_CENT = Decimal("0.01")
_NINE = Decimal("1e-9")
_DAYS = 365


class Calendar:
    """Turns to a new day before its first bar: days of New York, or of UTC for a market that never closes."""

    def __init__(self, books: Books, venue: Venue, model: MarketModel, last: dict[str, int], *, is_utc: bool) -> None:
        self._zone = dt.UTC if is_utc else NEW_YORK
        self.books = books
        self._venue = venue
        self._model = model
        self._last = last
        self._actions = sorted(model.actions, key=lambda action: (action.date, action.symbol))
        self._day: dt.date | None = None

    def turn(self, start_ns: int) -> bool:
        """Begin the day of a bar; True when books may have changed. Nothing when it has begun already."""
        at = instant(start_ns)
        day = at.astimezone(self._zone).date()
        before, self._day = self._day, day
        if before is not None and day <= before:
            return False
        moment = Moment(start_ns)
        self._venue.hold_auctions(start_ns)
        self._venue.each(lambda order: order.expires <= start_ns, lambda order: self._venue.run_out(order, moment))
        while self._actions and self._actions[0].date <= day:
            action = self._actions.pop(0)
            if before is not None:
                self._act(action, moment)
        if before is not None and self._model.borrow_rate:
            self._borrow((day - before).days, moment)
        marks = {symbol: from_nanos(self._last[symbol]) for symbol in self.books.positions if symbol in self._last}
        self.books.mark(marks, moment)
        return True

    def _act(self, action: CorporateAction, moment: Moment) -> None:
        symbol, held = action.symbol, self.books.positions.get(action.symbol, ZERO)
        name = f"{symbol}-{action.date.isoformat()}"
        if action.dividend and held:
            amount = (held * action.dividend).quantize(_CENT, ROUND_HALF_UP)
            self.books.book(f"dividend-{name}", "dividend", symbol, amount, ZERO, moment)
        if action.ratio == 1:
            return
        venue = self._venue
        venue.each(lambda order: order.symbol == symbol, lambda order: venue.end(order, OrderStatus.CANCELED, moment))
        change = (held * (action.ratio - 1)).quantize(_NINE, ROUND_HALF_EVEN)
        if change:
            self.books.book(f"split-{name}", "split", symbol, ZERO, change, moment)
        if symbol in self._last:
            price = (from_nanos(self._last[symbol]) / action.ratio).quantize(_NINE, ROUND_HALF_EVEN)
            self._last[symbol] = to_nanos("price", price)

    def _borrow(self, days: int, moment: Moment) -> None:
        for symbol, quantity in tuple(self.books.positions.items()):
            if quantity < 0:
                value = -quantity * from_nanos(self._last[symbol])
                cost = (value * self._model.borrow_rate * days / _DAYS).quantize(_CENT, ROUND_HALF_UP)
                if cost:
                    name = f"borrow-{symbol}-{moment.at.date().isoformat()}"
                    self.books.book(name, "fee", symbol, -cost, ZERO, moment)
