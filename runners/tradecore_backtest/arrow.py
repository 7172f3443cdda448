"""From Arrow tables to columns of whole numbers, checked in one stroke."""

from __future__ import annotations

import datetime as dt
from array import array
from decimal import Decimal
from typing import Any

from tradecore.domain.nanos import NANO, to_nanos
from tradecore.domain.values import parse_symbol
from tradecore.errors import InputError, MissingExtra
from tradecore_backtest.checking import check
from tradecore_backtest.columns import Columns, Numbers, packed
from tradecore_backtest.hours import daily_span

PRICES = ("open", "high", "low", "close")


def pyarrow() -> tuple[Any, Any, Any]:
    """pyarrow with its `compute` and `parquet`. Raises `MissingExtra`."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("reading Parquet files", "parquet") from None
    return pa, pc, pq


def wanted_columns(names: list[str]) -> list[str]:
    """Which columns are read; a table without times has a bar for each day. Raises `InputError`."""
    wanted = ["symbol", "date" if "timestamp" not in names else "timestamp", *PRICES, "volume"]
    if any(column not in names for column in wanted):
        raise InputError("columns", ",".join(names), "columns " + ", ".join(wanted))
    return wanted


def columns_of(symbol: str, rows: Any, before: int | None = None) -> tuple[Columns, int]:
    """The bars of one symbol in an Arrow table, and how many rows were left out for want of a number.

    `before` is the start of the bar that came before them. Raises `InputError`.
    """
    pa, pc, _ = pyarrow()
    parse_symbol("symbol", symbol)
    sound = None
    for column in (*PRICES, "volume"):
        valid = is_number(rows[column])
        sound = valid if sound is None else pc.and_(sound, valid)
    kept = rows.filter(pc.fill_null(sound, False))
    is_daily = "timestamp" not in rows.column_names
    starts = _days(symbol, kept["date"].cast(pa.date32())) if is_daily else instants(pa, kept["timestamp"])
    found = Columns(starts, *(nanos(pa, pc, column, kept[column]) for column in (*PRICES, "volume")))
    if len(starts) and not (_is_sound(pc, kept) and _rises(pa, pc, starts, before)):
        check(symbol, found, before)
    return found, rows.num_rows - kept.num_rows


def is_number(column: Any) -> Any:
    """Which values are there and finite."""
    pa, pc, _ = pyarrow()
    valid = pc.is_valid(column)
    return pc.and_(valid, pc.is_finite(column)) if pa.types.is_floating(column.type) else valid


def _is_sound(pc: Any, rows: Any) -> bool:
    """Whether a market can have printed these prices; then there is nothing to look for one by one."""
    open_, high, low, close = (rows[name] for name in PRICES)
    pairs = ((low, open_), (open_, high), (low, close), (close, high))
    above = pc.all(pc.greater(low, 0)).as_py() and pc.all(pc.greater_equal(rows["volume"], 0)).as_py()
    return bool(above and all(pc.all(pc.less_equal(small, large)).as_py() for small, large in pairs))


def _rises(pa: Any, pc: Any, starts: Numbers, before: int | None) -> bool:
    if not isinstance(starts, array):
        return False
    times = pa.Array.from_buffers(pa.int64(), len(starts), [None, pa.py_buffer(starts)])
    steps = pc.subtract(times[1:], times[:-1])
    whole = pc.equal(pc.multiply(pc.divide(times, NANO), NANO), times)
    return bool(
        (before is None or starts[0] > before)
        and (not len(steps) or pc.all(pc.greater(steps, 0)).as_py())
        and pc.all(whole).as_py()
    )


def _days(symbol: str, column: Any) -> Numbers:
    days: list[dt.date] = column.to_pylist()
    if "/" in symbol:
        epoch = dt.date(1970, 1, 1)
        return array("q", [(day - epoch).days * 86_400 * NANO for day in days])
    return array("q", [daily_span(day)[0] for day in days])


def instants(pa: Any, column: Any) -> Numbers:
    """Nanoseconds since 1970. Raises `InputError` for times without a zone."""
    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise InputError("timestamp", str(kind), "timestamps with a time zone")
    return whole_numbers(column.cast(pa.timestamp("ns", tz=kind.tz)).cast(pa.int64()))


def nanos(pa: Any, pc: Any, name: str, column: Any) -> Numbers:
    """Whole billionths. A double counts as the shortest decimal that is that double, and must have at most 9 places."""
    if pa.types.is_decimal(column.type):
        return _from_decimals(name, column.to_pylist())
    if pa.types.is_integer(column.type):
        top = pc.max(column).as_py() or 0
        if top < 9_000_000_000:
            return whole_numbers(pc.multiply(column.cast(pa.int64()), NANO))
        return [number * NANO for number in column.to_pylist()]
    doubles = column.cast(pa.float64())
    top = pc.max(pc.abs(doubles)).as_py() or 0.0
    if top >= 9_000_000:  # beyond that, billionths are not told apart by doubles
        return _from_text(name, doubles.to_pylist())
    whole = pc.round(pc.multiply(doubles, 1e9))
    if not pc.all(pc.equal(pc.divide(whole, 1e9), doubles)).as_py() and len(column):
        return _from_text(name, doubles.to_pylist())
    return whole_numbers(whole.cast(pa.int64()))


def _from_text(name: str, numbers: list[float]) -> Numbers:
    return _from_decimals(name, [Decimal(repr(number)) for number in numbers])


def _from_decimals(name: str, numbers: list[Any]) -> Numbers:
    return packed(to_nanos(name, number) for number in numbers)


def whole_numbers(column: Any) -> Numbers:
    """An Arrow column of 64-bit integers without gaps, copied in one go."""
    values = array("q")
    for chunk in column.chunks if hasattr(column, "chunks") else [column]:
        data = memoryview(chunk.buffers()[1]).cast("B")
        first = chunk.offset * 8
        values.frombytes(data[first : first + len(chunk) * 8])
    return values
