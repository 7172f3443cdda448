"""Rows of a bar file, checked and made exact, whatever the file's format."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from operator import attrgetter

from tradecore.domain.values import Bar, parse_symbol
from tradecore.errors import InputError

COLUMNS = ("symbol", "timestamp", "open", "high", "low", "close", "volume")

Cell = str | int | float | None
Row = tuple[int, str, dt.datetime, Cell, Cell, Cell, Cell, Cell]


MOST_KNOWN = 1 << 17
"""How many spellings of numbers or times are remembered."""

_NO_NUMBER = Decimal("NaN")


class _Numbers(dict[Cell, Decimal]):
    """Exact numbers by the cell they came from; prices repeat, so each spelling is parsed and checked once."""

    def __init__(self, lowest: str) -> None:
        super().__init__()
        self.zero_allowed = lowest == "zero"
        self.expected = f"a finite number {'of zero or more' if self.zero_allowed else 'above zero'}"

    def __missing__(self, cell: Cell) -> Decimal:
        try:
            number = Decimal(cell if isinstance(cell, str) else repr(cell))
        except InvalidOperation:
            raise InputError("number", cell, self.expected) from None
        if not number.is_finite() or number < 0 or (number == 0 and not self.zero_allowed):
            raise InputError("number", cell, self.expected)
        if len(self) >= MOST_KNOWN:
            self.clear()
        self[cell] = number
        return number


def missing_columns(present: Iterable[str]) -> InputError | None:
    """The error for a header without all of `COLUMNS`, or None."""
    found = list(present)
    missing = [name for name in COLUMNS if name not in found]
    if not missing:
        return None
    return InputError("columns", ",".join(found), "a header with " + ", ".join(COLUMNS))


def unknown_symbols(asked: Iterable[str] | None, present: Iterable[str]) -> InputError | None:
    """The error for asking a file for symbols that it does not have, or None."""
    has = sorted(set(present))
    for symbol in sorted(set(asked or ())):
        if symbol not in has:
            return InputError("symbols", symbol, "symbols that the file has: " + ", ".join(has))
    return None


def _impossible(row: int, open_: Decimal, high: Decimal, low: Decimal, close: Decimal) -> InputError:
    """The error for prices that contradict each other."""
    if high < low:
        return InputError(f"row {row}: high", str(high), f"at least the low of {low}")
    name, price = ("close", close) if low <= open_ <= high else ("open", open_)
    return InputError(f"row {row}: {name}", str(price), f"a price from {low} to {high}")


def bars_from(rows: Iterable[Row]) -> list[Bar]:
    """Bars by (start, symbol). Raises `InputError` naming the row for whatever no market can have printed."""
    return sorted(bars_as_written(rows), key=attrgetter("start", "symbol"))


def bars_as_written(rows: Iterable[Row], *, with_gaps: bool = False) -> Iterator[Bar]:
    """Bars one by one, in the order of the rows. Raises as `bars_from`.

    `with_gaps` gives a row that lacks a number, or says NaN, as a bar whose numbers are NaN, instead of refusing it.
    """
    prices, volumes = _Numbers("above zero"), _Numbers("zero")
    last: dict[str, dt.datetime] = {}
    for row, symbol, start, *cells in rows:
        before = last.get(symbol)
        if before is None:
            parse_symbol(f"row {row}: symbol", symbol)
        elif start <= before:
            raise InputError(f"row {row}: timestamp", start.isoformat(), f"a time after {before.isoformat()}")
        last[symbol] = start
        if with_gaps and any(_is_missing(cell) for cell in cells):
            yield Bar(symbol, start, _NO_NUMBER, _NO_NUMBER, _NO_NUMBER, _NO_NUMBER, _NO_NUMBER)
            continue
        name = "open"
        try:
            open_ = prices[cells[0]]
            name = "high"
            high = prices[cells[1]]
            name = "low"
            low = prices[cells[2]]
            name = "close"
            close = prices[cells[3]]
            name = "volume"
            volume = volumes[cells[4]]
        except InputError as error:
            raise InputError(f"row {row}: {name}", error.value, error.expected) from None
        if not (low <= open_ <= high and low <= close <= high):
            raise _impossible(row, open_, high, low, close)
        yield Bar(symbol, start, open_, high, low, close, volume)


def _is_missing(cell: Cell) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in {"", "nan"}
    return cell is None or (isinstance(cell, float) and math.isnan(cell))
