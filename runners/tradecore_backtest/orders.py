"""An order on the assumed market, in whole numbers, and at what price it trades within a bar.

The rules are those of the embedded exchange; a test holds them against it. The way inside a bar is not known, so what
is assumed is never kind: a stop is reached before its own limit, and a price beyond the limit is not had.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from tradecore.domain.nanos import NANO, from_nanos, to_nanos
from tradecore.domain.terms import Terms, size
from tradecore.domain.values import ZERO, OrderType, Side, TimeInForce

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG)
_CENT = NANO // 100
_HUNDREDTH = _CENT // 100


def price_step(price: int, symbol: str) -> int:
    """The finest step of a price, in billionths: a cent from 1 up, a hundredth of one below, a billionth for crypto."""
    if "/" in symbol:
        return 1
    return _CENT if price >= NANO else _HUNDREDTH


class Working:
    """An order that waits for bars. Quantities and prices in billionths; `sign` is 1 for a buy, -1 for a sell.

    `left` is None for an order of an amount of money, `reserved` the most that it can still fill; `limit` the
    worst price that it takes, None for any.
    """

    __slots__ = (
        "active",
        "best",
        "expires",
        "filled",
        "immediate",
        "is_market",
        "kill",
        "left",
        "limit",
        "notional",
        "reserved",
        "sign",
        "stop",
        "symbol",
        "ticket",
        "trail",
        "trail_percent",
        "waits",
        "whole",
    )

    def __init__(self, order: Terms, ticket: int, expires: int, reference: Decimal) -> None:
        self.symbol, self.ticket, self.expires = order.symbol, ticket, expires
        self.filled = ZERO
        self.sign = order.side.sign
        self.immediate = order.time_in_force in _IMMEDIATE
        self.kill = order.time_in_force is TimeInForce.FOK
        most = size(order, reference)
        assert most is not None, "the terms were checked"
        self.reserved = to_nanos("quantity", most)
        self.is_market = order.order_type is OrderType.MARKET
        self.left = None if order.quantity is None else self.reserved
        self.notional = None if order.notional is None else to_nanos("notional", order.notional)
        self.whole = self.left is not None and not self.left % NANO
        self.limit = _price("limit_price", order.limit_price)
        self.stop = _price("stop_price", order.stop_price)
        self.trail = _price("trail_price", order.trail_price)
        self.trail_percent = order.trail_percent
        self.waits = order.order_type in _STOPS
        self.best: int | None = None
        self.active = True
        if order.order_type is OrderType.STOP and order.side is Side.BUY:
            self.limit = collar(self.stop or 0, self.symbol)

    # --- prices -----------------------------------------------------------------------------------------------------

    def price_in(self, open_: int, high: int, low: int, close: int, *, at_close: bool) -> int | None:
        """At what price it trades within a bar that began after it was placed; None when it does not."""
        if self.waits:
            return self._reached(open_, high, low, close)
        if at_close and self.is_market:
            return close
        limit = self.limit
        if limit is None:
            return open_
        if self.sign > 0:
            if open_ <= limit:
                return open_
            return limit if low <= limit and not self.immediate else None
        if open_ >= limit:
            return open_
        return limit if high >= limit and not self.immediate else None

    def _reached(self, open_: int, high: int, low: int, close: int) -> int | None:
        """The price in the very bar that reaches the stop; from then on it is a plain order."""
        buys = self.sign > 0
        worst, best = (high, low) if buys else (low, high)
        trails = self.trail is not None or self.trail_percent is not None
        if trails:
            self.follow(open_)
        stop = self.stop
        assert stop is not None, "a stop has a price"
        at: int | None = None
        at_open = stop <= open_ if buys else stop >= open_
        if at_open:
            at = open_
        elif stop <= worst if buys else stop >= worst:
            at = stop
        elif trails:
            self.follow(best)
            stop = self.stop
            assert stop is not None, "it follows the market"
            at = stop if (close >= stop if buys else close <= stop) else None
        if at is None:
            return None
        self.waits = False
        limit = self.limit
        if limit is None or (at <= limit if buys else at >= limit):
            return at
        back = close if not at_open else low if buys else high
        return limit if (back <= limit if buys else back >= limit) else None

    def follow(self, price: int) -> None:
        """A trailing stop follows a better price, and never goes back."""
        best = self.best
        self.best = best = price if best is None else min(best, price) if self.sign > 0 else max(best, price)
        if self.trail is not None:
            stop = from_nanos(best + self.sign * self.trail)
        else:
            assert self.trail_percent is not None, "a trailing stop has a distance"
            stop = from_nanos(best) + from_nanos(best) * self.trail_percent / 100 * self.sign
        step = from_nanos(price_step(to_nanos("stop", stop.quantize(Decimal("1e-9"))), self.symbol))
        self.stop = to_nanos("stop", max(stop, step).quantize(step, rounding=ROUND_HALF_EVEN))


def collar(stop: int, symbol: str) -> int:
    """The limit that a buy stop becomes: 4 % above a stop below 50, 2.5 % above others."""
    limit = from_nanos(stop) * (Decimal("1.04") if stop < 50 * NANO else Decimal("1.025"))
    step = from_nanos(price_step(to_nanos("limit", limit.quantize(Decimal("1e-9"), ROUND_DOWN)), symbol))
    return to_nanos("limit", limit.quantize(step, rounding=ROUND_DOWN))


def _price(field: str, price: Decimal | None) -> int | None:
    return None if price is None else to_nanos(field, price)
