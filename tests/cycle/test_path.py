"""The whole path: a cycle asks an agent, its decision is filled on the exchange, and what became of it is on record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio

from tests.cycle.scene import Stage, decision, staged
from tradecore.domain import events as ev
from tradecore.domain.judgement import Stance, StepResult
from tradecore.ports.model import ModelRequest


def in_and_out(request: ModelRequest[Any]) -> dict[str, Any]:
    """Buys what it does not hold, and sells it at the next look."""
    holds = '"held": "0"' not in request.messages[1].content
    return decision("sell" if holds else "buy")


def test_a_cycle_ends_in_fills_and_outcomes(tmp_path: Path) -> None:
    async def play() -> None:
        async with staged(tmp_path, in_and_out) as stage:
            await stage.play()
            check(stage)

    anyio.run(play)


def check(stage: Stage) -> None:
    outcomes = stage.events(ev.OutcomeResolved)
    assert len(outcomes) > 5
    executed = {event.decision_id for event in stage.events(ev.DecisionExecuted)}
    validated = {event.decision_id: event for event in stage.events(ev.DecisionValidated)}
    for outcome in outcomes:
        assert outcome.decision_id in executed
        assert validated[outcome.decision_id].stance is Stance.BUY
        assert validated[outcome.exit_decision_id].stance is Stance.SELL
        assert outcome.stated == Decimal("0.8")
        assert outcome.model == "local/scripted"
        assert sum(share.pnl for share in outcome.shares) == outcome.realised_pnl
        assert outcome.max_gain is not None
        assert outcome.max_drawdown is not None
    total = sum(event.realised_pnl for event in stage.events(ev.TradeClosed))
    assert sum(outcome.realised_pnl for outcome in outcomes) == total
    cycles = stage.events(ev.CycleCompleted)
    assert len(cycles) == len({event.cycle_id for event in cycles}) == len(stage.events(ev.CycleStarted))
    assert {event.result for event in cycles} == {StepResult.OK}
