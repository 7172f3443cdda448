"""The time of a decision: monotonic while the process lives, by the wall's clock for the process that follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import anyio
import anyio.lowlevel
import pytest

from tests.ledger.desk import Desk
from tradecore import failpoints
from tradecore.cycle.deciding import Decider
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.universe import Universe
from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.values import Bar
from tradecore.ports.agent import Briefing, Note


class Died(BaseException):
    """The process is gone."""


class Patient:
    """An agent that notes how long it is given, and thinks for a moment."""

    name = "patient"
    lookback_bars = 1

    def __init__(self, desk: Desk) -> None:
        self.given: list[float] = []
        self._desk = desk

    async def judge(self, briefing: Briefing) -> Judgement:
        self.given.append(briefing.deadline - self._desk.clock.monotonic())
        await anyio.lowlevel.checkpoint()
        return Judgement(Stance.HOLD, "it waits", Decimal("0.9"))


class Silent:
    """Nobody knows anything."""

    def figures(self, symbol: str, as_of: dt.datetime) -> Mapping[str, Mapping[str, Decimal]]:
        return {}

    def notes(self, symbol: str, as_of: dt.datetime) -> tuple[Note, ...]:
        return ()


@pytest.mark.parametrize(("away_s", "left_s", "stance"), [(20, 10, Stance.HOLD), (31, 0, Stance.ABSTAIN)])
def test_a_restart_does_not_give_a_decision_its_time_again(away_s: int, left_s: int, stance: Stance) -> None:
    desk = Desk.in_memory()
    desk.pin()
    agent, rules = Patient(desk), CycleRules(decide_s=30)
    universe = Universe(("SPY",), lambda _: None)
    decider = Decider(desk.ledger, agent, universe, Silent(), desk.clock, desk.ids, "main", rules, "run")
    price = Decimal(100)
    bars = (Bar("SPY", desk.clock.now() - dt.timedelta(minutes=1), price, price, price, price, Decimal(1)),)

    def die(name: str) -> None:
        if name == "decision.requested":
            raise Died

    failpoints.watch(die)
    try:
        with pytest.raises(Died):
            anyio.run(decider.decide, "SPY", bars, "cycle")
    finally:
        failpoints.watch(None)
    desk.clock.at += dt.timedelta(seconds=away_s)
    state = anyio.run(decider.decide, "SPY", bars, "cycle")
    assert state is not None
    assert state.concluded is not None
    assert state.concluded.stance is stance
    assert agent.given == [left_s]


class HeldUp:
    """An agent whose process is stopped in the middle of its question: the answer is there when it goes on."""

    name = "held up"
    lookback_bars = 1

    def __init__(self, desk: Desk, away_s: float) -> None:
        self._desk = desk
        self._away_s = away_s

    async def judge(self, briefing: Briefing) -> Judgement:
        self._desk.clock.at += dt.timedelta(seconds=self._away_s)
        return Judgement(Stance.BUY, "it goes up", Decimal("0.9"), Decimal("0.01"), cost=Decimal("0.5"))


@pytest.mark.parametrize(("away_s", "stance"), [(30, Stance.BUY), (31, Stance.ABSTAIN)])
def test_an_answer_that_waited_longer_than_the_decision_had_is_none(away_s: float, stance: Stance) -> None:
    """A process that was held up finds answer and timer at once, and took the answer."""
    desk = Desk.in_memory()
    desk.pin()
    universe = Universe(("SPY",), lambda _: None)
    rules, agent = CycleRules(decide_s=30), HeldUp(desk, away_s)
    decider = Decider(desk.ledger, agent, universe, Silent(), desk.clock, desk.ids, "main", rules, "run")
    price = Decimal(100)
    bars = (Bar("SPY", desk.clock.now() - dt.timedelta(minutes=1), price, price, price, price, Decimal(1)),)
    state = anyio.run(decider.decide, "SPY", bars, "cycle")
    assert state is not None
    assert state.concluded is not None
    assert (state.concluded.stance, state.concluded.cost) == (stance, Decimal("0.5"))
