"""What days bring: splits and dividends, the cost of borrowed shares, prices of a new day for the gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from tradecore.domain import commands as cmd
from tradecore.domain.calendar import NEW_YORK
from tradecore.domain.nanos import from_nanos, instant, to_nanos
from tradecore.domain.values import OrderStatus
from tradecore_backtest.desk import Desk, Moment
from tradecore_backtest.market import CorporateAction, MarketModel
from tradecore_backtest.orders import Working
from tradecore_backtest.venue import Venue

_CENT = Decimal("0.01")
_NINE = Decimal("1e-9")
_DAYS = 365


class Calendar:
    """Turns to a new day before its first bar: days of New York, or of UTC for a market that never closes."""

    def __init__(
        self, desk: Desk, venue: Venue, account: str, model: MarketModel, last: dict[str, int], *, is_utc: bool
    ) -> None:
        self._zone = dt.UTC if is_utc else NEW_YORK
        self._desk = desk
        self._venue = venue
        self._account = account
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
        moment = Moment(start_ns, at)
        self._venue.end_if(lambda order: order.expires <= start_ns, OrderStatus.EXPIRED, moment)
        while self._actions and self._actions[0].date <= day:
            action = self._actions.pop(0)
            if before is not None:
                self._act(action, moment)
        if before is not None and self._model.borrow_rate:
            self._borrow((day - before).days, moment)
        account = self._desk.account
        marks = {symbol: from_nanos(self._last[symbol]) for symbol in account.positions if symbol in self._last}
        self._desk.take(cmd.MarkEquity(self._account, marks, at), moment, "engine")
        return True

    def _act(self, action: CorporateAction, moment: Moment) -> None:
        symbol, held = action.symbol, self._desk.account.position(action.symbol).quantity
        name = f"{symbol}-{action.date.isoformat()}"
        if action.dividend and held:
            amount = (held * action.dividend).quantize(_CENT, ROUND_HALF_UP)
            self._book(f"dividend-{name}", "dividend", symbol, amount, Decimal(0), moment)
        if action.ratio == 1:
            return
        self._venue.end_if(_is_of(symbol), OrderStatus.CANCELED, moment)
        change = (held * (action.ratio - 1)).quantize(_NINE, ROUND_HALF_EVEN)
        if change:
            self._book(f"split-{name}", "split", symbol, Decimal(0), change, moment)
        if symbol in self._last:
            price = (from_nanos(self._last[symbol]) / action.ratio).quantize(_NINE, ROUND_HALF_EVEN)
            self._last[symbol] = to_nanos("price", price)

    def _borrow(self, days: int, moment: Moment) -> None:
        for symbol, position in tuple(self._desk.account.positions.items()):
            if position.quantity < 0:
                value = -position.quantity * from_nanos(self._last[symbol])
                cost = (value * self._model.borrow_rate * days / _DAYS).quantize(_CENT, ROUND_HALF_UP)
                if cost:
                    name = f"borrow-{symbol}-{moment.at.date().isoformat()}"
                    self._book(name, "fee", symbol, -cost, Decimal(0), moment)

    def _book(self, name: str, kind: str, symbol: str, amount: Decimal, units: Decimal, moment: Moment) -> None:
        command = cmd.BookActivity(self._account, name, kind, symbol, amount, units, moment.at, "")
        self._desk.take(command, moment, "inbox")


def _is_of(symbol: str) -> Callable[[Working], bool]:
    return lambda order: order.symbol == symbol
