"""Cycles: every step on record, one at a time, and each failure with its own end."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.cycle.scene import Stage, decision, staged
from tests.cycle.test_path import in_and_out
from tradecore import approvals
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.cycle import cycle_id_of
from tradecore.domain.exit_plan import ExitRule
from tradecore.domain.judgement import CycleMode, CycleStep, Judgement, Stance, StepResult
from tradecore.domain.messages import Cause
from tradecore.domain.values import Bar, OrderStatus, TradingState
from tradecore.errors import BrokerUnreachable, GrantRefused
from tradecore.ports.market_data import DataConnected, MarketData
from tradecore.ports.model import ModelRequest

CAUSE = Cause("1" * 32, actor="tester")
Play = Callable[[Stage, dt.datetime], Awaitable[None]]


def play(folder: Path, act: Play, script: Any = in_and_out, **tables: Any) -> None:
    """One act on a market that has moved a minute."""

    async def run() -> None:
        async with staged(folder, script, **tables) as stage, stage.running() as now:
            await act(stage, now)

    anyio.run(run)


def steps(stage: Stage) -> list[tuple[CycleStep, StepResult]]:
    return [(event.step, event.result) for event in stage.events(ev.CycleStepped)]


def test_a_cycle_has_all_its_steps_in_order_and_is_done_once(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        assert not await stage.cycle.at(now)
        assert not await stage.cycle.at(now + dt.timedelta(seconds=59))
        assert [step for step, _ in steps(stage)] == list(CycleStep)
        (done,) = stage.events(ev.CycleCompleted)
        assert (done.result, done.decisions, done.orders) == (StepResult.OK, 2, 2)

    play(tmp_path, act)


def test_cycles_never_overlap_and_what_was_skipped_is_on_record(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        stage.models.held = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(stage.cycle.at, now)
            while not stage.models.asked:
                await anyio.lowlevel.checkpoint()
            assert not await stage.cycle.at(now + dt.timedelta(minutes=1))
            assert not await stage.cycle.at(now)
            stage.models.held.set()
        (started,) = stage.events(ev.CycleStarted)
        (skipped,) = stage.events(ev.CycleSkipped)
        assert skipped.running == started.cycle_id
        assert skipped.due_at == started.due_at + dt.timedelta(minutes=1)
        assert len(stage.events(ev.DecisionRequested)) == 2

    play(tmp_path, act)


@pytest.mark.parametrize("script", [lambda _: None, lambda _: {"action": "buy"}, lambda _: decision("abstain")])
def test_no_usable_answer_is_an_abstention_and_no_order(tmp_path: Path, script: Any) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        assert {event.stance for event in stage.events(ev.DecisionValidated)} == {Stance.ABSTAIN}
        assert (CycleStep.DECIDE, StepResult.PARTLY) in steps(stage)
        assert stage.events(ev.OrderPlanned) == []

    play(tmp_path, act, script)


def test_to_hold_is_a_judgement_and_no_order(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        assert {event.stance for event in stage.events(ev.DecisionValidated)} == {Stance.HOLD}
        assert {event.result for event in stage.events(ev.CycleCompleted)} == {StepResult.OK}
        assert stage.events(ev.OrderPlanned) == []

    play(tmp_path, act, lambda _: decision("hold"))


def test_an_agent_that_breaks_keeps_no_other_symbol_from_its_decision(tmp_path: Path) -> None:
    def script(request: ModelRequest[Any]) -> dict[str, Any]:
        if "AAA" in request.purpose:
            raise ZeroDivisionError
        return decision("buy")

    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        concluded = {event.symbol: event for event in stage.events(ev.DecisionConcluded)}
        assert concluded["AAA"].stance is Stance.ABSTAIN
        assert "ZeroDivisionError" in concluded["AAA"].reasoning
        assert [event.symbol for event in stage.events(ev.OrderPlanned)] == ["BBB"]

    play(tmp_path, act, script)


def test_an_agent_that_does_not_decide_in_time_abstains(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        stage.models.held = anyio.Event()
        assert await stage.cycle.at(now)
        assert all("within 0.05 s" in event.reasoning for event in stage.events(ev.DecisionConcluded))
        assert stage.events(ev.OrderPlanned) == []

    play(tmp_path, act, cycle={"decide_s": 0.05})


def halt(stage: Stage) -> None:
    command = cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "a test", "tester")
    stage.session.engine.ledger.handle(command, CAUSE)


def test_a_halted_account_asks_nobody(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        halt(stage)
        assert await stage.cycle.at(now)
        assert steps(stage)[0] == (CycleStep.CHECK, StepResult.PARTLY)
        assert stage.models.asked == []
        assert stage.events(ev.DecisionRequested) == []

    play(tmp_path, act)


BOUND = decision("buy", stop_price="341.5", target_price="346.5")
"""AAA opens at 342.83 and moves by less than a dollar a minute: one of the two is met sooner or later."""


ENGINE_KEEPS = {"break_even": "0.4"}
"""What no broker can keep, and what does not happen here."""


@pytest.mark.parametrize("keeper", ["broker", "engine"])
@pytest.mark.parametrize("is_halted", [False, True])
@pytest.mark.parametrize("mode", ["autonomous", "manual"])
def test_a_stop_or_target_waits_for_no_model_and_no_person(
    tmp_path: Path, mode: str, is_halted: bool, keeper: str
) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        ledger, clock = stage.session.engine.ledger, stage.session.clock
        for order in approvals.waiting(ledger, "main"):
            approvals.grant(ledger, order.order_id, "tester", "go", clock.now() + dt.timedelta(minutes=5), CAUSE)
        stage.session.engine.catch_up()
        await stage.session.engine.outbox.drain()
        await stage.minute()
        asked = len(stage.models.asked)
        if is_halted:
            halt(stage)
        for _ in range(25):  # no cycle runs any more
            await stage.minute()
        (armed,) = stage.events(ev.ExitsArmed)
        assert armed.keeper == keeper
        assert (armed.plan.stop_price, armed.plan.target_price) == (Decimal("341.5"), Decimal("346.5"))
        assert bool(stage.events(ev.ExitFired)) is (keeper == "engine")
        assert ledger.account("main").held("single", "AAA") == 0
        assert len(stage.models.asked) == asked
        await stage.cycle.finish()
        (outcome,) = stage.events(ev.OutcomeResolved)
        assert (outcome.symbol, outcome.exit_reason) == ("AAA", "stop_loss")
        assert outcome.exit_decision_id is None

    def script(request: ModelRequest[Any]) -> dict[str, Any]:
        return BOUND if "AAA" in request.purpose and '"held": "0"' in request.messages[1].content else decision("hold")

    play(tmp_path, act, script, cycle={"mode": mode}, **({"exits": ENGINE_KEEPS} if keeper == "engine" else {}))


@pytest.mark.parametrize("mode", ["autonomous", "manual"])
def test_what_an_agent_sells_is_withdrawn_from_the_broker_first(tmp_path: Path, mode: str) -> None:
    """The broker holds the units for the legs, and would refuse an order beside them."""

    async def act(stage: Stage, now: dt.datetime) -> None:
        ledger, clock = stage.session.engine.ledger, stage.session.clock
        for _ in range(2):
            assert await stage.cycle.at(now)
            for order in approvals.waiting(ledger, "main"):
                assert ledger.account("main").held("single", "AAA") == 0 or legs_work(stage)
                approvals.grant(ledger, order.order_id, "tester", "go", clock.now() + dt.timedelta(minutes=5), CAUSE)
            stage.session.engine.catch_up()
            await stage.session.engine.outbox.drain()
            now = await stage.minute()
        for _ in range(5):
            await stage.minute()
        assert ledger.account("main").held("single", "AAA") == 0
        legs = [event.order_id for event in stage.events(ev.OrderPlanned) if event.leg is not None]
        assert len(legs) == 2
        canceled = {event.order_id for event in stage.events(ev.OrderCanceled)}
        assert canceled >= set(legs)
        (fired,) = stage.events(ev.ExitFired)
        assert fired.rule is ExitRule.DECISION
        await stage.cycle.finish()
        (outcome,) = stage.events(ev.OutcomeResolved)
        asked = {request.decision_id for request in stage.models.asked}
        assert outcome.exit_decision_id in asked - {outcome.decision_id}
        assert outcome.exit_reason == "decision"

    def script(request: ModelRequest[Any]) -> dict[str, Any]:
        if "AAA" not in request.purpose:
            return decision("hold")
        is_flat = '"held": "0"' in request.messages[1].content
        return decision("buy", stop_price="300", target_price="400") if is_flat else decision("sell")

    play(tmp_path, act, script, cycle={"mode": mode})


def legs_work(stage: Stage) -> bool:
    """Whether what protects a position is still there."""
    orders = [stage.session.engine.ledger.order(event.order_id) for event in stage.events(ev.OrderPlanned)]
    legs = [order for order in orders if order is not None and order.leg is not None]
    return bool(legs) and not any(leg.status.is_terminal or leg.cancel_requested for leg in legs)


@pytest.mark.parametrize("limit", [None, "400"])
def test_an_agent_sells_short_where_it_may_and_the_limits_let_it(tmp_path: Path, limit: str | None) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        ledger = stage.session.engine.ledger
        held = []
        for _ in range(3):
            assert await stage.cycle.at(now)
            now = await stage.minute()
            held.append(ledger.account("main").held("single", "AAA"))
        if limit is not None:
            assert held == [0, 0, 0]
            assert {event.rule for event in stage.events(ev.DecisionRefused)} == {"max_order_notional"}
            return
        assert held[0] < 0
        assert held[1] == 2 * held[0], "it added to it"
        assert held[2] == 0
        await stage.cycle.finish()
        (outcome,) = stage.events(ev.OutcomeResolved)
        assert (outcome.symbol, outcome.stance) == ("AAA", Stance.SELL)

    def script(request: ModelRequest[Any]) -> dict[str, Any]:
        if "AAA" not in request.purpose:
            return decision("hold")
        asked.append(request)
        return decision("buy" if len(asked) == 3 else "sell", size="0.02")

    asked: list[ModelRequest[Any]] = []
    risk = {"defaults": "none"} | ({} if limit is None else {"max_order_notional": limit})
    play(tmp_path, act, script, cycle={"allow_short": True, "allow_adding": True}, risk=risk)


def test_paused_cycles_do_not_begin_until_they_are_resumed(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        ledger = stage.session.engine.ledger
        ledger.note(streams.cycles("main"), ev.CyclesPaused("main", "tester", "lunch"), CAUSE)
        assert not await stage.cycle.at(now)
        ledger.note(streams.cycles("main"), ev.CyclesResumed("main", "tester", "back"), CAUSE)
        assert await stage.cycle.at(now)

    play(tmp_path, act)


def test_outside_trading_hours_there_is_no_cycle(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        for closed in ("2024-01-02T14:29:00", "2024-01-02T21:00:00", "2024-01-01T16:00:00", "2024-01-06T16:00:00"):
            assert not await stage.cycle.at(dt.datetime.fromisoformat(closed).replace(tzinfo=dt.UTC))
        assert stage.events(ev.CycleStarted) == []

    play(tmp_path, act)


class Blackout:
    """Market data that cannot be read for a while."""

    def __init__(self, inner: MarketData) -> None:
        self.inner = inner
        self.is_dark = True

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        return self.inner.bars(symbols)

    async def history(self, symbols: Sequence[str], start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        if self.is_dark:
            raise BrokerUnreachable("no market data")
        return await self.inner.history(symbols, start, end)


def test_without_data_nothing_is_decided_and_the_next_cycle_is_as_good_as_any(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        memory = stage.cycle._memory
        memory._market_data = blackout = Blackout(memory._market_data)
        assert await stage.cycle.at(now)
        assert steps(stage)[-1] == (CycleStep.DATA, StepResult.FAILED)
        assert stage.models.asked == []
        blackout.is_dark = False
        assert await stage.cycle.at(await stage.minute())
        assert [event.result for event in stage.events(ev.CycleCompleted)] == [StepResult.FAILED, StepResult.OK]

    play(tmp_path, act)


def test_stale_bars_are_no_bars(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now + dt.timedelta(minutes=5))
        assert steps(stage)[-1] == (CycleStep.DATA, StepResult.FAILED)
        assert stage.models.asked == []

    play(tmp_path, act)


def test_in_manual_mode_every_order_waits_for_a_person_across_a_restart(tmp_path: Path) -> None:
    manual = {"cycle": {"mode": "manual"}}

    async def decide(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        waiting = approvals.waiting(stage.session.engine.ledger, "main")
        assert [order.symbol for order in waiting] == ["AAA", "BBB"]
        assert all(order.status is OrderStatus.PLANNED for order in waiting)
        assert "2 of them wait for a person" in stage.events(ev.CycleStepped)[3].detail

    async def answer(stage: Stage, now: dt.datetime) -> None:
        ledger, clock = stage.session.engine.ledger, stage.session.clock
        first, second = approvals.waiting(ledger, "main")
        assert await stage.cycle.at(now)
        assert len(approvals.waiting(ledger, "main")) == 2, "who waits already is not asked for again"
        approvals.grant(ledger, first.order_id, "tester", "fine", clock.now() + dt.timedelta(minutes=5), CAUSE)
        approvals.refuse(ledger, second.order_id, "tester", "no", CAUSE)
        stage.session.engine.catch_up()
        await stage.session.engine.outbox.drain()
        sent = ledger.order(first.order_id)
        assert sent is not None
        assert sent.broker_order_id is not None
        with pytest.raises(GrantRefused):
            approvals.grant(ledger, second.order_id, "tester", "yes", clock.now() + dt.timedelta(minutes=5), CAUSE)

    play(tmp_path, decide, **manual)
    play(tmp_path, answer, **manual)


@pytest.mark.parametrize(("confidence", "waits"), [("0.69", True), ("0.7", False)])
def test_in_semi_automatic_mode_low_confidence_waits_for_a_person(tmp_path: Path, confidence: str, waits: bool) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        assert bool(approvals.waiting(stage.session.engine.ledger, "main")) is waits

    play(tmp_path, act, lambda _: decision("buy", confidence), cycle={"mode": "semi_automatic"})


def test_the_floor_of_the_gate_holds_for_agents(tmp_path: Path) -> None:
    async def act(stage: Stage, now: dt.datetime) -> None:
        assert await stage.cycle.at(now)
        assert stage.events(ev.OrderPlanned) == []
        assert {event.rule for event in stage.events(ev.DecisionRefused)} == {"min_confidence"}

    play(tmp_path, act, lambda _: decision("buy", "0.5"), risk={"defaults": "none", "min_confidence": "0.6"})


def test_what_a_dead_process_left_in_an_earlier_cycle_is_never_executed(tmp_path: Path) -> None:
    """A decision that was made and not placed in its time is not placed later."""

    async def act(stage: Stage, now: dt.datetime) -> None:
        ledger = stage.session.engine.ledger
        due = now - dt.timedelta(minutes=3)
        cycle_id = cycle_id_of("main", "single", due)
        ledger.handle(cmd.StartCycle(cycle_id, "main", "single", CycleMode.AUTONOMOUS, due, ("AAA",)), CAUSE)
        decision_id = "0b9c3f57-3f6e-5d4c-9f39-6a3d3f1f6a01"
        asked = cmd.RequestDecision(decision_id, "single", "main", "AAA", cycle_id, due, now, {}, (), ())
        made = Judgement(Stance.BUY, "long ago", Decimal("0.9"), Decimal("0.05"))
        kept = cmd.ValidateDecision(decision_id, Stance.BUY, "", Decimal("0.9"), None, Decimal(5), Decimal(300), None)
        for command in (asked, cmd.ConcludeDecision(decision_id, made), kept):
            ledger.handle(command, CAUSE)
        assert await stage.cycle.at(now)
        (failed,) = stage.events(ev.CycleFailed)
        assert failed.cycle_id == cycle_id
        assert [event.decision_id for event in stage.events(ev.DecisionLapsed)] == [decision_id]
        assert decision_id not in {event.decision_id for event in stage.events(ev.DecisionExecuted)}
        assert len(stage.events(ev.DecisionExecuted)) == 2

    play(tmp_path, act)
