"""Orders meet the market: bars, quotes, and the closing auction."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_EVEN, Decimal

from tradecore.domain.values import Bar, Side, minus, times
from tradecore_exchange.blotter import Fee
from tradecore_exchange.desk import Desk
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.market import Market
from tradecore_exchange.numbers import NINE_PLACES, floor_qty, is_whole
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Order
from tradecore_exchange.pricing import (
    Trail,
    bar_price,
    is_beyond,
    reach_in_bar,
    reached_price,
    satisfies,
    side_price,
    trail_from,
)
from tradecore_exchange.sessions import new_york_date, session_on
from tradecore_exchange.words import IMMEDIATE, OrderType, TimeInForce

_BASIS_POINTS = Decimal(10_000)


class Dealer:
    """Finds the price of every order that may trade, and lets it trade."""

    def __init__(self, options: ExchangeOptions, desk: Desk, market: Market) -> None:
        self._options = options
        self._desk = desk
        self._market = market

    def match_bar(self, bar: Bar, start_ns: int) -> None:
        """Orders that were there before the bar's minute trade within it, oldest first; legs that it frees do not."""
        open_orders = self._desk.blotter.book.open_of(bar.symbol)
        if not open_orders:
            return
        # The same for all orders of a kind, and dear to find out.
        takes = [self._market.takes(bar.symbol, start_ns, extended_hours=extended) for extended in (False, True)]
        orders = [order for order in open_orders if takes[order.extended_hours] and self._may(order)]
        share = self._options.volume_share
        pool = None if share is None else times(share, bar.volume)
        for order in orders:
            if not self._may(order):
                continue
            traded = self._trade(order, self._price_in_bar(order, bar), pool)
            if pool is not None:
                pool = minus(pool, traded)
        self._desk.activated.clear()

    def match_quote(self, symbol: str) -> None:
        """All orders of a symbol against its live quote."""
        for order in self._desk.blotter.book.open_of(symbol):
            self.match_with_quote(order)

    def match_with_quote(self, order: Order) -> None:
        """One order against its live quote, if there is one, and then the legs that it frees. Sizes do not limit."""
        quote = self._market.live_quote(order.symbol)
        at = self._desk.blotter.clock.now_ns
        if quote is None or not self._may(order) or not self._market.trades(order, at):
            return
        price = side_price(order.side, quote)
        if price is not None and order.awaits_stop and not self._reaches(order, price):
            return
        if price is not None and not satisfies(order.side, order.bound, price):
            price = None
        self._trade(order, price, None)
        while self._desk.activated:
            self.match_with_quote(self._desk.activated.pop(0))

    def auction_close(self, order: Order) -> None:
        """The closing auction: the session's last price, or the end of the order."""
        assert order.expires_ns is not None, "an order for the close has an end"
        session = session_on(new_york_date(order.expires_ns))
        if session is not None and order.works and order.symbol not in self._market.halted:
            price = self._market.price_since(order.symbol, session.open)
            if price is not None and satisfies(order.side, order.bound, price):
                self._trade(order, price, None)
        if order.is_open:
            self._desk.cancel(order)

    def _may(self, order: Order) -> bool:
        return (order.works or self._desk.is_watched(order)) and order.time_in_force is not TimeInForce.CLS

    def _price_in_bar(self, order: Order, bar: Bar) -> Decimal | None:
        stop = self._desk.watched_stop(order)
        limit_at_open = satisfies(order.side, order.limit_price, bar.open)
        if stop is not None and not limit_at_open and reach_in_bar(stop, bar).at is not None:
            # Nobody knows which of the two the bar came to first: the loss is taken, in its own turn.
            return None
        if not order.awaits_stop:
            return bar_price(order.side, order.bound, order.time_in_force, bar)
        reached = reach_in_bar(order, bar)
        self._move_trail(order, reached.trail)
        if reached.at is None:
            return None
        self._desk.elect(order)
        return reached_price(order, reached, bar)

    def _reaches(self, order: Order, price: Decimal) -> bool:
        """Whether a quoted price reaches the stop of an order, which then is elected."""
        if order.type is OrderType.TRAILING_STOP:
            self._move_trail(order, trail_from(order, price))
        assert order.stop_price is not None, "a stop has a price"
        reached = is_beyond(order.side, order.stop_price, price)
        if reached:
            self._desk.elect(order)
        return reached

    def _move_trail(self, order: Order, trail: Trail | None) -> None:
        if trail is not None and (order.hwm, order.stop_price) != (trail.hwm, trail.stop_price):
            order.hwm, order.stop_price = trail.hwm, trail.stop_price
            self._desk.blotter.keep(order)

    def _trade(self, order: Order, price: Decimal | None, pool: Decimal | None) -> Decimal:
        """Trade what can be traded at `price` out of `pool` (None: no limit); returns the quantity."""
        qty = Decimal(0)
        if price is not None:
            wanted = self._wanted(order, price)
            whole = order.qty is not None and is_whole(order.qty)
            qty = wanted if pool is None else min(wanted, floor_qty(pool, whole=whole))
            if order.time_in_force is TimeInForce.FOK:
                qty = wanted if qty == wanted else Decimal(0)
            elif qty == wanted:
                qty = self._perhaps_a_part(order, wanted, whole=whole)
            if qty > 0:
                self._desk.fill(order, qty, price, self._fee(order, qty, price))
        if order.is_open and order.time_in_force in IMMEDIATE:
            self._desk.cancel(order)
        return qty

    def _wanted(self, order: Order, price: Decimal) -> Decimal:
        if order.notional is None:
            return order.leaves_qty
        qty = floor_qty(order.notional / price, whole=False)
        if order.opens:
            return qty
        return min(qty, abs(self._desk.blotter.account.position_qty(order.symbol)))

    def _fee(self, order: Order, qty: Decimal, price: Decimal) -> Fee:
        if not is_crypto(order.symbol):
            return Fee(dollars=times(qty, self._options.fee_per_share))
        rate = self._options.crypto_fee_bps / _BASIS_POINTS
        received = qty if order.side is Side.BUY else times(qty, price)
        amount = (received * rate).quantize(NINE_PLACES, rounding=ROUND_HALF_EVEN)
        return Fee(qty=amount) if order.side is Side.BUY else Fee(dollars=amount)

    def _perhaps_a_part(self, order: Order, wanted: Decimal, *, whole: bool) -> Decimal:
        """The dice of `partial_fill_rate`, thrown once an order from its own number, so that a restart throws alike."""
        rate = self._options.partial_fill_rate
        if not rate or order.split or order.notional is not None or (whole and wanted < 2):
            return wanted
        order.split = True
        chance = random.Random(f"{self._desk.blotter.seed}:{order.number}")  # noqa: S311 -- repeatable on purpose
        if chance.random() >= rate:
            return wanted
        part = floor_qty(wanted * Decimal(chance.randint(10, 90)) / 100, whole=whole)
        return part if part > 0 else Decimal(1) if whole else wanted
