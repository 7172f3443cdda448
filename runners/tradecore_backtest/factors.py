"""Splits and dividends out of a file of cumulative adjustment factors.

A row says which factors hold for prices up to and including its date, and the close of that date. What lies between two
rows happened before the next session: the split is the ratio of the split factors, the dividend per (old) share is
`reference_price` x (1 - ratio of the price factors).
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import os
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from tradecore.domain.calendar import next_session
from tradecore.errors import InputError
from tradecore_backtest.market import CorporateAction

_COLUMNS = ("symbol", "date", "price_factor", "split_factor", "reference_price")
_TENTH_OF_A_CENT = Decimal("0.001")
_LARGEST_RATIO = 100
_CLOSE = Fraction(1, 1000)

_Row = tuple[dt.date, Decimal, Decimal, Decimal]


def read_factors(path: str | os.PathLike[str], symbols: Collection[str] | None = None) -> tuple[CorporateAction, ...]:
    """Corporate actions of a `.csv` file with `symbol, date (YYYYMMDD), price_factor, split_factor, reference_price`.

    Dividends are rounded to a tenth of a cent, because the factors have seven places. Raises `InputError`.
    """
    rows: dict[str, list[_Row]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError("columns", ",".join(reader.fieldnames or ()), "a header with " + ", ".join(_COLUMNS))
        for number, row in enumerate(reader, 2):
            if symbols is None or row["symbol"] in symbols:
                rows.setdefault(row["symbol"], []).append(_row(number, row))
    actions: list[CorporateAction] = []
    for symbol, found in rows.items():
        found.sort()
        for before, after in itertools.pairwise(found):
            action = _between(symbol, before, after)
            if action is not None:
                actions.append(action)
    return tuple(sorted(actions, key=lambda action: (action.date, action.symbol)))


def _row(number: int, row: dict[str, str]) -> _Row:
    try:
        numbers = [Decimal(row[name]) for name in _COLUMNS[2:]]
        date = dt.datetime.strptime(row["date"], "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except (InvalidOperation, ValueError):
        raise InputError(f"row {number}", str(row), "a date as YYYYMMDD and three numbers") from None
    if not (numbers[0] > 0 and numbers[1] > 0):
        raise InputError(f"row {number}", str(row), "factors above zero")
    return date, numbers[0], numbers[1], numbers[2]


def _between(symbol: str, before: _Row, after: _Row) -> CorporateAction | None:
    date, price_factor, split_factor, close = before
    ratio = _ratio(after[2], split_factor)
    dividend = Decimal(0)
    if after[1] != price_factor:
        share = 1 - Fraction(price_factor) / Fraction(after[1])
        exact = Fraction(close) * share
        dividend = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_TENTH_OF_A_CENT, ROUND_HALF_UP)
    if ratio == 1 and not dividend > 0:
        return None
    return CorporateAction(symbol, next_session(date + dt.timedelta(days=1)).date, ratio, max(Decimal(0), dividend))


def _ratio(new: Decimal, old: Decimal) -> Decimal:
    """How many shares one becomes. The factors are rounded, so the nearest simple fraction is meant."""
    exact = Fraction(new) / Fraction(old)
    simple = exact.limit_denominator(_LARGEST_RATIO)
    meant = simple if abs(simple - exact) <= _CLOSE * exact else exact
    return Decimal(meant.numerator) / Decimal(meant.denominator)
