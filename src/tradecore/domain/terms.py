"""Terms: what an order asks for, and which combinations no market takes. Nothing is ever repaired, only refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.values import (
    Leg,
    OrderClass,
    OrderType,
    Side,
    TimeInForce,
    minus,
    rounded_up_quotient,
)
from tradecore.errors import InputError

_T, _F, _C = OrderType, TimeInForce, OrderClass
_LIMITED = (_T.LIMIT, _T.STOP_LIMIT)
_STOPPED = (_T.STOP, _T.STOP_LIMIT)
_CENT = Decimal("0.01")
_ONE = Decimal(1)


@attrs.frozen
class TakeProfit:
    """The leg that takes a profit: a limit order."""

    limit_price: Decimal


@attrs.frozen
class StopLoss:
    """The leg that stops a loss: a stop order, or a stop-limit order when `limit_price` is given."""

    stop_price: Decimal
    limit_price: Decimal | None = None


class Terms(Protocol):
    """Whatever carries the terms of an order. Quantity in units; prices and `notional` in account currency.

    Exactly one of `quantity` and `notional` is given. `trail_percent` is in percent: 1 is one percent.
    """

    @property
    def symbol(self) -> str: ...
    @property
    def side(self) -> Side: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def notional(self) -> Decimal | None: ...
    @property
    def order_type(self) -> OrderType: ...
    @property
    def limit_price(self) -> Decimal | None: ...
    @property
    def stop_price(self) -> Decimal | None: ...
    @property
    def trail_price(self) -> Decimal | None: ...
    @property
    def trail_percent(self) -> Decimal | None: ...
    @property
    def time_in_force(self) -> TimeInForce: ...
    @property
    def extended_hours(self) -> bool: ...
    @property
    def order_class(self) -> OrderClass: ...
    @property
    def take_profit(self) -> TakeProfit | None: ...
    @property
    def stop_loss(self) -> StopLoss | None: ...


class Sendable(Terms, Protocol):
    """Terms of an order that can be sent: under which id, and in the place of which other order."""

    @property
    def client_order_id(self) -> str: ...
    @property
    def replaces(self) -> str | None: ...


def is_crypto(symbol: str) -> bool:
    """Whether the symbol is a pair such as BTC/USD."""
    return "/" in symbol


def is_fractional(terms: Terms) -> bool:
    """Whether the order may fill a part of a unit."""
    quantity = terms.quantity
    return quantity is None or quantity != quantity.to_integral_value()


def size(terms: Terms, reference_price: Decimal | None) -> Decimal | None:
    """The quantity, or, for an order of an amount of money, the most that it buys at `reference_price`."""
    if terms.quantity is not None:
        return terms.quantity
    if terms.notional is None or reference_price is None or not reference_price > 0:
        return None
    return rounded_up_quotient(terms.notional, reference_price)


def legs_of(terms: Terms) -> tuple[Leg, ...]:
    """The further orders that this one brings along. The take-profit of an OCO is the order itself."""
    match terms.order_class:
        case OrderClass.SIMPLE:
            return ()
        case OrderClass.BRACKET:
            return (Leg.TAKE_PROFIT, Leg.STOP_LOSS)
        case OrderClass.OCO:
            return (Leg.STOP_LOSS,)
        case OrderClass.OTO:
            return (Leg.TAKE_PROFIT,) if terms.take_profit is not None else (Leg.STOP_LOSS,)


def body_hash(order: Sendable) -> str:
    """SHA-256 over exactly what may be sent to the broker for an order.

    What an order does not use adds nothing, so that orders of earlier versions keep their hash.
    """
    parts = [
        order.client_order_id,
        order.symbol,
        order.side,
        _text(order.quantity),
        order.order_type,
        _text(order.limit_price),
        order.time_in_force,
        str(order.extended_hours),
    ]
    profit, loss = order.take_profit, order.stop_loss
    for name, number in (
        ("notional", order.notional),
        ("stop", order.stop_price),
        ("trail", order.trail_price),
        ("trail%", order.trail_percent),
        ("profit", profit.limit_price if profit else None),
        ("loss", loss.stop_price if loss else None),
        ("loss limit", loss.limit_price if loss else None),
    ):
        if number is not None:
            parts.append(f"{name}={_text(number)}")
    if order.order_class is not OrderClass.SIMPLE:
        parts.append(f"class={order.order_class.value}")
    if order.replaces is not None:
        parts.append(f"replaces={order.replaces}")
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _text(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


# --- what is refused ------------------------------------------------------------------------------------------------


def check_terms(terms: Terms) -> None:
    """Refuse terms that no broker could take literally; raises `InputError` naming the field and the rule."""
    for check in _CHECKS:
        check(terms)


def _check_amount(terms: Terms) -> None:
    if terms.notional is not None:
        if terms.quantity is not None:
            raise InputError("notional", terms.notional, "either a quantity or an amount of money, not both")
        _positive("notional", terms.notional, "an amount above zero")
    elif terms.quantity is None:
        raise InputError("quantity", None, "a number above zero")
    else:
        _positive("quantity", terms.quantity, "a number above zero")


def _check_prices(terms: Terms) -> None:
    kind = terms.order_type
    _price("limit_price", terms.limit_price, wanted=kind in _LIMITED, kind=kind)
    _price("stop_price", terms.stop_price, wanted=kind in _STOPPED, kind=kind)
    if kind is _T.TRAILING_STOP:
        if (terms.trail_price is None) == (terms.trail_percent is None):
            value = None if terms.trail_price is None else f"{terms.trail_price} and {terms.trail_percent} percent"
            raise InputError("trail_price", value, "either a trail price or a trail percentage, for a trailing stop")
        if terms.trail_percent is not None and not 0 < terms.trail_percent < 100:
            raise InputError("trail_percent", terms.trail_percent, "a percentage above 0 and below 100")
    wanted = kind is _T.TRAILING_STOP
    _price("trail_price", terms.trail_price, wanted=wanted and terms.trail_percent is None, kind=kind)
    _price("trail_percent", terms.trail_percent, wanted=wanted and terms.trail_price is None, kind=kind)


def _price(field: str, price: Decimal | None, *, wanted: bool, kind: OrderType) -> None:
    if price is None:
        if wanted:
            raise InputError(field, None, f"a price above zero, because a {kind.value} order needs one")
        return
    if not wanted:
        raise InputError(field, price, f"nothing, because a {kind.value} order has none")
    _positive(field, price, "a price above zero")


def _positive(field: str, number: Decimal, expected: str) -> None:
    if not (number.is_finite() and number > 0):
        raise InputError(field, number, expected)


def _check_increments(terms: Terms) -> None:
    """US equities are priced in cents from 1.00 on, and in hundredths of a cent below."""
    if is_crypto(terms.symbol):
        return
    loss = terms.stop_loss
    prices = {
        "limit_price": terms.limit_price,
        "stop_price": terms.stop_price,
        "take_profit.limit_price": terms.take_profit.limit_price if terms.take_profit else None,
        "stop_loss.stop_price": loss.stop_price if loss else None,
        "stop_loss.limit_price": loss.limit_price if loss else None,
    }
    for field, price in prices.items():
        if price is None:
            continue
        places = 2 if price >= _ONE else 4
        if -int(price.normalize().as_tuple().exponent) > places:
            raise InputError(field, price, f"at most {places} places, the increment of prices at this height")


def _check_time_in_force(terms: Terms) -> None:
    kind, force, symbol = terms.order_type, terms.time_in_force, terms.symbol
    if is_crypto(symbol):
        if kind not in (_T.MARKET, _T.LIMIT, _T.STOP_LIMIT):
            raise InputError("order_type", kind.value, "market, limit or stop_limit, the types for crypto")
        if force not in (_F.GTC, _F.IOC):
            raise InputError("time_in_force", force.value, "gtc or ioc, the only ones for crypto")
        return
    if is_fractional(terms) and force is not _F.DAY:
        raise InputError("time_in_force", force.value, "day, because the quantity is fractional")
    if kind in (_T.STOP, _T.STOP_LIMIT, _T.TRAILING_STOP) and force not in (_F.DAY, _F.GTC):
        raise InputError("time_in_force", force.value, f"day or gtc, because the order is a {kind.value}")
    if kind is _T.TRAILING_STOP and is_fractional(terms):
        raise InputError("quantity", terms.quantity, "whole units, because a trailing stop takes no fractions")


def _check_extended_hours(terms: Terms) -> None:
    if not terms.extended_hours:
        return
    if terms.order_type is not _T.LIMIT or terms.time_in_force not in (_F.DAY, _F.GTC):
        raise InputError(
            "extended_hours", True, "a limit order for the day or gtc, the only kind that trades in extended hours"
        )
    if is_crypto(terms.symbol):
        raise InputError("extended_hours", True, "nothing, because crypto trades around the clock")


def _check_class(terms: Terms) -> None:
    kind = terms.order_class
    legs = {"take_profit": terms.take_profit is not None, "stop_loss": terms.stop_loss is not None}
    wanted = {
        _C.SIMPLE: ({"take_profit": False, "stop_loss": False},),
        _C.BRACKET: ({"take_profit": True, "stop_loss": True},),
        _C.OCO: ({"take_profit": False, "stop_loss": True},),
        _C.OTO: ({"take_profit": True, "stop_loss": False}, {"take_profit": False, "stop_loss": True}),
    }[kind]
    if legs not in wanted:
        told = " and ".join(name for name, given in legs.items() if given) or "no legs"
        raise InputError("order_class", f"{kind.value} with {told}", _LEGS[kind])
    if kind is _C.SIMPLE:
        return
    if is_crypto(terms.symbol):
        raise InputError("order_class", kind.value, "simple, the only class for crypto")
    if is_fractional(terms):
        raise InputError("order_class", kind.value, "simple, because the quantity is fractional")
    if terms.extended_hours:
        raise InputError("order_class", kind.value, "simple, the only class in extended hours")
    if terms.time_in_force not in (_F.DAY, _F.GTC):
        raise InputError("time_in_force", terms.time_in_force.value, f"day or gtc, because the order is a {kind.value}")
    allowed = (_T.LIMIT,) if kind is _C.OCO else (_T.MARKET, _T.LIMIT)
    if terms.order_type not in allowed:
        words = " or ".join(one.value for one in allowed)
        raise InputError("order_type", terms.order_type.value, f"{words}, for an order of class {kind.value}")


_LEGS = {
    _C.SIMPLE: "no legs, because the order is simple",
    _C.BRACKET: "a take-profit and a stop-loss, for a bracket",
    _C.OCO: "a stop-loss only: the order itself is the take-profit of an OCO",
    _C.OTO: "a take-profit or a stop-loss, one of them, for an OTO",
}


def _check_leg_prices(terms: Terms) -> None:
    """Profit lies on the far side of the entry, loss on the near one; at least a cent apart."""
    profit, loss = terms.take_profit, terms.stop_loss
    if profit is not None:
        _positive("take_profit.limit_price", profit.limit_price, "a price above zero")
    if loss is not None:
        _positive("stop_loss.stop_price", loss.stop_price, "a price above zero")
        if loss.limit_price is not None:
            _positive("stop_loss.limit_price", loss.limit_price, "a price above zero")
    opening = terms.side if terms.order_class is not _C.OCO else terms.side.opposite
    entry = terms.limit_price if terms.order_class is not _C.OCO else None
    target = profit.limit_price if profit else (terms.limit_price if terms.order_class is _C.OCO else None)
    steps = [("take_profit.limit_price", target, entry, "beyond the entry, in the direction of a profit")]
    steps += [("stop_loss.stop_price", entry or target, loss.stop_price if loss else None, "")]
    for field, higher, lower, expected in steps:
        if higher is None or lower is None:
            continue
        gap = minus(higher, lower) if opening is Side.BUY else minus(lower, higher)
        if gap < _CENT:
            value = higher if field.startswith("take") else lower
            raise InputError(field, value, expected or "at least 0.01 on the losing side of the entry and the target")


_CHECKS: tuple[Callable[[Terms], None], ...] = (
    _check_amount,
    _check_prices,
    _check_extended_hours,
    _check_time_in_force,
    _check_class,
    _check_leg_prices,
    _check_increments,
)
