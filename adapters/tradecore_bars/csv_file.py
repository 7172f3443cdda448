"""Bars in CSV, read with the standard library."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from tradecore.errors import InputError
from tradecore_bars.rows import COLUMNS, MOST_KNOWN, Row, missing_columns, unknown_symbols


class _Times(dict[str, dt.datetime]):
    """UTC instants by their text: every symbol prints the same minutes."""

    def __missing__(self, text: str) -> dt.datetime:
        try:
            time = dt.datetime.fromisoformat(text)
        except ValueError:
            raise InputError("timestamp", text, "an ISO-8601 time with an offset or Z") from None
        if time.tzinfo is None:
            raise InputError("timestamp", text, "a time with an offset or Z")
        if len(self) >= MOST_KNOWN:
            self.clear()
        self[text] = time = time.astimezone(dt.UTC)
        return time


def csv_rows(path: Path, symbols: frozenset[str] | None) -> Iterator[Row]:
    """Rows of the wanted symbols, in file order. Raises `InputError` for a file that is not such a CSV."""
    times = _Times()
    seen: set[str] = set()
    row = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            header = next(lines, None)
            if header is None:
                raise InputError("path", str(path), "a file that is not empty")
            names = [name.strip() for name in header]
            error = missing_columns(names)
            if error is not None:
                raise error
            at = [names.index(name) for name in COLUMNS]
            s, t, o, h, low, c, v = at
            widest = max(at)
            for row, line in enumerate(lines, start=2):
                if not line:
                    continue
                if len(line) <= widest:
                    raise InputError(f"row {row}", ",".join(line), f"{len(names)} columns")
                symbol = line[s]
                seen.add(symbol)
                if symbols is not None and symbol not in symbols:
                    continue
                try:
                    start = times[line[t]]
                except InputError as wrong:
                    raise InputError(f"row {row}: timestamp", wrong.value, wrong.expected) from None
                yield row, symbol, start, line[o], line[h], line[low], line[c], line[v]
    except (UnicodeDecodeError, csv.Error) as broken:
        raise InputError("path", str(path), f"a CSV file in UTF-8 ({broken})") from None
    error = unknown_symbols(symbols, seen)
    if error is not None:
        raise error
