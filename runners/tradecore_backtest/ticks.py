"""Trades and quotes, read a piece at a time: bars of any length out of them, and quotes that orders trade against.

Columns of trades are `symbol, timestamp, price, size`, of quotes `symbol, timestamp, bid, bid_size, ask, ask_size`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from tradecore.domain.nanos import NANO
from tradecore.errors import InputError
from tradecore_backtest.arrow import instants, is_number, nanos, pyarrow, whole_numbers
from tradecore_backtest.checking import refuse_unknown
from tradecore_backtest.columns import Columns, Numbers, packed
from tradecore_backtest.filed import Stage
from tradecore_backtest.table import BarTable

TRADES = ("symbol", "timestamp", "price", "size")
_PIECE = 1 << 18
QUOTES = ("symbol", "timestamp", "bid", "bid_size", "ask", "ask_size")


@attrs.frozen
class Quotes:
    """The quotes of one symbol by time: nanoseconds since 1970, prices and sizes in billionths; 0 where none."""

    times: Numbers
    bids: Numbers
    bid_sizes: Numbers
    asks: Numbers
    ask_sizes: Numbers

    def after(self, since_ns: int, until_ns: int, place: int = 0) -> range:
        """Places of the quotes later than one moment, up to another; none of them is before `place`."""
        first = _forward(self.times, since_ns, place)
        return range(first, _forward(self.times, until_ns, first))


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


def _forward(times: Numbers, at: int, place: int) -> int:
    """The first place from `place` on that is later than `at`, which is mostly near."""
    end, step = place, 1
    while end < len(times) and times[end] <= at:
        place, end, step = end + 1, end + step, step * 2
    return bisect_right(times, at, place, min(end, len(times)))


def bars_of_ticks(path: Path, seconds: int, symbols: frozenset[str] | None = None) -> BarTable:
    """Bars of `seconds` out of trades, or out of the middles of quotes, which have no volume.

    An interval without a trade has no bar. Bars begin at multiples of their length since 1970 (UTC). Raises
    `InputError`.
    """
    _, pc, _ = pyarrow()
    if seconds < 1 or 86_400 % seconds:
        raise InputError("bar_seconds", seconds, "a whole number of seconds that a day is a multiple of")
    names = columns_in(path)
    kind = QUOTES if set(QUOTES) <= set(names) else TRADES
    building, present, skipped = _Building(seconds * NANO), set[str](), 0
    for rows in _pieces(path, kind, present):
        sound = (
            _has_both_sides(pc, rows) if kind is QUOTES else pc.and_(is_number(rows["price"]), is_number(rows["size"]))
        )
        kept = rows.filter(sound)
        skipped += rows.num_rows - kept.num_rows
        for name in pc.unique(kept["symbol"]).to_pylist():
            if symbols is None or name in symbols:
                building.add(name, kept.filter(pc.equal(kept["symbol"], name)), is_quoted=kind is QUOTES)
    refuse_unknown(symbols or (), present)
    warnings = (f"{skipped} ticks without numbers, or without both sides, were left out",) if skipped else ()
    return BarTable(building.table(), str(path), warnings, seconds * NANO)


class _Building:
    """Bars that grow tick by tick; the newest of each symbol may not be through yet."""

    def __init__(self, length_ns: int) -> None:
        self._length = length_ns
        self._stage = Stage(6)
        self._open: dict[str, list[int]] = {}

    def add(self, symbol: str, rows: Any, *, is_quoted: bool) -> None:
        """Take in ticks of a symbol by time."""
        pa, pc, _ = pyarrow()
        if is_quoted:
            bids, asks = (_whole(pa, pc, rows, name) for name in ("bid", "ask"))
            price = pc.divide(pc.add(bids, asks), 2)
            size = pc.multiply(price, 0)
        else:
            price, size = (_whole(pa, pc, rows, name) for name in ("price", "size"))
        begin = pc.multiply(pc.divide(_times(pa, rows), self._length), self._length)
        ticks = pa.table({"begin": begin, "price": price, "size": size})
        wanted = [("price", name) for name in ("first", "max", "min", "last")]
        # first and last are those of the file's order only in one thread
        found = ticks.group_by("begin", use_threads=False).aggregate([*wanted, ("size", "sum")]).sort_by("begin")
        order = ("begin", "price_first", "price_max", "price_min", "price_last", "size_sum")
        columns = [whole_numbers(found[name]) for name in order]
        self._grow(symbol, columns)

    def _grow(self, symbol: str, columns: list[Numbers]) -> None:
        growing = self._open.get(symbol)
        first = [column[0] for column in columns]
        place = 0
        if growing is not None and growing[0] == first[0]:
            begin, open_, high, low, _, volume = growing
            growing = [begin, open_, max(high, first[2]), min(low, first[3]), first[4], volume + first[5]]
            place = 1
        if len(columns[0]) > place:
            if growing is not None:
                self._stage.add(symbol, [packed([number]) for number in growing])
            self._stage.add(symbol, [column[place:-1] for column in columns])
            growing = [column[-1] for column in columns]
        assert growing is not None, "there was a tick"
        self._open[symbol] = growing

    def table(self) -> dict[str, Columns]:
        """All bars by symbol."""
        for symbol, growing in self._open.items():
            self._stage.add(symbol, [packed([number]) for number in growing])
        return {symbol: Columns(*columns) for symbol, columns in self._stage.columns().items()}


def read_quotes(path: Path, symbols: frozenset[str] | None = None) -> Mapping[str, Quotes]:
    """Quotes by symbol; a side that is missing, zero, or crosses the other counts as empty. Raises `InputError`."""
    pa, pc, _ = pyarrow()
    stage, present = Stage(5), set[str]()
    for rows in _pieces(path, QUOTES, present):
        sound = _has_both_sides(pc, rows)
        for symbol in pc.unique(rows["symbol"]).to_pylist():
            if symbols is None or symbol in symbols:
                mine = rows.filter(pc.and_(pc.equal(rows["symbol"], symbol), sound))
                stage.add(
                    symbol, [instants(pa, mine["timestamp"]), *(nanos(pa, pc, name, mine[name]) for name in QUOTES[2:])]
                )
    return {symbol: Quotes(*columns) for symbol, columns in stage.columns().items()}


def _has_both_sides(pc: Any, rows: Any) -> Any:
    bid, ask = rows["bid"], rows["ask"]
    both = pc.and_(pc.greater(bid, 0), pc.greater_equal(ask, bid))
    sized = pc.and_(pc.is_valid(rows["bid_size"]), pc.is_valid(rows["ask_size"]))
    return pc.fill_null(pc.and_(pc.and_(both, pc.and_(is_number(bid), is_number(ask))), sized), False)


def _whole(pa: Any, pc: Any, rows: Any, name: str) -> Any:
    return pa.array(nanos(pa, pc, name, rows[name]), pa.int64())


def _times(pa: Any, rows: Any) -> Any:
    return rows["timestamp"].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())


def _pieces(path: Path, wanted: tuple[str, ...], present: set[str]) -> Iterator[Any]:
    """Tables of some rows each; `present` is told the symbols. Raises `InputError`, also for times that go back."""
    pa, pc, pq = pyarrow()
    if not path.is_file():
        raise InputError("path", str(path), "a file that exists")
    latest: dict[str, int] = {}
    try:
        names = columns_in(path)
        if names and not set(wanted) <= set(names):
            raise InputError("columns", ",".join(names), "columns " + ", ".join(wanted))
        for rows in _batches(pa, pq, path, wanted):
            _check_order(pa, pc, rows, latest)
            present.update(latest)
            yield rows
    except (pa.ArrowException, OSError) as broken:
        raise InputError("path", str(path), f"a Parquet or CSV file of trades or quotes ({broken})") from None


def _batches(pa: Any, pq: Any, path: Path, wanted: tuple[str, ...]) -> Iterator[Any]:
    if path.suffix.lower() == ".parquet":
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_PIECE, columns=list(wanted)):
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])
        return
    from pyarrow import csv

    kinds = {"symbol": pa.string(), "timestamp": pa.timestamp("ns", tz="UTC")}
    kinds |= dict.fromkeys(wanted[2:], pa.decimal128(28, 9))
    options = csv.ConvertOptions(column_types=kinds, include_columns=list(wanted))
    with csv.open_csv(path, convert_options=options) as reader:
        for batch in reader:
            if batch.num_rows:
                yield pa.Table.from_batches([batch])


def _check_order(pa: Any, pc: Any, rows: Any, latest: dict[str, int]) -> None:
    """Ticks of a symbol may share a moment and never go back. Raises `InputError`."""
    for symbol in pc.unique(rows["symbol"]).to_pylist():
        times = _times(pa, rows.filter(pc.equal(rows["symbol"], symbol))).combine_chunks()
        rises = len(times) < 2 or pc.all(pc.greater_equal(times[1:], times[:-1])).as_py()
        if not rises or times[0].as_py() < latest.get(symbol, times[0].as_py()):
            raise InputError(f"{symbol}: timestamp", "a time before the row above", "ticks in the order of time")
        latest[symbol] = times[-1].as_py()
