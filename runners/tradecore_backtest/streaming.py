"""Bars of a Parquet file, read a piece at a time: memory does not grow with their number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from operator import sub
from pathlib import Path
from typing import Any

import attrs

from tradecore.domain.values import Bar, parse_symbol
from tradecore_backtest.arrow import columns_of, pyarrow, wanted_columns
from tradecore_backtest.checking import refuse_unknown, skipped_warnings
from tradecore_backtest.columns import Chunk, Columns
from tradecore_backtest.filed import Stage
from tradecore_backtest.merging import chunks_of_one, merged
from tradecore_backtest.spacing import Distances

_PIECE = 65_536


@attrs.define
class _Survey:
    """What one reading of the file found of a symbol; `groups` are the row groups that have bars of it."""

    count: int = 0
    first: int = 0
    last: int | None = None
    skipped: int = 0
    lengths: Counter[int] = attrs.field(factory=Counter)
    groups: list[int] = attrs.field(factory=list)

    def add(self, columns: Columns, skipped: int, group: int) -> None:
        """One piece more."""
        self.skipped += skipped
        if self.groups[-1:] != [group]:
            self.groups.append(group)
        if not len(columns):
            return
        starts = columns.starts
        if self.last is None:
            self.first = starts[0]
        else:
            self.lengths[starts[0] - self.last] += 1
        self.lengths.update(map(sub, starts[1:], starts))
        self.count, self.last = self.count + len(starts), starts[-1]


class ParquetBars:
    """A `BarSource` of a file that need not fit into memory.

    The file is read twice: once to look at every bar, so that what is wrong is told before the run, and once by the
    run. Rows may be in the order of time, or of symbol and time.
    """

    def __init__(self, path: Path, wanted: frozenset[str] | None = None) -> None:
        """Raises `InputError` as `BarTable`, and for rows of a symbol that do not rise in time."""
        self.name = str(path)
        self.bar_ns: int | None = None
        self._path = path
        self._is_by_time = True
        self._found = self._look(wanted)
        self.symbols = tuple(sorted(symbol for symbol, one in self._found.items() if one.count))
        self.warnings = skipped_warnings({name: one.skipped for name, one in self._found.items() if one.skipped})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the symbols and the file."""
        found = hashlib.sha256(",".join(self.symbols).encode())
        with self._path.open("rb") as file:
            while piece := file.read(1 << 20):
                found.update(piece)
        return found.hexdigest()

    def distances(self) -> dict[str, Distances]:
        """How the bars of every symbol lie in time."""
        found = {}
        for symbol in self.symbols:
            one = self._found[symbol]
            assert one.last is not None, "it has bars"
            found[symbol] = Distances(one.count, one.first, one.last, one.lengths)
        return found

    def chunks(self) -> Iterator[Chunk]:
        """All bars by (start, symbol)."""
        if len(self.symbols) == 1:
            for columns in self._of(self.symbols[0]):
                yield from chunks_of_one(columns)
        elif self._is_by_time:
            yield from self._by_time()
        else:
            yield from merged([self._of(symbol) for symbol in self.symbols])

    def of(self, symbol: str) -> Iterator[Bar]:
        """The bars of a symbol by time."""
        for columns in self._of(symbol) if symbol in self._found else ():
            for place in range(len(columns)):
                yield columns.bar(symbol, place)

    def table(self) -> dict[str, Columns]:
        """All bars as columns, by symbol; many lie in a file of their own."""
        stage = Stage(6)
        for symbol in self.symbols:
            for columns in self._of(symbol):
                stage.add(symbol, attrs.astuple(columns, recurse=False))
        return {symbol: Columns(*columns) for symbol, columns in stage.columns().items()}

    def _look(self, wanted: frozenset[str] | None) -> dict[str, _Survey]:
        _, pc, _ = pyarrow()
        found: dict[str, _Survey] = {}
        present: set[str] = set()
        latest = None
        for group, rows in self._pieces(None):
            first, last = pc.min(rows["timestamp"]).value, pc.max(rows["timestamp"]).value
            steps = pc.subtract(rows["timestamp"][1:], rows["timestamp"][:-1]).cast("int64")
            rises = not len(steps) or pc.min(steps).as_py() >= 0
            self._is_by_time = self._is_by_time and rises and (latest is None or first >= latest)
            latest = last
            names = pc.unique(rows["symbol"]).to_pylist()
            present.update(names)
            for symbol in names:
                if wanted is None or symbol in wanted:
                    one = found.setdefault(parse_symbol("symbol", symbol), _Survey())
                    columns, skipped = columns_of(symbol, _only(pc, rows, symbol, len(names)), one.last)
                    one.add(columns, skipped, group)
        refuse_unknown(wanted or (), present)
        return found

    def _of(self, symbol: str) -> Iterator[Columns]:
        _, pc, _ = pyarrow()
        for _, rows in self._pieces(self._found[symbol].groups):
            columns, _ = columns_of(symbol, _only(pc, rows, symbol, 2))
            if len(columns):
                yield columns

    def _by_time(self) -> Iterator[Chunk]:
        """Each piece but for its last moment, which may go on in the next one."""
        pa, pc, _ = pyarrow()
        rest = None
        for _, rows in self._pieces(None):
            together = rows if rest is None else pa.concat_tables([rest, rows])
            is_last = pc.equal(together["timestamp"], together["timestamp"][-1])
            rest = together.filter(is_last)
            yield from self._merged(together.filter(pc.invert(is_last)))
        if rest is not None:
            yield from self._merged(rest)

    def _merged(self, rows: Any) -> Iterator[Chunk]:
        _, pc, _ = pyarrow()
        pieces = [columns_of(symbol, _only(pc, rows, symbol, 2))[0] for symbol in self.symbols]
        return merged([iter([columns]) for columns in pieces])

    def _pieces(self, groups: list[int] | None) -> Iterator[tuple[int, Any]]:
        """Tables of some rows, with the row group that they are of."""
        pa, _, pq = pyarrow()
        with pq.ParquetFile(self._path) as file:
            columns = wanted_columns(file.schema_arrow.names)
            for group in range(file.metadata.num_row_groups) if groups is None else groups:
                for batch in file.iter_batches(_PIECE, row_groups=[group], columns=columns):
                    if batch.num_rows:
                        yield group, pa.Table.from_batches([batch])


def _only(pc: Any, rows: Any, symbol: str, names: int) -> Any:
    return rows if names == 1 else rows.filter(pc.equal(rows["symbol"], symbol))
