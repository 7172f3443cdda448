"""Cases: decisions with what was said of them and what became of them, in the order in which they ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.judgement import Vote
from tradecore.errors import InputError
from tradecore.learning.guards import Window
from tradecore.learning.scores import Forecast
from tradecore.views import read_rows

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row

GROUPS = ("agent", "model", "role", "symbol")


@attrs.frozen
class Case:
    """One decision under the name of a group. `stated` and `confidence` are None where nobody said how sure they were.

    `pnl` is the part that is put down to the group, in account currency; `model_cost` in dollars.
    """

    group: str
    window: Window
    came_true: bool
    stated: Decimal | None
    confidence: Decimal | None
    pnl: Decimal
    model_cost: Decimal

    def forecast(self, *, as_stated: bool) -> Forecast | None:
        """What was said as a probability; None where nothing was."""
        said = self.stated if as_stated else self.confidence
        return None if said is None else Forecast(float(said), self.came_true)


def cases_by(journal: Journal, group: str, outcomes: Sequence[Row] | None = None) -> dict[str, list[Case]]:
    """Every resolved decision under its agent, model, role or symbol. Raises `InputError` for another word.

    `outcomes` are the rows of that view at some moment, else those that are stored. By role a decision is there once
    for each voice that wanted what was done, with what that voice said.
    """
    if group not in GROUPS:
        raise InputError("by", group, "one of " + ", ".join(GROUPS))
    found: dict[str, list[Case]] = {}
    rows = read_rows(journal, "outcomes") if outcomes is None else outcomes
    for row in sorted(rows, key=lambda row: (row["closed_at"], row["decision_id"])):
        for case in _of_roles(journal, row) if group == "role" else _of_row(row, group):
            found.setdefault(case.group, []).append(case)
    return found


def cases_of(journal: Journal, agent: str, model: str | None) -> list[Case]:
    """The resolved decisions of an agent, or of an agent with a model."""
    rows = [row for row in read_rows(journal, "outcomes") if row["agent"] == agent]
    chosen = [row for row in rows if model is None or row["model"] == model]
    return [case for row in sorted(chosen, key=lambda row: row["closed_at"]) for case in _of_row(row, "agent")]


def _of_row(row: Row, group: str) -> Iterator[Case]:
    yield Case(
        group=row[group] or "none",
        window=_window(row),
        came_true=row["came_true"],
        stated=_number(row["stated"]),
        confidence=_number(row["confidence"]),
        pnl=Decimal(row["realised_pnl"]),
        model_cost=Decimal(row["model_cost"]),
    )


def _of_roles(journal: Journal, row: Row) -> Iterator[Case]:
    said = {vote.role: vote.confidence for vote in _votes(journal, row["decision_id"])}
    for share in row["shares"]:
        confidence = said.get(share["role"], _number(row["stated"]))
        yield Case(
            share["role"], _window(row), row["came_true"], confidence, confidence, Decimal(share["pnl"]), Decimal(0)
        )


def _votes(journal: Journal, decision_id: str) -> tuple[Vote, ...]:
    for one in journal.load(streams.deliberation(decision_id)):
        if isinstance(one.event, ev.DecisionConcluded):
            return one.event.votes
    return ()


def _window(row: Row) -> Window:
    opened, closed = (dt.datetime.fromisoformat(row[name]) for name in ("opened_at", "closed_at"))
    return Window(row["symbol"], opened, closed)


def _number(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)
