"""Rows of a view in a cell: a table to look at, frames to work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tradecore.views.view import Row
from tradecore_notebook import markup
from tradecore_notebook.frames import NUMBERS, plain, to_pandas, to_polars

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_SHOWN = 20
"""Rows that a cell shows, from the end: what is new is what is looked for."""


class Table:
    """Rows of one moment. Iterating gives dictionaries with `Decimal` and aware datetimes."""

    def __init__(self, title: str, rows: Sequence[Row], columns: Sequence[str], position: int) -> None:
        """`columns` are those that a cell shows, `position` is how much of the log the rows have in them."""
        self.title = title
        self.position = position
        self._rows = tuple(rows)
        self._columns = tuple(columns)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return (plain(row) for row in self._rows)

    def __getitem__(self, index: int) -> Row:
        return plain(self._rows[index])

    def polars(self, *, floats: bool = False) -> pl.DataFrame:
        """A polars frame with exact decimals, or with floats. Raises `MissingExtra`."""
        return to_polars(self._rows, self._columns, floats=floats)

    def pandas(self, *, floats: bool = False) -> pd.DataFrame:
        """A pandas frame with exact decimals, or with floats. Raises `MissingExtra`."""
        return to_pandas(self._rows, self._columns, floats=floats)

    def _foot(self) -> str:
        hidden = len(self._rows) - _SHOWN
        more = f"; {hidden} before these are not shown" if hidden > 0 else ""
        return f"{len(self._rows)} rows as of position {self.position}{more}"

    def _shown(self) -> list[list[object]]:
        return [[row.get(column) for column in self._columns] for row in self._rows[-_SHOWN:]]

    def _repr_html_(self) -> str:
        return markup.table(self.title, self._columns, self._shown(), NUMBERS, self._foot())

    def __repr__(self) -> str:
        cells = [list(self._columns)] + [["–" if v is None else str(v) for v in row] for row in self._shown()]
        widths = [max(len(row[index]) for row in cells) for index in range(len(self._columns))]
        lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join([self.title, *(line.rstrip() for line in lines), self._foot()])
