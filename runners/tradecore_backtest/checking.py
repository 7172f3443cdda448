"""Whether columns are bars that a market can have printed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tradecore.domain.nanos import NANO, from_nanos, instant
from tradecore.domain.values import parse_symbol
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore_backtest.columns import Columns


def check(symbol: str, columns: Columns, before: int | None = None) -> None:
    """Raises `InputError` for columns that no market can have printed. `before` is the start that came before them."""
    parse_symbol("symbol", symbol)
    starts = columns.starts
    if before is not None and len(starts) and starts[0] <= before:
        raise InputError(f"{symbol}: start", instant(starts[0]).isoformat(), f"a time after {instant(before)}")
    for place, (this, following) in enumerate(itertools.pairwise(starts)):
        if following <= this:
            raise InputError(f"{symbol}: start of bar {place + 1}", instant(following).isoformat(), "times that rise")
    if any(start % NANO for start in starts):
        raise InputError(f"{symbol}: start", "a part of a second", "bars that begin at whole seconds")
    rows = zip(columns.opens, columns.highs, columns.lows, columns.closes, columns.volumes, strict=True)
    for place, (open_, high, low, close, volume) in enumerate(rows):
        if not (0 < low <= open_ <= high and low <= close <= high and volume >= 0):
            told = "/".join(f"{from_nanos(number)}" for number in (open_, high, low, close, volume))
            raise InputError(f"{symbol}: bar {place}", told, "0 < low <= open, close <= high, and a volume")


def refuse_unknown(wanted: Iterable[str], present: Iterable[str]) -> None:
    """Raises `InputError` for a symbol that has no bars."""
    has = sorted(set(present))
    for symbol in sorted(set(wanted)):
        if symbol not in has:
            raise InputError("symbols", symbol, "symbols that have bars: " + (", ".join(has) or "there are none"))


def skipped_warnings(skipped: dict[str, int]) -> tuple[str, ...]:
    """What is said of rows without numbers."""
    return tuple(f"{symbol}: {count} rows without a price were left out" for symbol, count in sorted(skipped.items()))
