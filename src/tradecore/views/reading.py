"""Reading views. What is read is as old as the last `Projector.catch_up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradecore.views.rows import decode_row
from tradecore.views.view import Row

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def read_row(journal: Journal, view: str, key: str) -> Row | None:
    """One row of a view, or None."""
    stored = journal.views.row(view, key)
    return None if stored is None else decode_row(view, key, stored)


def read_rows(journal: Journal, view: str) -> list[Row]:
    """Every row of a view: in the order of the events that made them where rows say so, else by key."""
    rows = [decode_row(view, key, stored) for key, stored in journal.views.rows(view)]
    return sorted(rows, key=lambda row: row.get("position", 0))
