"""Bars of a Parquet file as columns of whole numbers, without a Python object for each price. Needs pyarrow."""

from __future__ import annotations

import datetime as dt
from array import array
from pathlib import Path
from typing import Any

from tradecore.domain.nanos import NANO
from tradecore.errors import InputError, MissingExtra
from tradecore_backtest.checking import refuse_unknown, skipped_warnings
from tradecore_backtest.columns import BarTable, Columns, Numbers
from tradecore_backtest.hours import daily_span

_PRICES = ("open", "high", "low", "close")
_DAILY_NS = 23_400 * NANO
"""A daily bar is the session from 9:30 to 16:00."""


def _pyarrow() -> tuple[Any, Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("reading Parquet files", "parquet") from None
    return pa, pc, pq


def read_parquet(path: Path, symbols: frozenset[str] | None = None) -> BarTable:
    """Bars with columns `symbol`, `open`, `high`, `low`, `close`, `volume`, and `timestamp` (aware) or `date` (daily).

    A daily bar of an equity stands for its session in New York, one of a crypto pair for the UTC day. Rows whose price
    is missing or NaN are left out, with a warning. Raises `InputError` and `MissingExtra`.
    """
    pa, _, pq = _pyarrow()
    if not path.is_file():
        raise InputError("path", str(path), "a file that exists")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet file ({broken})") from None
    return table_of_arrow(table, symbols, str(path))


def table_of_arrow(table: Any, symbols: frozenset[str] | None = None, name: str = "memory") -> BarTable:
    """The same from an Arrow table; polars gives one by `frame.to_arrow()`."""
    pa, pc, _ = _pyarrow()
    is_daily = "timestamp" not in table.column_names
    wanted = ("symbol", "date" if is_daily else "timestamp", *_PRICES, "volume")
    missing = [column for column in wanted if column not in table.column_names]
    if missing:
        raise InputError("columns", ",".join(table.column_names), "columns " + ", ".join(wanted))
    names = pc.unique(table["symbol"]).to_pylist()
    refuse_unknown(symbols or (), names)
    found: dict[str, Columns] = {}
    skipped: dict[str, int] = {}
    for symbol in names:
        if symbols is not None and symbol not in symbols:
            continue
        rows = table.filter(pc.equal(table["symbol"], symbol))
        sound = pc.and_(pc.is_valid(rows["open"]), pc.is_finite(rows["open"]))
        for column in (*_PRICES[1:], "volume"):
            sound = pc.and_(sound, pc.and_(pc.is_valid(rows[column]), pc.is_finite(rows[column])))
        sound = pc.fill_null(sound, False)
        kept = rows.filter(sound)
        if kept.num_rows < rows.num_rows:
            skipped[symbol] = rows.num_rows - kept.num_rows
        times = _days(symbol, kept["date"]) if is_daily else _instants(pa, kept["timestamp"])
        prices = (_nanos(pa, pc, column, kept[column]) for column in (*_PRICES, "volume"))
        found[symbol] = Columns(times, *prices)
    is_crypto = bool(found) and all("/" in symbol for symbol in found)
    bar_ns = (86_400 * NANO if is_crypto else _DAILY_NS) if is_daily else None
    return BarTable(found, name, skipped_warnings(skipped), bar_ns)


def _days(symbol: str, column: Any) -> Numbers:
    days: list[dt.date] = column.to_pylist()
    if "/" in symbol:
        epoch = dt.date(1970, 1, 1)
        return array("q", [(day - epoch).days * 86_400 * NANO for day in days])
    return array("q", [daily_span(day)[0] for day in days])


def _instants(pa: Any, column: Any) -> Numbers:
    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise InputError("timestamp", str(kind), "timestamps with a time zone")
    return _packed(column.cast(pa.timestamp("ns", tz=kind.tz)).cast(pa.int64()))


def _nanos(pa: Any, pc: Any, name: str, column: Any) -> Numbers:
    """Whole billionths. A double counts as the shortest decimal that is that double, and must have at most 9 places."""
    if pa.types.is_decimal(column.type):
        return _from_decimals(name, column.to_pylist())
    if pa.types.is_integer(column.type):
        top = pc.max(column).as_py() or 0
        if top < 9_000_000_000:
            return _packed(pc.multiply(column.cast(pa.int64()), NANO))
        return [number * NANO for number in column.to_pylist()]
    doubles = column.cast(pa.float64())
    top = pc.max(pc.abs(doubles)).as_py() or 0.0
    if top >= 9_000_000:  # beyond that, billionths are not told apart by doubles
        return _from_text(name, doubles.to_pylist())
    whole = pc.round(pc.multiply(doubles, 1e9))
    if not pc.all(pc.equal(pc.divide(whole, 1e9), doubles)).as_py() and len(column):
        return _from_text(name, doubles.to_pylist())
    return _packed(whole.cast(pa.int64()))


def _from_text(name: str, numbers: list[float]) -> Numbers:
    from decimal import Decimal

    return _from_decimals(name, [Decimal(repr(number)) for number in numbers])


def _from_decimals(name: str, numbers: list[Any]) -> Numbers:
    from tradecore.domain.nanos import to_nanos
    from tradecore_backtest.columns import packed

    return packed(to_nanos(name, number) for number in numbers)


def _packed(column: Any) -> Numbers:
    """An Arrow column of 64-bit integers without gaps, copied in one go."""
    values = array("q")
    for chunk in column.chunks if hasattr(column, "chunks") else [column]:
        data = memoryview(chunk.buffers()[1]).cast("B")
        first = chunk.offset * 8
        values.frombytes(data[first : first + len(chunk) * 8])
    return values


__all__ = ["read_parquet", "table_of_arrow"]
