"""Failure stories of the predecessor that concern decisions, told again and ending well. Numbers are the stories'."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cycle.scene import Stage, decision, staged
from tests.cycle.test_path import in_and_out
from tradecore.domain import events as ev
from tradecore.domain.judgement import Stance
from tradecore.domain.values import Side
from tradecore.ports.model import ModelRequest
from tradecore.views import read_row, read_rows


def tell(folder: Path, script: Any, judge: Any, minutes: int = 8, **tables: Any) -> None:
    """Play a day as the script wants it, then look at what it left."""

    async def run() -> None:
        async with staged(folder, script, minutes=minutes, **tables) as stage:
            await stage.play()
            stage.session.engine.projector.catch_up()
            await judge(stage)

    anyio.run(run)


def test_story_10_attribution_is_never_lost(tmp_path: Path) -> None:
    """Every trade knows its decision, agent, model and entry, and nothing that a sync does takes that away."""

    async def judge(stage: Stage) -> None:
        before = read_rows(stage.session.journal, "trades")
        for why in ("reconnect", "schedule", "end"):
            await stage.session.engine.reconcile(why)
        await stage.session.engine.collect()
        stage.session.engine.projector.catch_up()
        assert read_rows(stage.session.journal, "trades") == before
        assert len(before) > 3
        decided = {event.decision_id: event for event in stage.events(ev.DecisionConcluded)}
        for row in before:
            assert row["decision_id"] in decided
            assert row["strategy"] == decided[row["decision_id"]].agent == "single"
            assert row["opened_at"] is not None or row["status"] == "working"
        closed = {row["trade_id"] for row in before if row["status"] == "closed"}
        outcomes = {event.trade_id: event for event in stage.events(ev.OutcomeResolved)}
        assert set(outcomes) == closed
        assert all(event.model == "local/scripted" for event in outcomes.values())

    tell(tmp_path, in_and_out, judge)


def test_story_13_to_hold_is_never_an_order(tmp_path: Path) -> None:
    async def judge(stage: Stage) -> None:
        assert len(stage.events(ev.DecisionConcluded)) > 10
        assert stage.events(ev.OrderPlanned) == []
        assert stage.events(ev.TradeProposed) == []

    tell(tmp_path, lambda _: decision("hold", "0.99", "0.1"), judge)


def test_story_13_the_quantity_follows_from_size_and_price(tmp_path: Path) -> None:
    async def judge(stage: Stage) -> None:
        planned = [event for event in stage.events(ev.OrderPlanned) if event.side is Side.BUY]
        assert {event.symbol for event in planned} == {"AAA", "BBB"}
        for event in planned:
            assert event.quantity is not None
            assert event.reference_price is not None
            worth = event.quantity * event.reference_price
            assert 5_000 - event.reference_price < worth <= 5_000, "five percent of the equity, in whole units"

    tell(tmp_path, lambda _: decision("buy", "0.9", "0.05"), judge, minutes=2)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "1e400", 0.1])
def test_story_13_a_price_of_nothing_is_not_a_price(tmp_path: Path, price: Any) -> None:
    async def judge(stage: Stage) -> None:
        stances = {event.stance for event in stage.events(ev.DecisionValidated)}
        assert stances <= {Stance.ABSTAIN, Stance.HOLD}
        assert stage.events(ev.OrderPlanned) == []

    tell(tmp_path, lambda _: decision("buy", stop_price=price), judge, minutes=2)


def test_story_15_outcomes_belong_to_the_decision_that_opened_the_trade(tmp_path: Path) -> None:
    """The decision to sell earns nothing by itself: the loop closes on the one that bought."""

    async def judge(stage: Stage) -> None:
        outcomes = stage.events(ev.OutcomeResolved)
        assert len(outcomes) >= 4
        concluded = {event.decision_id: event.stance for event in stage.events(ev.DecisionConcluded)}
        assert {concluded[event.decision_id] for event in outcomes} == {Stance.BUY}
        assert {concluded[event.exit_decision_id] for event in outcomes} == {Stance.SELL}
        for event in outcomes:
            row = read_row(stage.session.journal, "decisions", event.decision_id)
            assert row is not None
            assert row["outcome"] == ("earned" if event.came_true else "lost")
            sold = read_row(stage.session.journal, "decisions", event.exit_decision_id)
            assert sold is not None
            assert sold["outcome"] is None

    tell(tmp_path, in_and_out, judge)


def test_the_agent_is_shown_why_it_bought_and_what_it_holds(tmp_path: Path) -> None:
    """The reason of an entry is carried to its exit."""

    def script(request: ModelRequest[Any]) -> dict[str, Any]:
        shown = json.loads(request.messages[1].content.removeprefix("<data>").removesuffix("</data>"))
        own = shown["position"]
        if own["held"] == "0":
            return decision("buy", reasoning="because the wind turned")
        assert own["thesis"] == "because the wind turned"
        assert own["average_price"] is not None
        assert own["opened_at"] is not None
        return decision("sell")

    async def judge(stage: Stage) -> None:
        assert len(stage.events(ev.OutcomeResolved)) > 2
        assert all("failed" not in event.reasoning for event in stage.events(ev.DecisionConcluded))

    tell(tmp_path, script, judge)
