"""An order on the assumed market, in whole numbers, and at what price it trades within a bar.

The rules are those of the embedded exchange; a test holds them against it. The way inside a bar is not known, so what
is assumed is never kind: a stop is reached before its own limit, and a price beyond the limit is not had.
"""

from __future__ import annotations

import enum
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from tradecore.domain.nanos import NANO, from_nanos, to_nanos
from tradecore.domain.terms import StopLoss, Terms, legs_of, size
from tradecore.domain.values import ZERO, Leg, OrderClass, OrderType, Side, TimeInForce

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG)
_CENT = NANO // 100
_HUNDREDTH = _CENT // 100


def price_step(price: int, symbol: str) -> int:
    """The finest step of a price, in billionths: a cent from 1 up, a hundredth of one below, a billionth for crypto."""
    if "/" in symbol:
        return 1
    return _CENT if price >= NANO else _HUNDREDTH


class Role(enum.Enum):
    """What an order is among those it belongs to."""

    ALONE = "alone"
    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class Working:
    """An order that waits for bars. Quantities and prices in billionths; `sign` is 1 for a buy, -1 for a sell.

    `left` is None for an order of an amount of money, `reserved` the most that it can still fill; `limit` the
    worst price that it takes, None for any. `group` is the order that brought others along and those others, itself
    included; empty for an order that stands alone. A leg is `held` until its time comes. `opens` tells that it makes a
    position larger, `reserve_price` at what price it then holds buying power. `shrunk`: it is for less than it was.
    """

    # most orders are for the market and for the day; what is said here is not said again for each of them
    filled = ZERO
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    trail_percent: Decimal | None = None
    notional: int | None = None
    best: int | None = None
    left: int | None = None
    is_market = immediate = kill = auction = waits = held = is_leg = shrunk = whole = False
    active = opens = True
    reserve_price = placed = 0
    role = Role.ALONE
    group: tuple[Working, ...] = ()

    def __init__(self, order: Terms, ticket: int, expires: int, reference: Decimal) -> None:
        self.symbol, self.ticket, self.expires = order.symbol, ticket, expires
        self.sign = order.side.sign
        self.kind, self.force, self.extended = order.order_type, order.time_in_force, order.extended_hours
        if self.force is not TimeInForce.DAY:
            self.immediate = self.force in _IMMEDIATE
            self.kill = self.force is TimeInForce.FOK
            self.auction = self.force is TimeInForce.CLS
        if order.quantity is not None:
            self.left = self.reserved = to_nanos("quantity", order.quantity)
            self.whole = not self.left % NANO
        else:
            most = size(order, reference)
            assert most is not None, "the terms were checked"
            self.reserved = to_nanos("quantity", most)
            self.notional = None if order.notional is None else to_nanos("notional", order.notional)
        if self.kind is OrderType.MARKET:
            self.is_market = True
        else:
            self._be_priced(order)

    def _be_priced(self, order: Terms) -> None:
        self.limit = _price("limit_price", order.limit_price)
        self.stop = _price("stop_price", order.stop_price)
        self.trail = _price("trail_price", order.trail_price)
        self.trail_percent = order.trail_percent
        self.waits = order.order_type in _STOPS
        if order.order_type is OrderType.STOP and order.side is Side.BUY:
            self.limit = collar(self.stop or 0, self.symbol)

    # --- those that belong together ---------------------------------------------------------------------------------

    def bring_along(self, order: Terms) -> None:
        """Make the legs of an order that has some, held; their tickets follow its own."""
        names = legs_of(order)
        if not names:
            return
        exits = order.order_class is OrderClass.OCO
        self.role = Role.TAKE_PROFIT if exits else Role.ENTRY
        legs = [self._leg(order, name, place, exits=exits) for place, name in enumerate(names, 1)]
        self.group = (self, *legs)
        for leg in legs:
            leg.group = self.group

    def _leg(self, order: Terms, name: Leg, place: int, *, exits: bool) -> Working:
        leg = Working(order, self.ticket + place, self.expires, ZERO)
        leg.is_leg, leg.held, leg.opens, leg.immediate = True, True, False, False
        leg.sign = self.sign if exits else -self.sign
        leg.is_market, leg.waits, leg.limit, leg.stop = False, False, None, None
        if name is Leg.TAKE_PROFIT:
            assert order.take_profit is not None, "the terms were checked"
            leg.role, leg.kind = Role.TAKE_PROFIT, OrderType.LIMIT
            leg.limit = _price("limit_price", order.take_profit.limit_price)
        else:
            assert order.stop_loss is not None, "the terms were checked"
            leg._become_stop(order.stop_loss)
        return leg

    def _become_stop(self, loss: StopLoss) -> None:
        self.role, self.waits = Role.STOP_LOSS, True
        self.kind = OrderType.STOP if loss.limit_price is None else OrderType.STOP_LIMIT
        self.stop, self.limit = _price("stop_price", loss.stop_price), _price("limit_price", loss.limit_price)
        if self.kind is OrderType.STOP and self.sign > 0:
            self.limit = collar(self.stop or 0, self.symbol)

    @property
    def watched_stop(self) -> Working | None:
        """The stop-loss that is watched beside this take-profit, which works."""
        if self.role is not Role.TAKE_PROFIT:
            return None
        return next((one for one in self.group if one.role is Role.STOP_LOSS and one.held and one.active), None)

    def resize(self, quantity: int) -> None:
        """Be for so much from now on, less than before."""
        assert self.left is not None, "orders that belong together have quantities"
        self.shrunk = self.shrunk or quantity < self.left
        self.left = self.reserved = quantity

    def may_trade_despite(self, stop: Working, open_: int, high: int, low: int) -> bool:
        """Whether a take-profit trades although its stop is watched: where a bar has both, the loss is taken."""
        assert self.limit is not None, "a take-profit has a limit"
        assert stop.stop is not None, "a stop has a price"
        if open_ <= self.limit if self.sign > 0 else open_ >= self.limit:
            return True
        return high < stop.stop if stop.sign > 0 else low > stop.stop

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
