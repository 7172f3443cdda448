"""Rules on conduct: who may trade what and when, at which prices, and how often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from tradecore.domain.gate.figures import Ask, Check, Recent, Rule, Standing, at_most, scopes_of
from tradecore.domain.limits import Hours, Limits
from tradecore.domain.values import Side, minus, times

_MINUTE = Decimal(60)


# --- who, what, when ------------------------------------------------------------------------------------------------


def _principals(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    if limits.principals is not None:
        yield Check("principals", ask.actor in limits.principals, ask.actor, " ".join(limits.principals) or "nobody")


def _symbols(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    if limits.symbols is not None:
        yield Check("symbols", ask.symbol in limits.symbols, ask.symbol, "the symbols that are allowed")
    if limits.prohibited:
        yield Check("prohibited", ask.symbol not in limits.prohibited, ask.symbol, "what is not prohibited")


def _tradable(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    if not limits.must_be_tradable:
        return
    found = "not known" if ask.tradable is None else str(ask.tradable).lower()
    yield Check("must_be_tradable", ask.tradable is True, found, "a symbol that the broker trades")
    if ask.whole_only and (ask.by_amount or ask.quantity % 1):
        found = "an amount of money" if ask.by_amount else str(ask.quantity)
        yield Check("must_be_tradable", False, found, "whole units: the broker trades no fractions of it")
    if ask.not_lent and ask.side is Side.SELL:
        left = minus(minus(standing.position, standing.sells), ask.quantity)
        yield Check("must_be_tradable", left >= 0, f"{left} in the end", "no short: the broker lends none of it")


def _hours(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    if limits.hours is Hours.ANY:
        return
    allowed = (Hours.REGULAR,) if limits.hours is Hours.REGULAR else (Hours.REGULAR, Hours.EXTENDED)
    found = "closed or not known" if ask.session is None else ask.session.value
    yield Check("hours", ask.session in allowed, found, f"{limits.hours.value} hours")


def _confidence(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    floor = limits.min_confidence
    if floor is not None and ask.is_decision and ask.confidence is not None:
        yield Check("min_confidence", ask.confidence >= floor, str(ask.confidence), f"at least {floor}")


def _approve_all(limits: Limits, _: Ask, __: Standing) -> Iterator[Check]:
    if limits.approve_all:
        yield Check("approve_all", False, "an order", "what a person approves")


# --- prices ---------------------------------------------------------------------------------------------------------


def _price_age(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    longest = limits.max_price_age_s
    if longest is None:
        return
    allowed = f"a price at most {longest} s old"
    if ask.price_at is None or ask.at is None:
        yield Check("max_price_age_s", False, "a price of unknown age", allowed)
        return
    age = Decimal(str((ask.at - ask.price_at).total_seconds()))
    yield Check("max_price_age_s", -longest <= age <= longest, f"{age} s", allowed)


def _collar(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    share = limits.price_collar
    if share is None or ask.limit_price is None:
        return
    reference = ask.reference_price
    if reference is None or not reference > 0:
        yield Check("price_collar", False, "no reference price", f"{share} of it")
        return
    off = abs(minus(ask.limit_price, reference))
    allowed = times(share, reference)
    yield Check("price_collar", off <= allowed, f"{off} from {reference}", f"{allowed} of it")


def _self_cross(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    if not limits.no_self_cross:
        return
    crossing = any(_crosses(ask, price) for price in standing.opposite_prices)
    yield Check("no_self_cross", not crossing, "an own order on the other side", "prices that do not meet")


def _crosses(ask: Ask, other: Decimal | None) -> bool:
    if ask.limit_price is None or other is None:
        return True  # one of the two trades at any price
    return ask.limit_price >= other if ask.side is Side.BUY else ask.limit_price <= other


# --- again and again ------------------------------------------------------------------------------------------------


def _within(ask: Ask, recent: tuple[Recent, ...], seconds: Decimal) -> list[Recent]:
    assert ask.at is not None, "asked after the time was found to be known"
    begin = ask.at - dt.timedelta(seconds=float(seconds))
    return [one for one in recent if one.at > begin]


def _duplicate(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    window = limits.duplicate_window_s
    if window is None or ask.repeat_is_meant:
        return
    allowed = f"one such order in {window} s"
    if ask.at is None:
        yield Check("duplicate_window_s", False, "an order at an unknown time", allowed)
        return
    same = [
        one
        for one in _within(ask, standing.recent, window)
        if (one.symbol, one.side, one.quantity) == (ask.symbol, ask.side, ask.quantity)
    ]
    yield Check("duplicate_window_s", not same, f"{len(same)} before this one", allowed)


def _repeats(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    most = limits.max_repeats
    if most is None:
        return
    allowed = f"{most} orders of one strategy, symbol and side in {limits.repeat_window_s} s"
    if ask.at is None:
        yield Check("max_repeats", False, "an order at an unknown time", allowed)
        return
    mine = (ask.strategy, ask.symbol, ask.side)
    recent = _within(ask, standing.recent, limits.repeat_window_s)
    like = [one for one in recent if (one.strategy, one.symbol, one.side) == mine]
    yield Check("max_repeats", len(like) + 1 <= most, str(len(like) + 1), allowed)


def _rates(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    scopes = scopes_of(limits, ask)
    yield from _per_minute("", limits.max_orders_per_minute, ask, standing.recent)
    if limits.max_orders_per_day is not None:
        yield at_most("max_orders_per_day", standing.orders_today + 1, limits.max_orders_per_day)
    for scope in scopes:
        recent = tuple(one for one in standing.recent if scope.counts(one))
        yield from _per_minute(scope.prefix, scope.limits.max_orders_per_minute, ask, recent)
        if scope.limits.max_orders_per_day is not None:
            today = standing.scope_orders_today.get(scope.key, 0) + 1
            yield at_most(f"{scope.prefix}max_orders_per_day", today, scope.limits.max_orders_per_day)


def _per_minute(prefix: str, most: int | None, ask: Ask, recent: tuple[Recent, ...]) -> Iterator[Check]:
    if most is None:
        return
    rule = f"{prefix}max_orders_per_minute"
    if ask.at is None:
        yield Check(rule, False, "an order at an unknown time", f"at most {most}")
    else:
        yield at_most(rule, len(_within(ask, recent, _MINUTE)) + 1, most)


IDENTITY: tuple[Rule, ...] = (_principals,)
MARKET: tuple[Rule, ...] = (_symbols, _tradable, _hours, _confidence, _price_age, _approve_all)
PRICES: tuple[Rule, ...] = (_collar, _self_cross)
REPETITION: tuple[Rule, ...] = (_duplicate, _repeats)
TEMPO: tuple[Rule, ...] = (_rates,)
