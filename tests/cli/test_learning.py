"""`tradecore decisions`, `scorecard` and `calibrate`."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.learning.history import boast, live_through
from tests.ledger.desk import Desk

pytest.importorskip("sklearn")


def few(desk: Desk) -> None:
    desk.pin()
    for price in ("101", "99", "101"):
        live_through(desk, "0.8", price)


def many(desk: Desk) -> None:
    desk.pin()
    boast(desk, 130)


def test_few_outcomes_are_counted_and_called_insufficient(terminal: Terminal) -> None:
    terminal.trade(few)
    done = terminal.run("scorecard", "--resolve")
    assert done.code == 0, done.err
    assert "3, of them 3 independent" in done.out
    assert "insufficient: they need 50 independent outcomes" in done.out
    assert "Brier" not in done.out
    refused = terminal.run("calibrate", "agent", "--reason", "to see")
    assert refused.code == 1
    assert "needs 100 independent outcomes; there are 3" in refused.err


def test_enough_outcomes_have_scores_and_can_be_learned_from(terminal: Terminal) -> None:
    terminal.trade(many)
    (card,) = terminal.json("scorecard", "--resolve")
    assert (card["group"], card["outcomes"], card["size"]) == ("agent", 130, 130)
    scores = card["scores"]
    parts = scores["corp"]
    assert parts["miscalibration"] - parts["discrimination"] + parts["uncertainty"] == pytest.approx(scores["brier"])
    assert scores["overconfidence"] > 2
    assert scores["brier_interval"]["low"] < scores["brier"] < scores["brier_interval"]["high"]
    assert sum(step["count"] for step in card["curve"]) == 130
    assert terminal.json("scorecard") == [card]
    (made,) = terminal.json("calibrate", "agent", "--reason", "it boasts")
    assert made["calibration"] == "agent@1"
    assert float(made["brier_after"]) < float(made["brier_before"])


@pytest.mark.parametrize("by", ["agent", "model", "role", "symbol"])
def test_cards_by_every_group_count_the_same_decisions(terminal: Terminal, by: str) -> None:
    terminal.trade(few)
    cards = terminal.json("scorecard", "--resolve", "--by", by)
    assert sum(card["outcomes"] for card in cards) == 3
    assert sum(float(card["pnl"]) for card in cards) == 10


def test_another_group_is_refused(terminal: Terminal) -> None:
    terminal.trade(few)
    done = terminal.run("scorecard", "--by", "mood")
    assert done.code == 2
    assert "agent, model, role, symbol" in done.err


def test_decisions_are_listed_with_what_became_of_them(terminal: Terminal) -> None:
    terminal.trade(few)
    terminal.run("scorecard", "--resolve")
    rows = terminal.json("decisions")
    assert [row["outcome"] for row in rows if row["stated"]] == ["earned", "lost", "earned"]
    assert "executed" in terminal.run("decisions").out
