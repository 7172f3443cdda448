"""The rules that an order must keep by itself, whatever the account and the market: one function for each subject.

The first rule that is broken is the one that answers, in the order of `check_terms`.
"""

from __future__ import annotations

from decimal import Decimal

from tradecore_exchange.identity import is_crypto
from tradecore_exchange.numbers import is_whole, number_text
from tradecore_exchange.pricing import price_step
from tradecore_exchange.refusals import Refused, against_the_rules, invalid
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.words import OrderClass, OrderType, TimeInForce

_DAY_OR_GTC = frozenset({TimeInForce.DAY, TimeInForce.GTC})
_CRYPTO_TIMES = frozenset({TimeInForce.GTC, TimeInForce.IOC})
_CRYPTO_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT})
_PRICED = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"limit"}),
    OrderType.STOP: frozenset({"stop"}),
    OrderType.STOP_LIMIT: frozenset({"limit", "stop"}),
    OrderType.TRAILING_STOP: frozenset[str](),
}
# The crypto refusal names classes in its own words.
_CRYPTO_CLASS = {OrderClass.BRACKET: "otoco", OrderClass.OCO: "oco", OrderClass.OTO: "oto"}


def check_terms(request: OrderRequest) -> None:
    """Raises `Refused` with the first rule that the order breaks by itself."""
    _check_prices(request)
    _check_trail(request)
    _check_parts(request)
    _check_crypto(request)
    _check_fraction(request)
    _check_extended_hours(request)
    _check_type_and_time(request)
    _check_class(request)
    _check_notional(request)
    _check_steps(request)


def is_fractional(request: OrderRequest) -> bool:
    """True for an order by notional or of parts of a share."""
    return request.notional is not None or (request.qty is not None and not is_whole(request.qty))


def _named(kind: OrderType) -> str:
    return kind.replace("_", " ")


def _check_prices(request: OrderRequest) -> None:
    needed = _PRICED[request.type]
    for name, price in (("limit", request.limit_price), ("stop", request.stop_price)):
        if price is None and name in needed:
            raise Refused(invalid(f"{_named(request.type)} orders require a {name} price"))
        if price is not None and name not in needed:
            raise Refused(invalid(f"{_named(request.type)} orders require no {name} price"))


def _check_trail(request: OrderRequest) -> None:
    given = [trail for trail in (request.trail_price, request.trail_percent) if trail is not None]
    if request.type is not OrderType.TRAILING_STOP:
        if given:
            raise Refused(invalid(f"{_named(request.type)} orders require no trail price or trail percent"))
        return
    if len(given) != 1:
        raise Refused(invalid("trailing stop orders must specify one of trail_price or trail_percent"))
    if request.trail_percent is not None and request.trail_percent >= 100:
        raise Refused(invalid("trail_percent must be < 100"))


def _check_parts(request: OrderRequest) -> None:
    profit, loss, name = request.take_profit, request.stop_loss, request.order_class
    match name:
        case OrderClass.SIMPLE if profit is not None or loss is not None:
            raise Refused(invalid("simple orders require no take_profit or stop_loss"))
        case OrderClass.BRACKET if profit is None or loss is None:
            raise Refused(invalid("bracket orders require take_profit and stop_loss"))
        case OrderClass.OCO if profit is None or loss is None:
            raise Refused(invalid("oco orders require take_profit and stop_loss"))
        case OrderClass.OCO if request.limit_price not in {None, profit}:
            raise Refused(invalid("limit_price of an oco order must be its take_profit.limit_price"))
        case OrderClass.OTO if (profit is None) == (loss is None):
            raise Refused(invalid("oto orders require one of take_profit or stop_loss"))


def _check_crypto(request: OrderRequest) -> None:
    if not is_crypto(request.symbol):
        return
    if request.order_class is not OrderClass.SIMPLE:
        name = _CRYPTO_CLASS[request.order_class]
        raise Refused(against_the_rules(f"crypto orders not allowed for advanced order_class: {name}"))
    if request.type not in _CRYPTO_TYPES:
        raise Refused(against_the_rules("invalid order type for crypto order"))
    if request.time_in_force not in _CRYPTO_TIMES:
        raise Refused(against_the_rules("invalid crypto time_in_force"))


def _check_fraction(request: OrderRequest) -> None:
    if is_crypto(request.symbol) or not is_fractional(request):
        return
    if request.order_class is not OrderClass.SIMPLE:
        raise Refused(against_the_rules("fractional orders must be simple orders"))
    if request.type is OrderType.TRAILING_STOP:
        raise Refused(against_the_rules("fractional orders must be market, limit, stop or stop limit orders"))
    if request.time_in_force is not TimeInForce.DAY:
        raise Refused(against_the_rules("fractional orders must be DAY orders"))


def _check_extended_hours(request: OrderRequest) -> None:
    if not request.extended_hours:
        return
    if request.type is not OrderType.LIMIT or request.time_in_force not in _DAY_OR_GTC:
        raise Refused(against_the_rules("extended hours order must be DAY or GTC limit orders"))
    if request.order_class is not OrderClass.SIMPLE:
        raise Refused(against_the_rules("extended hours orders must be simple orders"))


def _check_type_and_time(request: OrderRequest) -> None:
    if request.type in {OrderType.MARKET, OrderType.LIMIT} or is_crypto(request.symbol):
        return
    if request.time_in_force not in _DAY_OR_GTC:
        raise Refused(against_the_rules(f"{_named(request.type)} orders must be DAY or GTC orders"))


def _check_class(request: OrderRequest) -> None:
    name = request.order_class
    if name is OrderClass.SIMPLE:
        return
    if request.type is OrderType.TRAILING_STOP:
        raise Refused(against_the_rules("trailing stop orders must be simple orders"))
    if name is OrderClass.OCO and request.type is not OrderType.LIMIT:
        raise Refused(against_the_rules("oco orders must be limit orders"))
    if request.time_in_force not in _DAY_OR_GTC:
        raise Refused(against_the_rules(f"{name} orders must be DAY or GTC orders"))


def _check_notional(request: OrderRequest) -> None:
    if request.notional is None:
        return
    if request.notional < 1:
        raise Refused(invalid("notional must be >= 1.00"))
    if request.notional % Decimal("0.01") != 0:
        raise Refused(invalid("notional value must be limited to 2 decimal places"))


def _check_steps(request: OrderRequest) -> None:
    loss = request.stop_loss
    prices = {
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
        "trail_price": request.trail_price,
        "take_profit.limit_price": request.take_profit,
        "stop_loss.stop_price": None if loss is None else loss.stop_price,
        "stop_loss.limit_price": None if loss is None else loss.limit_price,
    }
    for field, price in prices.items():
        if price is not None and price % price_step(price, request.symbol) != 0:
            words = "sub-penny increment does not fulfill minimum pricing criteria"
            raise Refused(against_the_rules(f"invalid {field} {number_text(price)}. {words}"))
