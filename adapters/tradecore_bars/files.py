"""`read_bars`: a file of bars as a list of `Bar`, or bar by bar."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, overload

from tradecore.domain.values import Bar
from tradecore.errors import InputError
from tradecore_bars.csv_file import csv_rows
from tradecore_bars.parquet_file import parquet_rows
from tradecore_bars.rows import Row, bars_as_written, bars_from


@overload
def read_bars(
    path: str | os.PathLike[str], symbols: Iterable[str] | None = None, *, as_written: Literal[False] = False
) -> list[Bar]: ...
@overload
def read_bars(
    path: str | os.PathLike[str], symbols: Iterable[str] | None = None, *, as_written: Literal[True]
) -> Iterator[Bar]: ...
def read_bars(
    path: str | os.PathLike[str], symbols: Iterable[str] | None = None, *, as_written: bool = False
) -> list[Bar] | Iterator[Bar]:
    """Minute bars of a `.csv` or `.parquet` file, by (start, symbol); only `symbols` when given.

    Columns `symbol, timestamp, open, high, low, close, volume`; `timestamp` is the aware start of the bar. Text becomes
    `Decimal` as written, doubles through their shortest form (`0.1`, not `0.1000000000000000055`). With `as_written`
    they come one by one in the order of the file, and a row that lacks a number comes as a bar of NaN.

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
    if as_written:
        return _one_by_one(file, reader(file, wanted))
    try:
        bars = bars_from(reader(file, wanted))
    except PermissionError:
        raise InputError("path", str(path), "a file that may be read") from None
    if not bars:
        raise InputError("path", str(path), "a file with at least one bar")
    return bars


def _one_by_one(file: Path, rows: Iterable[Row]) -> Iterator[Bar]:
    is_empty = True
    try:
        for bar in bars_as_written(rows, with_gaps=True):
            is_empty = False
            yield bar
    except PermissionError:
        raise InputError("path", str(file), "a file that may be read") from None
    if is_empty:
        raise InputError("path", str(file), "a file with at least one bar")
