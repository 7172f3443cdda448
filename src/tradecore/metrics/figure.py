"""A figure: a value with its unit, or the reason why there is none."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import attrs


@attrs.frozen
class NotDefined:
    """Stands where a formula has no answer (no trades, no variance, nothing lost), and says why."""

    reason: str

    def __str__(self) -> str:
        return f"not defined: {self.reason}"


class Unit(enum.StrEnum):
    """How the value of a figure is read."""

    MONEY = "money"
    """account currency, exact"""
    FRACTION = "fraction"
    """0.05 is five percent"""
    NUMBER = "number"
    COUNT = "count"
    DURATION = "duration"
    MOMENT = "moment"


Value = Decimal | float | int | dt.timedelta | dt.datetime | NotDefined
Real = float | NotDefined
Money = Decimal | NotDefined


@attrs.frozen
class Figure:
    """One line of a report. `key` is stable, `title` is for people."""

    key: str
    title: str
    unit: Unit
    value: Value
