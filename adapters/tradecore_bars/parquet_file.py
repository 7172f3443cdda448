"""Bars in Parquet, read with pyarrow, which is an extra and imported only here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradecore.errors import InputError, MissingExtra
from tradecore_bars.rows import COLUMNS, Row, missing_columns, unknown_symbols

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _pyarrow() -> tuple[Any, Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("reading Parquet files", "parquet") from None
    return pa, pc, pq


class _Times(dict[int | None, dt.datetime]):
    """UTC instants by microseconds since 1970: every symbol prints the same minutes."""

    def __missing__(self, microseconds: int | None) -> dt.datetime:
        if microseconds is None:
            raise InputError("timestamp", None, "a time in every row")
        self[microseconds] = time = _EPOCH + dt.timedelta(microseconds=microseconds)
        return time


def _numbers(array: Any) -> list[Any]:
    """Numbers of an array; those without gaps are copied in one go, which is ten times as fast."""
    code = {"double": "d", "int64": "q", "int32": "i"}.get(str(array.type))
    if code is None or array.null_count:
        values: list[Any] = array.to_pylist()
        return values
    data: Any = memoryview(array.buffers()[1]).cast("B")
    return list(data.cast(code)[array.offset : array.offset + len(array)])


def _values(column: Any) -> list[Any]:
    return [value for chunk in column.chunks for value in _numbers(chunk)]


def _names(column: Any) -> list[Any]:
    """The symbols, one object for each name; None where there is none."""
    result: list[Any] = []
    for chunk in column.dictionary_encode().chunks:
        names = dict(enumerate(chunk.dictionary.to_pylist()))
        result.extend(map(names.get, _numbers(chunk.indices)))
    return result


def parquet_rows(path: Path, symbols: frozenset[str] | None) -> Iterator[Row]:
    """Rows of the wanted symbols, in file order. Raises `InputError`, or `MissingExtra` without pyarrow."""
    pyarrow, compute, parquet = _pyarrow()
    try:
        error = missing_columns(parquet.read_schema(path).names)
        if error is not None:
            raise error
        table = parquet.read_table(path, columns=list(COLUMNS))
    except (pyarrow.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet file ({broken})") from None
    kind = table.schema.field("timestamp").type
    if not pyarrow.types.is_timestamp(kind) or kind.tz is None:
        raise InputError("timestamp", str(kind), "timestamps with a time zone")
    error = unknown_symbols(symbols, (name for name in compute.unique(table["symbol"]).to_pylist() if name is not None))
    if error is not None:
        raise error
    rows = list(range(1, table.num_rows + 1))
    if symbols is not None:
        wanted = compute.is_in(table["symbol"], value_set=pyarrow.array(sorted(symbols)))
        rows = [row for row, keep in zip(rows, wanted.to_pylist(), strict=True) if keep]
        table = table.filter(wanted)
    # Whole microseconds: what a datetime holds. A finer stamp would be cut silently by pyarrow or raise deep inside it.
    try:
        ticks = table["timestamp"].cast(pyarrow.timestamp("us", tz=kind.tz)).cast(pyarrow.int64())
    except pyarrow.ArrowException as broken:
        raise InputError("timestamp", str(kind), f"whole microseconds ({broken})") from None
    times = map(_Times().__getitem__, _values(ticks))
    columns = [_values(table[name]) for name in ("open", "high", "low", "close", "volume")]
    yield from zip(rows, _names(table["symbol"]), times, *columns, strict=True)
