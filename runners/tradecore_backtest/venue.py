"""The assumed broker: admits orders, matches them against bars, and tells the books."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import attrs

from tradecore.domain.nanos import NANO, from_nanos
from tradecore.domain.terms import Terms
from tradecore.domain.values import ZERO, OrderStatus, plus
from tradecore_backtest.books import Asked, Books, Fill
from tradecore_backtest.desk import Moment
from tradecore_backtest.hours import end_of_order
from tradecore_backtest.market import FillAt, MarketModel
from tradecore_backtest.orders import Working, price_step

_CENT = Decimal("0.01")
_NINE = Decimal("1e-9")
_BPS = 10_000
_FORBIDDEN = "403/40310000"


@attrs.frozen
class Prices:
    """A bar in whole numbers, and when it ends."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    end: Moment


class Venue:
    """Open orders by symbol, and what becomes of them. `last` has the last price of every symbol, in
    billionths; `tickets` counts the orders."""

    def __init__(self, books: Books, model: MarketModel, last: dict[str, int]) -> None:
        self.open: dict[str, list[Working]] = {}
        self._books = books
        self._model = model
        self._last = last
        self.tickets = 0
        self._at_close = model.fill_at is FillAt.CLOSE
        self._slips = bool(model.slippage or model.slippage_bps)
        self._charges = bool(model.fee_per_unit or model.fee_per_order or model.fee_bps)

    # --- orders in --------------------------------------------------------------------------------------------------

    def admit(self, asked: Asked, moment: Moment) -> None:
        """Have the books decide on an idea, and take or refuse the order that it becomes. Raises `InputError`."""
        ticket = self.tickets + 1
        terms = self._books.place(ticket, asked, moment)
        self.tickets = ticket
        if terms is None:
            return
        order = Working(terms, ticket, end_of_order(terms, moment.ns), asked.close)
        if order.waits and order.stop is None and order.symbol in self._last:
            order.follow(self._last[order.symbol])
        refusal = self._refusal(terms, order)
        self._books.answer(ticket, refusal, moment)
        if refusal is None:
            self.open.setdefault(order.symbol, []).append(order)

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that open orders can still add."""
        return from_nanos(sum(one.sign * one.reserved for one in self.open.get(symbol, ())))

    def _refusal(self, terms: Terms, order: Working) -> tuple[str, str] | None:
        """Code and words of the embedded exchange for an order that it would not take, or None."""
        others = self.open.get(order.symbol, ())
        held = self._books.positions.get(order.symbol, ZERO)
        sign, last = order.sign, self._last.get(order.symbol, 0)
        wanted = from_nanos(order.reserved)
        if terms.stop_price is not None and last and (terms.stop_price - from_nanos(last)) * sign <= 0:
            return "422", "the stop price has been passed by the market already"
        if held * sign < 0:
            promised = sum((from_nanos(one.reserved) for one in others if one.sign == sign), ZERO)
            if wanted > abs(held) - promised:
                return _FORBIDDEN, f"insufficient qty available for order (requested: {wanted}, held: {held})"
            return None
        if sign < 0 and not self._model.shorting:
            return _FORBIDDEN, "account is not allowed to short"
        if any(one.sign != sign for one in others):
            return _FORBIDDEN, "an order on the opposite side is open"
        cost, free = wanted * (terms.limit_price or terms.stop_price or from_nanos(last)), self._buying_power()
        if cost > free:
            return _FORBIDDEN, f"insufficient buying power (available: {free:.2f}, cost: {cost:.2f})"
        return None

    def _buying_power(self) -> Decimal:
        positions = self._books.positions
        gross, equity = ZERO, self._books.cash
        for symbol, quantity in positions.items():
            value = quantity * from_nanos(self._last.get(symbol, 0))
            gross, equity = gross + abs(value), equity + value
        for symbol, orders in self.open.items():
            side = positions.get(symbol, ZERO)
            for one in orders:
                if side * one.sign >= 0:
                    gross += from_nanos(one.reserved) * from_nanos(one.limit or self._last.get(symbol, 0))
        return max(ZERO, equity * self._model.multiplier - gross)

    # --- the market moves -------------------------------------------------------------------------------------------

    def match(self, symbol: str, bar: Prices, start_ns: int) -> None:
        """Orders that were there before the bar trade within it, oldest first."""
        share = self._model.volume_share
        pool = None if share is None else int(share * bar.volume)
        for order in tuple(self.open.get(symbol, ())):
            if order.expires <= start_ns:
                self.end(order, OrderStatus.EXPIRED, bar.end)
                continue
            price = order.price_in(bar.open, bar.high, bar.low, bar.close, at_close=self._at_close)
            if price is not None:
                filled = self._quantity(order, price, pool)
                if filled:
                    self._fill(order, filled, price, bar.end)
                if pool is not None:
                    pool -= filled
            if order.active and order.immediate:
                self.end(order, OrderStatus.CANCELED, bar.end)

    def _quantity(self, order: Working, price: int, pool: int | None) -> int:
        if order.left is None:
            assert order.notional is not None, "an order has a quantity or an amount"
            wanted = order.notional * NANO // price
        else:
            wanted = order.left
        if pool is None or wanted <= pool:
            return wanted
        if order.kill:
            return 0
        return pool // NANO * NANO if order.whole else pool

    def _fill(self, order: Working, quantity: int, price: int, moment: Moment) -> None:
        if self._slips and order.limit is None:
            price = self._slipped(order, price)
        units, at_price = from_nanos(quantity), from_nanos(price)
        fees = self._fees(units, at_price, is_first=not order.filled) if self._charges else ZERO
        order.filled = plus(order.filled, units)
        if order.left is not None:
            order.left -= quantity
            order.reserved = order.left
        signed = units if order.sign > 0 else -units
        done = order.left == 0
        self._books.fill(order.ticket, Fill(order.symbol, signed, at_price, fees, order.filled, done), moment)
        if done:
            self._remove(order)
        elif order.left is None:
            self.end(order, OrderStatus.FILLED, moment)

    def _slipped(self, order: Working, price: int) -> int:
        step = price_step(price, order.symbol)
        model = self._model
        worse = from_nanos(price) * model.slippage_bps / _BPS + model.slippage
        steps = -(-int((worse / _NINE).to_integral_value(ROUND_HALF_EVEN)) // step)
        return max(step, price + order.sign * steps * step)

    def _fees(self, units: Decimal, price: Decimal, *, is_first: bool) -> Decimal:
        model = self._model
        fees = units * model.fee_per_unit + units * price * model.fee_bps / _BPS
        if is_first:
            fees += model.fee_per_order
        return fees.quantize(_CENT if model.fee_cents else _NINE, ROUND_HALF_UP)

    # --- ends -------------------------------------------------------------------------------------------------------

    def end(self, order: Working, status: OrderStatus, moment: Moment) -> None:
        """The broker's last word on an order."""
        self._books.end(order.ticket, status, order.filled, moment)
        self._remove(order)

    def end_if(self, wanted: Callable[[Working], bool], status: OrderStatus, moment: Moment) -> None:
        """End every open order that `wanted` picks."""
        for orders in tuple(self.open.values()):
            for order in tuple(orders):
                if wanted(order):
                    self.end(order, status, moment)

    def _remove(self, order: Working) -> None:
        order.active = False
        left = self.open[order.symbol]
        left.remove(order)
        if not left:
            del self.open[order.symbol]
