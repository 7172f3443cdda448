"""`read_bars`: a file of bars as a list of `Bar`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tradecore.domain.values import Bar
from tradecore.errors import InputError
from tradecore_bars.csv_file import csv_rows
from tradecore_bars.parquet_file import parquet_rows
from tradecore_bars.rows import bars_from


def read_bars(path: str | os.PathLike[str], symbols: Iterable[str] | None = None) -> list[Bar]:
    """Minute bars of a `.csv` or `.parquet` file, by (start, symbol); only `symbols` when given.

    Columns `symbol, timestamp, open, high, low, close, volume`; `timestamp` is the aware start of the bar. Text becomes
    `Decimal` as written, doubles through their shortest form (`0.1`, not `0.1000000000000000055`).

    Raises:
        InputError: for anything in the file, or about it, that is not such bars; it names the row and the column.
        MissingExtra: for Parquet without pyarrow.
    """
    file = Path(path)
    wanted = None if symbols is None else frozenset(symbols)
    readers = {".csv": csv_rows, ".parquet": parquet_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InputError("path", str(path), "a file ending in .csv or .parquet")
    if not file.is_file():
        raise InputError("path", str(path), "a file that exists")
    try:
        bars = bars_from(reader(file, wanted))
    except PermissionError:
        raise InputError("path", str(path), "a file that may be read") from None
    if not bars:
        raise InputError("path", str(path), "a file with at least one bar")
    return bars
