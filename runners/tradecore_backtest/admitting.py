"""Whether the assumed broker takes an order: the refusals of the embedded exchange, in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from tradecore.domain.nanos import from_nanos
from tradecore.domain.terms import Terms, is_crypto, is_fractional
from tradecore.domain.values import ZERO, OrderClass, OrderType, TimeInForce
from tradecore_backtest.hours import takes_auction_orders
from tradecore_backtest.market import MarketModel
from tradecore_backtest.orders import Working
from tradecore_backtest.spacing import DAY_NS

_FORBIDDEN = "403/40310000"
_RULES = "422/42210000"
_CENT = Decimal("0.01")
_AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)

Refusal = tuple[str, str]


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What admission looks at: cash and positions of the account, open orders by symbol, last prices in billionths."""

    cash: Decimal
    positions: Mapping[str, Decimal]
    open: Mapping[str, list[Working]]
    last: Mapping[str, int]
    now_ns: int
    bar_ns: int

    def price(self, symbol: str) -> Decimal:
        """The last price; zero before there is one."""
        return from_nanos(self.last.get(symbol, 0))


def refusal_of(terms: Terms, order: Working, here: Standing, model: MarketModel) -> Refusal | None:
    """Code and words for an order that is not taken, or None. Notes on the order what it means for the account."""
    if order.is_market and not here.open and _is_plain(terms, order):  # most orders; nothing else is open
        held = here.positions.get(order.symbol)
        if held is not None and held * order.sign < 0:
            order.opens = False
            if from_nanos(order.reserved) <= abs(held):
                return None
        elif not here.positions and order.sign > 0:
            order.reserve_price = here.last.get(order.symbol, 0)
            if from_nanos(order.reserved) * from_nanos(order.reserve_price) <= here.cash * model.multiplier:
                return None
    return next(_refusals(terms, order, here, model), None)


def _is_plain(terms: Terms, order: Working) -> bool:
    is_simple = not order.group and terms.time_in_force is TimeInForce.DAY
    return is_simple and order.whole and not is_crypto(order.symbol)


def _refusals(terms: Terms, order: Working, here: Standing, model: MarketModel) -> Iterator[Refusal]:
    others = here.open.get(order.symbol, ())
    held = here.positions.get(order.symbol, ZERO)
    closing = held * order.sign < 0
    price = _most(terms, order, here)
    order.opens, order.reserve_price = not closing, price
    yield from _auction(terms, here)
    yield from _wash(terms, order, others)
    yield from _direction(terms, closing=closing)
    if closing:
        yield from _holding(terms, order, others, abs(held))
    elif order.sign < 0:
        yield from _short(terms, others, model)
    elif any(one.sign < 0 and one.opens for one in others):
        yield _FORBIDDEN, "cannot open a long buy while a short sell order is open"
    yield from _stop(terms, order, here)
    if not closing:
        yield from _cost(terms, order, here, model)
    yield from _legs(terms, here)


def _most(terms: Terms, order: Working, here: Standing) -> int:
    """What a unit costs at most, as far as that is known, in billionths."""
    if order.limit is not None:
        return order.limit
    if order.kind in _STOPS and order.stop is not None:
        return order.stop
    last = here.last.get(order.symbol, 0)
    if order.kind is OrderType.TRAILING_STOP and order.sign > 0:
        return last + (order.trail or int(last * (terms.trail_percent or ZERO) / 100))
    return last


def _auction(terms: Terms, here: Standing) -> Iterator[Refusal]:
    """Whoever decides on daily bars is taken to send its orders in the evening, when auctions take them."""
    force = terms.time_in_force
    if force in _AUCTIONS and here.bar_ns < DAY_NS // 4:
        opening = force is TimeInForce.OPG
        if not takes_auction_orders(here.now_ns, opening=opening):
            end = "9:28am" if opening else "3:50pm"
            yield _RULES, f"{force} orders must be submitted after 7:00pm and before {end}"


def _wash(terms: Terms, order: Working, others: Iterable[Working]) -> Iterator[Refusal]:
    """Orders of one account must not be able to trade with one another; those that belong together are exempt."""
    if terms.order_class is not OrderClass.SIMPLE or order.kind is OrderType.TRAILING_STOP:
        return
    for one in others:
        if one.sign == order.sign or one.group or one.kind is OrderType.TRAILING_STOP:
            continue
        if order.kind is OrderType.LIMIT and one.kind is OrderType.LIMIT:
            assert order.limit is not None, "a limit order has a limit"
            assert one.limit is not None, "a limit order has a limit"
            meets = (order.limit - one.limit) * order.sign >= 0
        else:
            meets = not (order.kind in _STOPS and one.kind in _STOPS)
        if meets:
            yield _FORBIDDEN, "potential wash trade detected. use complex orders"


