"""Columns that lie in a file, read a piece at a time: memory does not grow with their number.

`Stage` takes in bars or ticks as they come, symbol by symbol in any order, and keeps no more of them in memory than a
set number; `FileColumn` is what it gives back, a sequence like any other.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import overload

from tradecore_backtest.columns import Numbers, packed

PIECE = 65_536
_BLOCK = 4096
_WIDTH = 8

Place = tuple[int, int]
"""How many numbers lie from which byte on."""


class OpenFile:
    """A file that is closed when nobody reads from it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)


class FileColumn(Sequence[int]):
    """Whole numbers of 64 bits in a file. A short slice is an array, a longer one a view."""

    def __init__(self, file: OpenFile, places: Sequence[Place], first: int = 0, count: int | None = None) -> None:
        self._file, self._places, self._first = file, places, first
        self._ends = tuple(accumulate(size for size, _ in places))
        self._count = (self._ends[-1] if places else 0) - first if count is None else count
        self._block: tuple[int, array[int]] = (-1, array("q"))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            first, behind, step = place.indices(self._count)
            if step != 1:
                raise ValueError("a column is read forwards")
            behind = max(first, behind)
            if behind - first <= PIECE:
                return self.read(first, behind)
            return FileColumn(self._file, self._places, self._first + first, behind - first)
        if place < 0:
            place += self._count
        if not 0 <= place < self._count:
            raise IndexError(place)
        number, within = divmod(place, _BLOCK)
        if self._block[0] != number:
            self._block = number, self.read(number * _BLOCK, min((number + 1) * _BLOCK, self._count))
        return self._block[1][within]

    def __iter__(self) -> Iterator[int]:
        for piece in self.pieces():
            yield from piece

    def pieces(self) -> Iterator[array[int]]:
        """The numbers, so many at a time."""
        for begin in range(0, self._count, PIECE):
            yield self.read(begin, min(begin + PIECE, self._count))

    def read(self, first: int, behind: int) -> array[int]:
        """Some of the numbers."""
        found = array("q")
        at, left = self._first + first, behind - first
        number = bisect_right(self._ends, at)
        while left:
            size, offset = self._places[number]
            skipped = at - (self._ends[number] - size)
            some = min(left, size - skipped)
            found.frombytes(_read(self._file.descriptor, some * _WIDTH, offset + skipped * _WIDTH))
            at, left, number = at + some, left - some, number + 1
        return found


def _read(descriptor: int, size: int, offset: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    if len(data) != size:
        raise OSError(f"a file of columns ends at byte {offset + len(data)}")
    return data


def pieces_of(column: Numbers) -> Iterator[array[int]]:
    """A column of 64-bit numbers in arrays; one in memory is its own only piece."""
    if isinstance(column, FileColumn):
        yield from column.pieces()
    else:
        assert isinstance(column, array), "wider numbers have no pieces"
        yield column


class Stage:
    """Takes in rows of `width` numbers by symbol. From `most` rows on they go to a file that nobody else sees."""

    most = 1 << 20

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: dict[str, list[Numbers]] = {}
        self._count = 0
        self._end = 0
        self._file: OpenFile | None = None
        self._places: dict[str, list[list[Place]]] = {}

    def add(self, symbol: str, columns: Sequence[Numbers]) -> None:
        """Take in some rows of a symbol, which follow those that it has."""
        mine = self._rows.get(symbol)
        if mine is None:
            mine = self._rows[symbol] = [array("q") for _ in range(self._width)]
        for place, column in enumerate(columns):
            mine[place] = _joined(mine[place], column)
        self._count += len(columns[0])
        if self._count >= self.most:
            self._put_away()

    def columns(self) -> dict[str, list[Numbers]]:
        """All rows as columns, by symbol. Nothing can be added afterwards."""
        if self._file is not None:
            self._put_away()
        found: dict[str, list[Numbers]] = dict(self._rows)
        for symbol, places in self._places.items():
            assert self._file is not None, "something was put away"
            filed: list[Numbers] = [FileColumn(self._file, one) for one in places]
            rest = self._rows.get(symbol)  # numbers that are wider than 64 bits stay in memory
            found[symbol] = filed if rest is None else [[*a, *b] for a, b in zip(filed, rest, strict=True)]
        return found

    def _put_away(self) -> None:
        if self._file is None:
            descriptor, name = tempfile.mkstemp(prefix="tradecore-", suffix=".columns")
            self._file = OpenFile(descriptor)
            Path(name).unlink()
        for symbol, columns in tuple(self._rows.items()):
            if not all(isinstance(column, array) for column in columns):
                continue
            del self._rows[symbol]
            places = self._places.setdefault(symbol, [[] for _ in range(self._width)])
            for mine, column in zip(places, columns, strict=True):
                assert isinstance(column, array), "the others were left out"
                if len(column):
                    mine.append((len(column), self._end))
                    self._end += os.pwrite(self._file.descriptor, column, self._end)
        self._count = 0


def _joined(column: Numbers, more: Numbers) -> Numbers:
    if isinstance(column, array) and isinstance(more, array):
        column.extend(more)
        return column
    return packed([*column, *more])
