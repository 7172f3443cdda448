"""Somebody with `sqlite3` and a ledger file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from tests.ledger.desk import Desk
from tradecore.journal import open_journal
from tradecore.verify import Report, verify
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector


def trade_for_an_hour(desk: Desk) -> None:
    """Opening position, a round trip, a trade still open, a canceled order, a rejected one, one still working."""
    desk.pin(cash="10000", positions=[("IBM", "3", "100")])
    desk.done("buy", "10", "50.25")
    exit_ = desk.live("sell", "10")
    desk.fill(exit_, "4", "51", fees="0.01")
    desk.fill(exit_, "6", "51.5")
    desk.done("buy", "7", "20", symbol="QQQ")
    desk.report(desk.live("buy", "5", symbol="QQQ", limit="19"), "canceled", at=1)
    desk.report(desk.live("buy", "5", symbol="DIA"), "rejected", at=1)
    desk.live("buy", "2", symbol="DIA")


def rows_of(*views: str) -> str:
    """The condition for the rows of views."""
    names = ", ".join(f"'{view}'" for view in views)
    return f"WHERE slot IN (SELECT slot FROM tradecore_views WHERE view IN ({names}))"


@attrs.frozen
class Vandal:
    """Edits a ledger behind its back."""

    path: Path

    @classmethod
    def with_trading(cls, path: Path) -> Vandal:
        with closing(open_journal(f"sqlite:///{path}")) as journal:
            trade_for_an_hour(Desk.over(journal))
            Projector(journal, ALL_VIEWS).catch_up()
        return cls(path)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def run(self, statement: str) -> None:
        """Change something; it must really change."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            assert connection.execute(statement).rowcount > 0

    def read(self, statement: str) -> list[tuple[Any, ...]]:
        """Look at something."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a piece of the JSON of the first event of a name."""
        self.run(
            f"UPDATE events SET state = CAST(replace(CAST(state AS TEXT), '{old}', '{new}') AS BLOB) WHERE position = "
            f"(SELECT min(position) FROM events WHERE topic = '{name}' AND instr(CAST(state AS TEXT), '{old}'))"
        )

    def verify(self) -> Report:
        with closing(open_journal(self.url)) as journal:
            return verify(journal)

    def found(self) -> set[str]:
        """The names of the checks that found something."""
        return {finding.check for finding in self.verify().findings}
