"""Trades and quotes: bars of any length out of them, and the quotes that orders trade against.

Columns of trades are `symbol, timestamp, price, size`, of quotes `symbol, timestamp, bid, bid_size, ask, ask_size`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tradecore.domain.nanos import NANO
from tradecore.errors import InputError
from tradecore_backtest.arrow import instants, is_number, nanos, pyarrow, whole_numbers
from tradecore_backtest.checking import refuse_unknown
from tradecore_backtest.columns import Columns, Numbers
from tradecore_backtest.table import BarTable

TRADES = ("symbol", "timestamp", "price", "size")
QUOTES = ("symbol", "timestamp", "bid", "bid_size", "ask", "ask_size")


@attrs.frozen
class Quotes:
    """The quotes of one symbol by time: nanoseconds since 1970, prices and sizes in billionths; 0 where none."""

    times: Numbers
    bids: Numbers
    bid_sizes: Numbers
    asks: Numbers
    ask_sizes: Numbers

    def after(self, since_ns: int, until_ns: int) -> range:
        """Places of the quotes later than one moment, up to another."""
        return range(bisect_right(self.times, since_ns), bisect_right(self.times, until_ns))


def columns_in(path: Path) -> tuple[str, ...]:
    """The names of the columns of a Parquet or CSV file; none where that cannot be told."""
    try:
        if path.suffix.lower() == ".parquet":
            _, _, pq = pyarrow()
            return tuple(pq.read_schema(path).names)
        with path.open(encoding="utf-8-sig") as file:
            return tuple(name.strip() for name in file.readline().split(","))
    except (OSError, ValueError):
        return ()


def bars_of_ticks(path: Path, seconds: int, symbols: frozenset[str] | None = None) -> BarTable:
    """Bars of `seconds` out of trades, or out of the middles of quotes, which have no volume.

    An interval without a trade has no bar. Bars begin at multiples of their length since 1970 (UTC). Raises
    `InputError`.
    """
    pa, pc, _ = pyarrow()
    if seconds < 1 or 86_400 % seconds:
        raise InputError("bar_seconds", seconds, "a whole number of seconds that a day is a multiple of")
    rows = _read(path)
    is_quoted = set(QUOTES) <= set(rows.column_names)
    _want(rows, QUOTES if is_quoted else TRADES)
    _check_order(pc, rows)
    sound = _has_both_sides(pc, rows) if is_quoted else pc.and_(is_number(rows["price"]), is_number(rows["size"]))
    skipped = rows.num_rows
    rows = rows.filter(sound)
    skipped -= rows.num_rows
    if is_quoted:
        bids, asks = (_whole(pa, pc, rows, name) for name in ("bid", "ask"))
        price = pc.divide(pc.add(bids, asks), 2)
        size = pc.multiply(price, 0)
    else:
        price, size = (_whole(pa, pc, rows, name) for name in ("price", "size"))
    times = rows["timestamp"].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
    begin = pc.multiply(pc.divide(times, seconds * NANO), seconds * NANO)
    ticks = pa.table({"symbol": rows["symbol"], "begin": begin, "price": price, "size": size})
    wanted = [("price", name) for name in ("first", "max", "min", "last")]
    # first and last are those of the file's order only in one thread
    found = ticks.group_by(["symbol", "begin"], use_threads=False).aggregate([*wanted, ("size", "sum")])
    names = pc.unique(rows["symbol"]).to_pylist()
    refuse_unknown(symbols or (), names)
    warnings = (f"{skipped} ticks without numbers, or without both sides, were left out",) if skipped else ()
    table = {name: _columns(pc, found, name) for name in names if symbols is None or name in symbols}
    return BarTable(table, str(path), warnings, seconds * NANO)


def _columns(pc: Any, found: Any, symbol: str) -> Columns:
    mine = found.filter(pc.equal(found["symbol"], symbol))
    order = ("begin", "price_first", "price_max", "price_min", "price_last", "size_sum")
    return Columns(*(whole_numbers(mine[name]) for name in order))


def _whole(pa: Any, pc: Any, rows: Any, name: str) -> Any:
    return pa.array(nanos(pa, pc, name, rows[name]), pa.int64())


def read_quotes(path: Path, symbols: frozenset[str] | None = None) -> Mapping[str, Quotes]:
    """Quotes by symbol; a side that is missing, zero, or crosses the other counts as empty. Raises `InputError`."""
    pa, pc, _ = pyarrow()
    rows = _read(path)
    _want(rows, QUOTES)
    _check_order(pc, rows)
    sound = _has_both_sides(pc, rows)
    found: dict[str, Quotes] = {}
    for symbol in pc.unique(rows["symbol"]).to_pylist():
        if symbols is None or symbol in symbols:
            mine = rows.filter(pc.and_(pc.equal(rows["symbol"], symbol), sound))
            columns = [nanos(pa, pc, name, mine[name]) for name in QUOTES[2:]]
            found[symbol] = Quotes(instants(pa, mine["timestamp"]), *columns)
    return found


def _has_both_sides(pc: Any, rows: Any) -> Any:
    bid, ask = rows["bid"], rows["ask"]
    both = pc.and_(pc.greater(bid, 0), pc.greater_equal(ask, bid))
    sized = pc.and_(pc.is_valid(rows["bid_size"]), pc.is_valid(rows["ask_size"]))
    return pc.fill_null(pc.and_(pc.and_(both, pc.and_(is_number(bid), is_number(ask))), sized), False)


def _read(path: Path) -> Any:
    pa, _, pq = pyarrow()
    if not path.is_file():
        raise InputError("path", str(path), "a file that exists")
    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_table(path)
        from pyarrow import csv

        exact = pa.decimal128(28, 9)
        kinds = {"symbol": pa.string(), "timestamp": pa.timestamp("ns", tz="UTC")}
        kinds |= dict.fromkeys((*TRADES[2:], *QUOTES[2:]), exact)
        return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=kinds))
    except (pa.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet or CSV file of trades or quotes ({broken})") from None


def _want(rows: Any, wanted: tuple[str, ...]) -> None:
    if not set(wanted) <= set(rows.column_names):
        raise InputError("columns", ",".join(rows.column_names), "columns " + ", ".join(wanted))


def _check_order(pc: Any, rows: Any) -> None:
    """Ticks of a symbol may share a moment and never go back. Raises `InputError`."""
    for symbol in pc.unique(rows["symbol"]).to_pylist():
        times = rows.filter(pc.equal(rows["symbol"], symbol))["timestamp"].combine_chunks()
        if len(times) > 1 and not pc.all(pc.greater_equal(times[1:], times[:-1])).as_py():
            raise InputError(f"{symbol}: timestamp", "a time before the row above", "ticks in the order of time")
