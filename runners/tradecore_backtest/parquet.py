"""Bars from Parquet and Arrow: in memory, or, of files that are large, a piece at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tradecore.domain.nanos import NANO
from tradecore.errors import InputError
from tradecore_backtest.arrow import columns_of, pyarrow, wanted_columns
from tradecore_backtest.checking import refuse_unknown, skipped_warnings
from tradecore_backtest.columns import BarSource, Columns
from tradecore_backtest.streaming import ParquetBars
from tradecore_backtest.table import BarTable

_DAILY_NS = 6 * 3600 * NANO + 1800 * NANO
_LARGE = 2_000_000


def open_parquet(path: Path, symbols: frozenset[str] | None = None) -> BarSource:
    """The bars of a file; from two million rows on they are read piece by piece while a run goes on.

    Raises `InputError` and `MissingExtra`.
    """
    if not path.is_file():
        raise InputError("path", str(path), "a file that exists")
    pa, _, pq = pyarrow()
    try:
        with pq.ParquetFile(path) as file:
            is_large = file.metadata.num_rows >= _LARGE and "timestamp" in file.schema_arrow.names
    except (pa.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet file ({broken})") from None
    return ParquetBars(path, symbols) if is_large else read_parquet(path, symbols)


def read_parquet(path: Path, symbols: frozenset[str] | None = None) -> BarTable:
    """Bars with columns `symbol`, `open`, `high`, `low`, `close`, `volume`, and `timestamp` (aware) or `date` (daily).

    A daily bar of an equity stands for its session in New York, one of a crypto pair for the UTC day. Rows whose price
    is missing or NaN are left out, with a warning. Raises `InputError` and `MissingExtra`.
    """
    pa, _, pq = pyarrow()
    if not path.is_file():
        raise InputError("path", str(path), "a file that exists")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet file ({broken})") from None
    return table_of_arrow(table, symbols, str(path))


def table_of_arrow(table: Any, symbols: frozenset[str] | None = None, name: str = "memory") -> BarTable:
    """The same from an Arrow table; polars gives one by `frame.to_arrow()`."""
    pa, pc, _ = pyarrow()
    wanted_columns(table.column_names)
    if pa.types.is_dictionary(table["symbol"].type):
        table = table.set_column(table.column_names.index("symbol"), "symbol", table["symbol"].cast(pa.string()))
    names = pc.unique(table["symbol"]).to_pylist()
    refuse_unknown(symbols or (), names)
    found: dict[str, Columns] = {}
    skipped: dict[str, int] = {}
    for symbol in names:
        if symbols is not None and symbol not in symbols:
            continue
        rows = table if len(names) == 1 else table.filter(pc.equal(table["symbol"], symbol))
        found[symbol], left_out = columns_of(symbol, rows)
        if left_out:
            skipped[symbol] = left_out
    is_daily = "timestamp" not in table.column_names
    is_crypto = bool(found) and all("/" in symbol for symbol in found)
    bar_ns = (86_400 * NANO if is_crypto else _DAILY_NS) if is_daily else None
    return BarTable(found, name, skipped_warnings(skipped), bar_ns, is_checked=True)


@runtime_checkable
class Frame(Protocol):
    """A frame of polars, pandas or pyarrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """What Arrow reads it by."""


def table_of_frame(frame: Any, symbols: frozenset[str] | None = None) -> BarTable:
    """The same from a polars or pandas frame, or an Arrow table. Raises `InputError` and `MissingExtra`."""
    pa, _, _ = pyarrow()
    return table_of_arrow(frame.to_arrow() if hasattr(frame, "to_arrow") else pa.table(frame), symbols)


__all__ = ["Frame", "open_parquet", "read_parquet", "table_of_arrow", "table_of_frame"]
