"""Returns by calendar month and year, and trades by symbol, side, month and weekday."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import attrs

from tradecore.domain.values import ZERO
from tradecore.metrics.dealing import ClosedTrade, TradeFigures
from tradecore.metrics.year import Market

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def returns_by(
    dates: Sequence[dt.date], returns: Sequence[float], key: Callable[[dt.date], tuple[int, ...]]
) -> dict[tuple[int, ...], float]:
    """Compound return of each group of days, in order of time."""
    found: dict[tuple[int, ...], float] = {}
    for date, change in zip(dates, returns, strict=True):
        group = key(date)
        found[group] = (1 + found.get(group, 0.0)) * (1 + change) - 1
    return found


def by_month(date: dt.date) -> tuple[int, ...]:
    """(year, month)."""
    return date.year, date.month


def by_year(date: dt.date) -> tuple[int, ...]:
    """(year,)."""
    return (date.year,)


@attrs.frozen
class Group:
    """Closed trades that share something: by what, which, and their figures."""

    by: str
    name: str
    figures: TradeFigures


def breakdown(trades: Iterable[ClosedTrade], market: Market) -> tuple[Group, ...]:
    """Trades by symbol, side, and month and weekday of their closing in the market's zone."""
    listed = list(trades)

    def closed(trade: ClosedTrade) -> dt.date:
        return trade.closed_at.astimezone(market.zone).date()

    ways: dict[str, Callable[[ClosedTrade], tuple[int, str]]] = {
        "symbol": lambda trade: (0, trade.symbol),
        "side": lambda trade: (0, "long" if trade.side.value == "buy" else "short"),
        "month": lambda trade: (0, f"{closed(trade):%Y-%m}"),
        "weekday": lambda trade: (closed(trade).weekday(), _WEEKDAYS[closed(trade).weekday()]),
    }
    found = []
    for by, way in ways.items():
        groups: dict[tuple[int, str], list[ClosedTrade]] = {}
        for trade in listed:
            groups.setdefault(way(trade), []).append(trade)
        found += [Group(by, name, TradeFigures(groups[rank, name])) for rank, name in sorted(groups)]
    assert sum((group.figures.net for group in found), ZERO) == len(ways) * TradeFigures(listed).net
    return tuple(found)
