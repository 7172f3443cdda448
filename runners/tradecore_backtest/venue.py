"""The assumed broker: admits orders, matches them against the market, and tells the books."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter

import msgspec

from tradecore.domain.nanos import NANO, from_nanos
from tradecore.domain.terms import Terms
from tradecore.domain.values import ZERO, OrderClass, OrderStatus, TimeInForce, plus
from tradecore_backtest.admitting import Standing, promises, refusal_of
from tradecore_backtest.books import Asked, Books, Fill
from tradecore_backtest.costs import Costs
from tradecore_backtest.desk import Moment
from tradecore_backtest.hours import end_of_order, session_opening
from tradecore_backtest.market import FillAt, MarketModel
from tradecore_backtest.orders import Role, Working

_ticket = attrgetter("ticket")


class Prices(msgspec.Struct, frozen=True, gc=False):
    """A bar in whole numbers, and when it ends."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    end: Moment


class Venue:
    """Open orders by symbol, and what becomes of them. `last` has the last price of every symbol, in billionths,
    `seen` when that was; `tickets` counts the orders."""

    def __init__(
        self, books: Books, model: MarketModel, last: dict[str, int], seen: dict[str, int], bar_ns: int
    ) -> None:
        self.open: dict[str, list[Working]] = {}
        self.auctions: list[Working] = []
        self.tickets = 0
        self.books = books
        self._model = model
        self._last, self._seen = last, seen
        self._bar_ns = bar_ns
        self._at_close = model.fill_at is FillAt.CLOSE
        self._costs = Costs(model)

    # --- orders in --------------------------------------------------------------------------------------------------

    def admit(self, asked: Asked, moment: Moment) -> None:
        """Have the books decide on an idea, and take or refuse the order that it becomes. Raises `InputError`."""
        ticket = self.tickets + 1
        terms = self.books.place(ticket, asked, moment)
        self.tickets = ticket
        if terms is not None:
            self.send(terms, asked.close, moment)

    def send(self, terms: Terms, close: Decimal, moment: Moment) -> None:
        """Take or refuse the order of the newest ticket; its legs have the tickets after it."""
        ticket = self.tickets
        order = Working(terms, ticket, end_of_order(terms, moment.ns), close)
        order.placed = moment.ns
        if terms.order_class is not OrderClass.SIMPLE:
            order.bring_along(terms)
        self.tickets += max(0, len(order.group) - 1)
        if order.waits and order.stop is None and order.symbol in self._last:
            order.follow(self._last[order.symbol])
        books = self.books
        here = Standing(books.cash, books.positions, self.open, self._last, moment.ns, self._bar_ns)
        refusal = refusal_of(terms, order, here, self._model)
        books.answer(ticket, refusal, moment)
        if refusal is None:
            self._enter(order)
            if order.role is Role.TAKE_PROFIT:  # the stop of an OCO is watched from the start
                self._enter(order.group[1])

    def take_out(self, ticket: int, moment: Moment) -> None:
        """End an order as somebody asked for, with what belongs to it."""
        for orders in tuple(self.open.values()):
            for order in orders:
                wanted = next((one for one in order.group or (order,) if one.ticket == ticket), None)
                if wanted is not None:
                    self.end(wanted, OrderStatus.CANCELED, moment)
                    return

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that open orders can still add; legs only take away what their entry added."""
        return from_nanos(sum(one.sign * one.reserved for one in self.open.get(symbol, ()) if not one.is_leg))

    def _enter(self, order: Working) -> None:
        others = self.open.get(order.symbol)
        if others is None:
            self.open[order.symbol] = [order]
        else:
            insort(others, order, key=_ticket)
        if order.auction:
            self.auctions.append(order)

    # --- the market moves -------------------------------------------------------------------------------------------

    def match(self, symbol: str, bar: Prices, start_ns: int, *, extended: bool = False) -> None:
        """Orders that were there before the bar trade within it, oldest first; `extended` lets only some of them."""
        share = self._model.volume_share
        pool = None if share is None else int(share * bar.volume)
        for order in tuple(self.open.get(symbol, ())):
            if not order.active or order.auction or (extended and not order.extended):
                continue
            if order.expires <= start_ns:
                self.run_out(order, bar.end)
                continue
            filled = self.meet(order, bar, pool)
            if pool is not None:
                pool -= filled

    def meet(self, order: Working, bar: Prices, pool: int | None) -> int:
        """One order against these prices; what it takes of the pool (None: as much as it likes)."""
        price = self._price_in(order, bar)
        filled = 0 if price is None else self._trade(order, price, pool, bar.end)
        if order.immediate:
            self.end(order, OrderStatus.CANCELED, bar.end)
        return filled

    def _price_in(self, order: Working, bar: Prices) -> int | None:
        stop = order.watched_stop if order.group else None
        if stop is not None and not order.may_trade_despite(stop, bar.open, bar.high, bar.low):
            return None
        price = order.price_in(bar.open, bar.high, bar.low, bar.close, at_close=self._at_close)
        if order.held and not order.waits:  # held legs that are here are stops, and wait until they are reached
            self._elect(order, bar.end)
        return price

    def _elect(self, stop: Working, moment: Moment) -> None:
        """A watched stop is reached: it goes to the market in the place of its take-profit."""
        for other in stop.group:
            if other is not stop and other.active:
                self._end_one(other, OrderStatus.CANCELED, moment)
        stop.held = False
        self.books.work(stop.ticket, moment)

    def hold_auctions(self, until_ns: int, moment: Moment | None = None) -> bool:
        """The closing auctions until then: the session's last price, or the end of the order. True when there were."""
        due = [order for order in self.auctions if order.expires <= until_ns]
        for order in due:
            at = moment or Moment(order.expires)
            price = self._last.get(order.symbol)
            is_told = self._seen.get(order.symbol, 0) > session_opening(order.expires)
            if price is not None and is_told and (order.limit is None or (order.limit - price) * order.sign >= 0):
                self._trade(order, price, None, at)
            self.end(order, OrderStatus.CANCELED, at)
        return bool(due)

    def _trade(self, order: Working, price: int, pool: int | None, moment: Moment) -> int:
        filled = self._quantity(order, price, pool)
        if filled:
            self._fill(order, filled, price, moment)
        return filled

    def _quantity(self, order: Working, price: int, pool: int | None) -> int:
        if order.left is None:
            assert order.notional is not None, "an order has a quantity or an amount"
            wanted = order.notional * NANO // price
            if not order.opens:
                held = self.books.positions.get(order.symbol, ZERO)
                wanted = min(wanted, int(abs(held) * NANO))
        else:
            wanted = order.left
        if pool is None or wanted <= pool:
            return wanted
        if order.kill:
            return 0
        return pool // NANO * NANO if order.whole else pool

    def _fill(self, order: Working, quantity: int, price: int, moment: Moment) -> None:
        costs = self._costs
        if costs.slips and order.limit is None:
            price = costs.slipped(order, price)
        units, at_price = from_nanos(quantity), from_nanos(price)
        fees = costs.fees(units, at_price, is_first=not order.filled) if costs.charges else ZERO
        order.filled = plus(order.filled, units)
        if order.left is not None:
            order.left -= quantity
            order.reserved = order.left
        signed = units if order.sign > 0 else -units
        done = order.left == 0
        ends = done and not order.shrunk
        self.books.fill(order.ticket, Fill(order.symbol, signed, at_price, fees, order.filled, ends), moment)
        if ends:
            self._remove(order)
        elif done or order.left is None:  # only the broker knows that there is no more to it
            self._end_one(order, OrderStatus.FILLED, moment)
        if order.group:
            self._after_fill(order, quantity, moment)

    def _after_fill(self, order: Working, quantity: int, moment: Moment) -> None:
        others = [one for one in order.group if one is not order and one.active]
        if order.role is Role.ENTRY:
            if not order.active:
                self._activate(order, others, moment)
            return
        for other in others:
            if not order.active:
                self._end_one(other, OrderStatus.CANCELED, moment)
            elif other.left is not None:
                other.resize(other.left - quantity)

    def _activate(self, entry: Working, legs: list[Working], moment: Moment) -> None:
        """The legs are for what the entry filled, or for less where a part of that was closed in the meantime."""
        held = self.books.positions.get(entry.symbol, ZERO) * entry.sign
        others = self.open.get(entry.symbol, ())
        promised = sum(one.reserved for one in others if one.sign != entry.sign and promises(one))
        size = min(int(entry.filled * NANO), int(held * NANO) - promised)
        for leg in legs:
            if size <= 0:
                self._end_one(leg, OrderStatus.CANCELED, moment)
                continue
            leg.resize(size)
            if leg.role is Role.TAKE_PROFIT or len(legs) == 1:
                leg.held = False
                self.books.work(leg.ticket, moment)
            self._enter(leg)

    # --- ends -------------------------------------------------------------------------------------------------------

    def run_out(self, order: Working, moment: Moment) -> None:
        """The order's time is over; one that was good till canceled is canceled."""
        self.end(order, OrderStatus.CANCELED if order.force is TimeInForce.GTC else OrderStatus.EXPIRED, moment)

    def end(self, order: Working, status: OrderStatus, moment: Moment) -> None:
        """The broker's last word on an order, and on what belongs to it, where it has not ended yet."""
        for one in order.group or (order,):
            if one.active:
                self._end_one(one, status, moment)

    def each(self, wanted: Callable[[Working], bool], act: Callable[[Working], None]) -> None:
        """Act on every open order that `wanted` picks."""
        for orders in tuple(self.open.values()):
            for order in tuple(orders):
                if order.active and wanted(order):
                    act(order)

    def _end_one(self, order: Working, status: OrderStatus, moment: Moment) -> None:
        self.books.end(order.ticket, status, order.filled, moment)
        self._remove(order)

    def _remove(self, order: Working) -> None:
        order.active = False
        left = self.open.get(order.symbol, [])
        if order in left:
            left.remove(order)
            if not left:
                del self.open[order.symbol]
        if order.auction:
            self.auctions.remove(order)
