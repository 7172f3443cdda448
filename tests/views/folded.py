"""Rows of a view as of now."""

from __future__ import annotations

from typing import Any

from tests.ledger.desk import Desk
from tradecore.journal import Journal
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector


def rows(desk: Desk, view: str) -> list[dict[str, Any]]:
    """All rows, in order."""
    Projector(desk.ledger.journal, ALL_VIEWS).catch_up()
    return read_rows(desk.ledger.journal, view)


def row(desk: Desk, view: str, **wanted: str) -> dict[str, Any]:
    """The one row with these fields."""
    found = [row for row in rows(desk, view) if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1
    return found[0]


def stored(journal: Journal) -> dict[str, dict[str, bytes]]:
    """Every row of every view, as it is stored."""
    return {view.name: dict(journal.views.rows(view.name)) for view in ALL_VIEWS}
