"""Scorecards in a page, made of an agent's past."""

from __future__ import annotations

import anyio
import pytest

from tests.learning.history import boast
from tests.ledger.desk import Desk
from tradecore.errors import InputError
from tradecore.learning.outcomes import OutcomeResolver
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector
from tradecore_notebook import ReadOnlyLedger


def ledger_of(decisions: int) -> ReadOnlyLedger:
    """The ledger of an agent that says 0.7 to 0.95, and is right in half of the cases."""
    desk = Desk.in_memory()
    desk.pin()
    boast(desk, decisions)
    Projector(desk.ledger.journal, ALL_VIEWS).catch_up()
    assert anyio.run(OutcomeResolver(desk.ledger, desk.ids).resolve) == decisions
    return ReadOnlyLedger(desk.ledger.journal)


def test_scores_are_shown_where_there_are_enough_outcomes_and_not_before() -> None:
    ledger = ledger_of(60)
    (card,) = ledger.scorecards()
    assert (card.outcomes, card.scores is not None) == (60, True)
    shown = ledger.scorecards()._repr_html_()
    assert "Brier score" in shown
    assert "standard errors too high" in shown
    assert shown.count("<circle") == len(card.curve) == 4  # it only ever said four different things
    assert shown == ledger.scorecards()._repr_html_()  # resampling is the same each time
    known = [row["position"] for row in ledger.outcomes]
    early = ledger.as_of(known[9]).scorecards()
    assert [one.outcomes for one in early] == [10]
    assert "insufficient: they need 50 independent outcomes" in early._repr_html_()
    assert "<svg" not in early._repr_html_()
    assert "insufficient" in repr(early)


def test_cards_by_symbol_and_none_where_nothing_is_known() -> None:
    ledger = ledger_of(2)
    assert [card.group for card in ledger.scorecards(by="symbol")] == ["SPY"]
    assert "scorecard --resolve" in repr(ledger.as_of(5).scorecards())
    assert "scorecard --resolve" in ledger.as_of(5).scorecards()._repr_html_()
    with pytest.raises(InputError, match="one of agent, model, role, symbol"):
        ledger.scorecards(by="colour")


def test_a_decision_of_an_agent_is_told_over_all_of_its_traces() -> None:
    ledger = ledger_of(1)
    (decision,) = ledger.decisions
    told = {row["name"] for row in ledger.trace(decision["decision_id"])}
    assert {"ai.decision.concluded", "trade.order.planned", "trade.fill.recorded", "ai.outcome.resolved"} <= told
