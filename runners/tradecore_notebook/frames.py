"""Rows as polars or pandas frames. Numbers stay exact decimals, or become floats where that is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradecore.errors import InputError, MissingExtra
from tradecore.views.view import Row

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

NUMBERS = frozenset(
    {
        "avg_entry_price", "avg_fill_price", "cash", "cost", "cum_qty", "entry_qty", "equity", "fees", "filled_qty",
        "filled_value", "limit_price", "open_qty", "opening_cash", "outside_cash", "positions_value", "price", "qty",
        "realised_pnl", "quantity", "stated", "confidence", "return_share", "slippage", "max_gain", "max_drawdown",
        "model_cost",
    }
)  # fmt: skip
"""Columns that hold decimals; rows hold them as text, so that no digit is lost."""
_DIGITS = 38


def is_instant(column: str) -> bool:
    """Whether a column holds moments."""
    return column.endswith("_at") or column in ("data_as_of", "deadline", "market_time", "not_after")


def columns_of(rows: Sequence[Row], fallback: Sequence[str]) -> list[str]:
    """Every column that a row has, in the order in which they appear; `fallback` where there are no rows."""
    return list(dict.fromkeys(key for row in rows for key in row)) or list(fallback)


def to_polars(rows: Sequence[Row], fallback: Sequence[str], *, floats: bool) -> pl.DataFrame:
    """A polars frame: `Decimal(38, …)` or `Float64`, `Datetime` in UTC. Raises `MissingExtra`, `InputError`."""
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtra("a polars frame", "polars") from error
    series: list[Any] = []
    for column in columns_of(rows, fallback):
        values = [row.get(column) for row in rows]
        if column in NUMBERS:
            numbers = [None if value is None else Decimal(value) for value in values]
            if floats:
                near = [None if number is None else float(number) for number in numbers]
                series.append(pl.Series(column, near, dtype=pl.Float64))
            else:
                series.append(pl.Series(column, numbers, dtype=pl.Decimal(_DIGITS, _scale(column, numbers))))
        elif is_instant(column):
            series.append(pl.Series(column, [_moment(value) for value in values], dtype=pl.Datetime("us", "UTC")))
        else:
            told = pl.Series(column, values, strict=False)
            series.append(told.cast(pl.String) if told.dtype == pl.Null else told)
    return pl.DataFrame(series)


def to_pandas(rows: Sequence[Row], fallback: Sequence[str], *, floats: bool) -> pd.DataFrame:
    """A pandas frame: objects of `Decimal` or float64, moments in UTC. Raises `MissingExtra`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("a pandas frame", "pandas") from error
    data: dict[str, Any] = {}
    for column in columns_of(rows, fallback):
        values = [row.get(column) for row in rows]
        if column in NUMBERS:
            numbers = [None if value is None else Decimal(value) for value in values]
            data[column] = pd.Series(numbers, dtype="object")
            if floats:
                data[column] = data[column].astype("float64")
        elif is_instant(column):
            data[column] = pd.Series([_moment(value) for value in values], dtype="datetime64[us, UTC]")
        else:
            data[column] = pd.Series(values, dtype="object").infer_objects()
    return pd.DataFrame(data)


def plain(row: Mapping[str, Any]) -> Row:
    """A row with numbers and moments as values."""
    return {
        key: value
        if value is None
        else Decimal(value)
        if key in NUMBERS
        else _moment(value)
        if is_instant(key)
        else value
        for key, value in row.items()
    }


def _scale(column: str, numbers: Sequence[Decimal | None]) -> int:
    """Digits behind the point that hold every number of a column. Raises `InputError` where 38 digits are too few."""
    scale = whole = 0
    for number in numbers:
        if number is not None:
            _, digits, exponent = number.as_tuple()
            assert isinstance(exponent, int), "amounts are finite"
            scale = max(scale, -exponent)
            whole = max(whole, len(digits) + exponent)
    if scale + whole > _DIGITS:
        raise InputError(column, f"{whole} digits and {scale} behind the point", "38 digits, or floats=True")
    return scale


def _moment(value: str | None) -> dt.datetime | None:
    return None if value is None else dt.datetime.fromisoformat(value)
