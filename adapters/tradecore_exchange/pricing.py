"""At what price an order trades against a market, or that it does not: the rules, without any state."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import attrs

from tradecore.domain.values import Bar, Quote, Side, canonical
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.orders import Order
from tradecore_exchange.words import IMMEDIATE, OrderType, TimeInForce

_CHEAP = Decimal(50)
_HUNDRED = Decimal(100)


@attrs.frozen
class Trail:
    """Where a trailing stop stands: its best price so far, and the stop behind it."""

    hwm: Decimal
    stop_price: Decimal


@attrs.frozen
class Reached:
    """What a bar did to an order that awaits its stop. `at` is the price at which that was reached, None if not."""

    at: Decimal | None
    at_open: bool = False
    trail: Trail | None = None


def price_step(price: Decimal, symbol: str) -> Decimal:
    """The finest step of a price: a cent from a dollar up, a hundredth of one below; nine places for crypto."""
    if is_crypto(symbol):
        return Decimal("1e-9")
    return Decimal("0.01") if price >= 1 else Decimal("0.0001")


def collar_of(side: Side, kind: OrderType, stop_price: Decimal, symbol: str) -> Decimal | None:
    """The limit of a buy stop: 4 % above a stop below $50, 2.5 % above others. Sells and other types have none."""
    if side is Side.SELL or kind is not OrderType.STOP:
        return None
    factor = Decimal("1.04") if stop_price < _CHEAP else Decimal("1.025")
    limit = stop_price * factor
    return canonical(limit.quantize(price_step(limit, symbol), rounding=ROUND_DOWN))


def trail_from(order: Order, price: Decimal) -> Trail:
    """Where a trailing stop stands after the market was at `price`: it follows a better one and never goes back."""
    best = max if order.side is Side.SELL else min
    hwm = price if order.hwm is None else best(order.hwm, price)
    distance = order.trail_price
    if distance is None:
        assert order.trail_percent is not None, "a trailing stop has a distance"
        distance = hwm * order.trail_percent / _HUNDRED
    stop = hwm - distance * order.side.opposite.sign
    stop = max(stop, price_step(stop, order.symbol))
    return Trail(hwm, canonical(stop.quantize(price_step(stop, order.symbol), rounding=ROUND_HALF_EVEN)))


def is_beyond(side: Side, stop: Decimal, price: Decimal) -> bool:
    """True when a price reaches a stop."""
    return price >= stop if side is Side.BUY else price <= stop


def satisfies(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """True when an order with this limit may trade at a price."""
    return limit is None or (price <= limit if side is Side.BUY else price >= limit)


def reach_in_bar(order: Order, bar: Bar) -> Reached:
    """Whether a bar reaches the stop of an order.

    The way inside a bar is not known. A fixed stop is reached at the open when that is beyond it, else at the stop when
    the bar came that far. A trailing stop is tried where it stood at the open, and then, moved by the bar's best price,
    against the close.
    """
    side = order.side
    worst, best = (bar.high, bar.low) if side is Side.BUY else (bar.low, bar.high)
    trail = trail_from(order, bar.open) if order.type is OrderType.TRAILING_STOP else None
    stop = order.stop_price if trail is None else trail.stop_price
    assert stop is not None, "a stop has a price"
    if is_beyond(side, stop, bar.open):
        return Reached(bar.open, at_open=True, trail=trail)
    if is_beyond(side, stop, worst):
        return Reached(stop, trail=trail)
    if trail is None:
        return Reached(None)
    moved = trail_from(order, best)
    at = moved.stop_price if is_beyond(side, moved.stop_price, bar.close) else None
    return Reached(at, trail=moved)


def reached_price(order: Order, reached: Reached, bar: Bar) -> Decimal | None:
    """The price of an order in the very bar that reached its stop.

    Beyond its limit it trades at the limit when the bar is known to have come back to it afterwards: at any price of
    the bar when the stop was reached at the open, else at the close.
    """
    assert reached.at is not None, "the stop was reached"
    limit = order.bound
    if limit is None or satisfies(order.side, limit, reached.at):
        return reached.at
    back = bar.close if not reached.at_open else bar.low if order.side is Side.BUY else bar.high
    return limit if satisfies(order.side, limit, back) else None


def bar_price(side: Side, limit: Decimal | None, time_in_force: TimeInForce, bar: Bar) -> Decimal | None:
    """The price within a bar that began after the order was entered.

    A market order trades at the open. A limit trades at the open when that is better, else at its limit when the bar
    came that far. An immediate order has the open only.
    """
    if satisfies(side, limit, bar.open):
        return bar.open
    extreme = bar.low if side is Side.BUY else bar.high
    return limit if satisfies(side, limit, extreme) and time_in_force not in IMMEDIATE else None


def side_price(side: Side, quote: Quote) -> Decimal | None:
    """The side of a quote that an order would trade with; None when it is empty, a price of zero."""
    price = quote.ask if side is Side.BUY else quote.bid
    return price if price > 0 else None
