"""Tempo: what was placed today and a moment ago, and what the account was worth when the day began. Days are UTC."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.evolving import changed
from tradecore.domain.gate.figures import Recent
from tradecore.domain.limits import Limits, ScopeLimits
from tradecore.domain.values import ZERO, plus


@attrs.frozen(slots=False)
class Tempo:
    """The orders of a day. `start` is the equity when it began, None when nobody knew; `recent` is oldest first."""

    day: dt.date | None = None
    start: Decimal | None = None
    orders: int = 0
    notional: Decimal = ZERO
    by_scope: Mapping[str, int] = attrs.field(factory=dict)
    recent: tuple[Recent, ...] = ()

    def on(self, day: dt.date, equity: Decimal | None) -> Tempo:
        """As it is on a day: a later one begins anew, with the equity that is known then."""
        if self.day is not None and day <= self.day:
            return self
        return Tempo(day=day, start=equity, recent=self.recent)

    def placed(self, order: Recent, worth: Decimal | None, limits: Limits) -> Tempo:
        """After an order of its day. `worth` is its notional as far as it is known."""
        by_scope = dict(self.by_scope)
        for scope in scopes(order.symbol, order.strategy, order.agent):
            by_scope[scope] = by_scope.get(scope, 0) + 1
        recent: tuple[Recent, ...] = ()
        window = _window_s(limits)
        if window is not None:
            begin = order.at - dt.timedelta(seconds=float(window))
            recent = (*(one for one in self.recent if one.at > begin), order)
        return changed(
            self,
            orders=self.orders + 1,
            notional=plus(self.notional, worth or ZERO),
            by_scope=by_scope,
            recent=recent,
        )


@functools.lru_cache(maxsize=4096)
def scopes(symbol: str, strategy: str, agent: str) -> tuple[str, str, str]:
    """What an order counts for, beside its account."""
    return f"symbol {symbol}", f"strategy {strategy}", f"agent {agent}"


def _window_s(limits: Limits) -> Decimal | None:
    """How far back single orders must be remembered; None when no limit asks."""
    single = (limits.max_orders_per_minute, limits.duplicate_window_s, limits.max_repeats)
    if single == (None, None, None) and not (limits.per_symbol or limits.per_strategy or limits.per_agent):
        return None  # asked at every order, and most accounts have no such limit
    windows = []
    if limits.max_orders_per_minute is not None or any(one.max_orders_per_minute is not None for one in _all(limits)):
        windows.append(Decimal(60))
    if limits.duplicate_window_s is not None:
        windows.append(limits.duplicate_window_s)
    if limits.max_repeats is not None:
        windows.append(limits.repeat_window_s)
    return max(windows, default=None)


def _all(limits: Limits) -> Iterator[ScopeLimits]:
    for table in (limits.per_symbol, limits.per_strategy, limits.per_agent):
        yield from table.values()
