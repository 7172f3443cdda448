"""Exit plans: how a trade is left, decided when it is entered. Gains, losses and distances are shares of a price."""

from __future__ import annotations

import enum
from decimal import ROUND_HALF_EVEN, Decimal

import attrs

from tradecore.domain.terms import StopLoss, TakeProfit, is_crypto
from tradecore.domain.values import ZERO, OrderClass, OrderType, Purpose, Side, TimeInForce, plus, times
from tradecore.errors import InputError

ONE = Decimal(1)


class ExitRule(enum.StrEnum):
    """Why a trade is left."""

    STOP_LOSS = "stop_loss"
    TRAIL = "trail"
    BREAK_EVEN = "break_even"
    TAKE_PROFIT = "take_profit"
    MAX_HOLDING = "max_holding"
    DECISION = "decision"


class Keeper(enum.StrEnum):
    """Who leaves the trade: the broker by orders that wait there, or the engine. Never both."""

    BROKER = "broker"
    ENGINE = "engine"


@attrs.frozen
class Rung:
    """At a gain of `gain`, `share` of what was entered is closed."""

    gain: Decimal
    share: Decimal


@attrs.frozen
class ExitPlan:
    """When a trade is left. The trail arms at a gain of `trail_arm` and stays `trail` behind the best price since.

    From a gain of `break_even` on, the stop is at the entry. `stop_price` and `target_price` stand in the place of
    `stop_loss` and `ladder` where whoever plans named prices, not shares.
    """

    stop_loss: Decimal | None = None
    trail: Decimal | None = None
    trail_arm: Decimal = Decimal("0.05")
    ladder: tuple[Rung, ...] = ()
    max_holding_s: Decimal | None = None
    break_even: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it names no way out; an arming of the trail alone is none."""
        ways = (self.stop_loss, self.trail, self.ladder, self.max_holding_s, self.break_even)
        return not any((*ways, self.stop_price, self.target_price))

    @property
    def needs_prices(self) -> bool:
        """Whether more than the time decides."""
        return self != ExitPlan(trail_arm=self.trail_arm, max_holding_s=self.max_holding_s)


def check_plan(plan: ExitPlan) -> None:
    """Refuse a plan that cannot be meant. Raises `InputError` naming the field."""
    if plan.is_empty:
        raise InputError("exits", plan, "at least one way out, none of them at zero")
    for name in ("stop_loss", "trail"):
        _between(name, getattr(plan, name), ONE)
    for name, other in (("stop_price", "stop_loss"), ("target_price", "ladder")):
        if getattr(plan, name) is not None and getattr(plan, other):
            raise InputError(f"exits.{name}", getattr(plan, name), f"either this or {other}")
    for name in ("max_holding_s", "break_even", "stop_price", "target_price"):
        _between(name, getattr(plan, name), None)
    if not (plan.trail_arm.is_finite() and plan.trail_arm >= 0):
        raise InputError("exits.trail_arm", plan.trail_arm, "zero or above")
    total, last = ZERO, ZERO
    for rung in plan.ladder:
        _between("ladder.gain", rung.gain, None)
        _between("ladder.share", rung.share, None)
        total = plus(total, rung.share)
        if rung.gain <= last or total > ONE:
            raise InputError("exits.ladder", rung, "gains that rise, and shares of 1 in all at the most")
        last = rung.gain


def _between(name: str, value: Decimal | None, top: Decimal | None) -> None:
    if value is None:
        return
    if not (value.is_finite() and value > 0 and (top is None or value < top)):
        raise InputError(f"exits.{name}", value, "a number above zero" + ("" if top is None else f" and below {top}"))


@attrs.frozen
class Legs:
    """A plan as orders that wait at the broker."""

    order_class: OrderClass
    take_profit: TakeProfit | None
    stop_loss: StopLoss | None


@attrs.frozen
class Entry:
    """The order that opens the trade, as far as it matters for who can keep its exits."""

    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    order_class: OrderClass
    time_in_force: TimeInForce
    purpose: Purpose
    extended_hours: bool
    price: Decimal | None


def legs_at_broker(entry: Entry, plan: ExitPlan) -> Legs | None:
    """The plan as legs of the entry, where a broker can hold all of its prices; None where the engine must.

    A broker holds one stop and one target at fixed prices, for whole units of a stock, and only GTC legs outlive the
    day. How long a trade may last is for the engine in either case: it withdraws the legs before it closes.
    """
    whole = entry.quantity is not None and not entry.quantity % 1
    is_plain = entry.order_class is OrderClass.SIMPLE and entry.purpose is Purpose.TRADE and not entry.extended_hours
    is_simple_entry = entry.order_type in (OrderType.MARKET, OrderType.LIMIT)
    if not (whole and is_plain and is_simple_entry and entry.time_in_force is TimeInForce.GTC):
        return None
    if is_crypto(entry.symbol) or plan.trail is not None or plan.break_even is not None:
        return None
    if any(rung.share != ONE for rung in plan.ladder):  # so there is one at the most
        return None
    target, stop = plan.target_price, plan.stop_price
    if (plan.ladder or plan.stop_loss is not None) and entry.price is None:
        return None
    if plan.ladder:
        target = _at_gain(entry, plan.ladder[0].gain)
    if plan.stop_loss is not None:
        stop = _at_gain(entry, -plan.stop_loss)
    profit = None if target is None else TakeProfit(_tick(target))
    loss = None if stop is None else StopLoss(_tick(stop), None)
    prices = [leg.limit_price for leg in (profit,) if leg] + [leg.stop_price for leg in (loss,) if leg]
    if not prices or min(prices) <= 0:
        return None
    return Legs(OrderClass.BRACKET if profit and loss else OrderClass.OTO, profit, loss)


def _at_gain(entry: Entry, share: Decimal) -> Decimal:
    assert entry.price is not None, "it was asked for"
    return times(entry.price, plus(ONE, times(Decimal(entry.side.sign), share)))


def _tick(price: Decimal) -> Decimal:
    """The price in steps that US exchanges take: a cent, or a hundredth of one below a dollar."""
    step = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    return price.quantize(step, rounding=ROUND_HALF_EVEN)
