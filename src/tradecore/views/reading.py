"""Reading views: as old as the last `Projector.catch_up`, or as of any position or moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tradecore.errors import InputError
from tradecore.views.rows import decode_row
from tradecore.views.time_travel import AsOf, rows_as_of
from tradecore.views.view import Row, View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def read_row(journal: Journal, view: str, key: str) -> Row | None:
    """One row of a view, or None."""
    stored = journal.views.row(view, key)
    return None if stored is None else decode_row(view, key, stored)


def read_rows(journal: Journal, view: str, as_of: AsOf | None = None, prefix: str = "") -> list[Row]:
    """Every row of a view: in the order of the events that made them where rows say so, else by key.

    With `prefix` only those whose keys begin so. With `as_of` (a position, or a time with a time zone) the rows are
    those of that moment, folded from the log in memory. Raises `InputError` for a naive time, a position that the log
    does not have, an unknown view.
    """
    if as_of is None:
        return _in_order(view, journal.views.rows(view, prefix))
    rows = rows_as_of(journal, _named(view), as_of)
    return _in_order(view, sorted(item for item in rows.items() if item[0].startswith(prefix)))


def _in_order(view: str, stored: Iterable[tuple[str, bytes]]) -> list[Row]:
    rows = [decode_row(view, key, value) for key, value in stored]
    return sorted(rows, key=lambda row: row.get("position", 0))


def _named(name: str) -> View:
    from tradecore.views import ALL_VIEWS

    for view in ALL_VIEWS:
        if view.name == name:
            return view
    raise InputError("view", name, "one of " + ", ".join(view.name for view in ALL_VIEWS))