def _direction(terms: Terms, *, closing: bool) -> Iterator[Refusal]:
    name = terms.order_class
    if closing and name in (OrderClass.BRACKET, OrderClass.OTO):
        yield _RULES, f"{name} orders must be entry orders"
    if not closing and name is OrderClass.OCO:
        yield _RULES, "oco orders must be exit orders"


def _holding(terms: Terms, order: Working, others: Iterable[Working], held: Decimal) -> Iterator[Refusal]:
    promised = from_nanos(sum(one.reserved for one in others if one.sign == order.sign and promises(one)))
    wanted = from_nanos(order.reserved)
    if wanted > held - promised:
        yield _FORBIDDEN, f"insufficient qty available for order (requested: {wanted}, available: {held - promised})"
    if wanted == held:
        return
    if order.sign > 0 and is_fractional(terms):
        yield _RULES, "fractional orders cannot close a short position"
    yield from _least(terms, wanted * from_nanos(order.reserve_price))


def promises(order: Working) -> bool:
    """Whether an open order holds units of a position for itself; a leg that is held holds none."""
    return not order.opens and not order.held


def _short(terms: Terms, others: Iterable[Working], model: MarketModel) -> Iterator[Refusal]:
    if is_crypto(terms.symbol):
        yield _FORBIDDEN, "insufficient qty available for order (available: 0)"
    if not model.shorting or model.multiplier == 1:
        yield _FORBIDDEN, "account is not allowed to short"
    if is_fractional(terms):
        yield _RULES, "fractional orders cannot be sold short"
    if any(one.sign > 0 and one.opens for one in others):
        yield _FORBIDDEN, "cannot open a short sell while a long buy order is open"


def _stop(terms: Terms, order: Working, here: Standing) -> Iterator[Refusal]:
    """A stop, or that of an OCO, must lie beyond the market."""
    market = here.price(order.symbol)
    if not market:
        return
    stop = terms.stop_price
    if terms.order_class is OrderClass.OCO and terms.stop_loss is not None:
        stop = terms.stop_loss.stop_price
    if stop is not None and (stop - market) * order.sign <= 0:
        yield "422", f"stop price must be {'less' if order.sign < 0 else 'greater'} than current price"
    if order.sign < 0 and terms.trail_price is not None and terms.trail_price >= market:
        yield _RULES, "trail_price must be less than current price"


def _cost(terms: Terms, order: Working, here: Standing, model: MarketModel) -> Iterator[Refusal]:
    cost = terms.notional
    if terms.quantity is not None:
        cost = terms.quantity * from_nanos(order.reserve_price)
    assert cost is not None, "the terms were checked"
    yield from _least(terms, cost)
    free = _buying_power(here, model.multiplier)
    if cost > free:
        yield _FORBIDDEN, f"insufficient buying power (available: {free:.2f}, cost: {cost:.2f})"


def _least(terms: Terms, cost: Decimal) -> Iterator[Refusal]:
    """The least that an order of a fraction may cost."""
    least = 10 if is_crypto(terms.symbol) else 1
    if 0 < cost < least and (is_fractional(terms) or is_crypto(terms.symbol)):
        yield _FORBIDDEN, f"cost basis must be >= minimal amount of order {least}"


def _buying_power(here: Standing, multiplier: int) -> Decimal:
    gross, equity = ZERO, here.cash
    for symbol, quantity in here.positions.items():
        value = quantity * here.price(symbol)
        gross, equity = gross + abs(value), equity + value
    for orders in here.open.values():
        for one in orders:
            if one.opens:
                gross += _reserved(one)
    return max(ZERO, equity * multiplier - gross)


def _reserved(order: Working) -> Decimal:
    """What an open order holds of the buying power."""
    if order.notional is not None:
        return from_nanos(order.notional)
    return from_nanos(order.reserved) * from_nanos(order.reserve_price)


def _legs(terms: Terms, here: Standing) -> Iterator[Refusal]:
    """Legs lie on their sides of the base price: the order's own limit, or the market's price."""
    if terms.order_class not in (OrderClass.BRACKET, OrderClass.OTO):
        return
    base = terms.limit_price or here.price(terms.symbol)
    if not base:
        return
    sign = terms.side.sign
    if terms.take_profit is not None and (terms.take_profit.limit_price - base) * sign < _CENT:
        yield _RULES, "take_profit.limit_price must be beyond the base price by 0.01"
    if terms.stop_loss is not None and (base - terms.stop_loss.stop_price) * sign < _CENT:
        yield _RULES, "stop_loss.stop_price must be behind the base price by 0.01"
