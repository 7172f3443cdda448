"""How values are written for people: money with separators, fractions as percent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from tradecore.metrics import Figure, NotDefined, Unit, Value

_CENT = Decimal("0.01")


def shown(unit: Unit, value: Value) -> str:
    """A value as text."""
    if isinstance(value, NotDefined):
        return "not defined"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, dt.timedelta):
        return duration(value)
    match unit:
        case Unit.MONEY:
            return f"{Decimal(value).quantize(_CENT):,}"
        case Unit.FRACTION:
            return percent(float(value))
        case Unit.COUNT:
            return f"{value:,}"
        case _:
            return f"{value:,.2f}"


def percent(fraction: float) -> str:
    """0.0123 as 1.23 %."""
    return f"{100 * fraction:z,.2f} %"


def duration(time: dt.timedelta) -> str:
    """Days from two days on, else hours and minutes."""
    if time >= dt.timedelta(days=2):
        return f"{time / dt.timedelta(days=1):,.0f} days"
    minutes = round(time / dt.timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60:02} min"


def plain(figure: Figure) -> dict[str, Any]:
    """A figure for JSON: exact numbers as text, durations in seconds, null with a reason where there is none."""
    value: Any = figure.value
    reason = None
    match value:
        case NotDefined():
            value, reason = None, value.reason
        case dt.datetime():
            value = value.isoformat()
        case dt.timedelta():
            value = value.total_seconds()
        case Decimal():
            value = format(value, "f")
    return {"key": figure.key, "title": figure.title, "unit": figure.unit.value, "value": value, "not_defined": reason}
