"""The bars of a sweep as the columns that they become, in one file that all its processes read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import attrs

from tradecore.books.replacing import replacing
from tradecore_backtest.columns import Columns
from tradecore_backtest.filed import FileColumn, OpenFile, pieces_of
from tradecore_backtest.table import BarTable

_WIDTH = 8


@contextmanager
def shared(table: BarTable, directory: Path) -> Iterator[str]:
    """A file with these bars, for as long as the block lasts; no path where they do not fit 64 bits."""
    columns = {symbol: attrs.astuple(table.columns(symbol), recurse=False) for symbol in table.symbols}
    if any(isinstance(column, list) for one in columns.values() for column in one):
        yield ""
        return
    file = directory / f"{table.digest}-{os.getpid()}.columns"
    head = {
        "name": table.name,
        "warnings": table.warnings,
        "bar_ns": table.bar_ns,
        "counts": {symbol: len(one[0]) for symbol, one in columns.items()},
    }
    for left in directory.glob("*.columns"):  # of a sweep that was killed; who still wants it reads the bars instead
        left.unlink(missing_ok=True)
    try:
        with replacing(file) as draft, draft.open("wb") as out:
            out.write(json.dumps(head).encode() + b"\n")
            for one in columns.values():
                for column in one:
                    for piece in pieces_of(column):
                        out.write(piece)
        yield str(file)
    finally:
        file.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def shared_table(path: str) -> BarTable:
    """The bars of such a file, read as they are wanted. Raises `FileNotFoundError` where there is none."""
    file = OpenFile(os.open(path, os.O_RDONLY))
    with Path(path).open("rb") as reader:
        head = json.loads(reader.readline())
        offset = reader.tell()
    table: dict[str, Columns] = {}
    for symbol, count in head["counts"].items():
        places = [(count, offset + number * count * _WIDTH) for number in range(len(attrs.fields(Columns)))]
        table[symbol] = Columns(*(FileColumn(file, [place]) for place in places))
        offset += len(places) * count * _WIDTH
    return BarTable(table, head["name"], tuple(head["warnings"]), head["bar_ns"], is_checked=True)
