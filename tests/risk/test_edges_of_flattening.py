"""Edges of flattening, of builds, and of the settings: what a saga commands to the letter, and what a file may say."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.review.scripted import Office
from tests.risk.test_builds import started
from tests.sagas.stage import SAGA, Stage
from tradecore.builds import limits_hash, refuse_mixed
from tradecore.domain import commands as cmd
from tradecore.domain.commands import ClosePosition, RequestKill
from tradecore.domain.identity import derived_id
from tradecore.domain.limits import STANDARD, Limits, ScopeLimits, Step
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import SagaStatus, TradingState
from tradecore.errors import ConfigurationError, InputError, MixedBuilds
from tradecore.sagas.conductor import Conductor
from tradecore.sagas.contract import Move
from tradecore.sagas.flatten import Flatten
from tradecore.settings import load_settings
from tradecore.settings_risk import RiskSettings
from tradecore.settings_triggers import TriggersSettings

D = Decimal


def moved(stage: Stage, seconds: float = 0) -> Move | None:
    """What the saga would do, were its manager to look."""
    return Flatten().next_move(stage.saga, stage.desk.ledger, stage.desk.clock.now() + dt.timedelta(seconds=seconds))


def begun(*held: tuple[str, str, str, str], before: tuple[tuple[str, str, str], ...] = ()) -> Stage:
    """An account that holds this (strategy, side, quantity, symbol), with a flattening that nobody looked at yet."""
    desk = Desk.in_memory()
    desk.pin(positions=before)
    stage = Stage(desk, Conductor(desk.ledger, desk.clock, desk.ids, "main"))
    for strategy, side, quantity, symbol in held:
        stage.desk.done(side, quantity, "5", symbol, strategy=strategy)
    deadline = stage.desk.clock.now() + dt.timedelta(seconds=300)
    stage.desk.give(cmd.StartSaga(SAGA, "flatten", "main", {"reason": "a drill"}, deadline))
    stage.conductor.observe(stage.desk.ledger.journal.read(0, 10_000))
    return stage


def test_it_needs_a_reason() -> None:
    Flatten().check({"reason": "a drill"})
    with pytest.raises(InputError, match="reason"):
        Flatten().check({})


def test_what_is_held_is_closed_strategy_by_strategy_to_the_letter() -> None:
    stage = begun(("fast", "buy", "10", "SPY"), ("slow", "buy", "5", "SPY"), ("slow", "sell", "2", "QQQ"))
    move = moved(stage)
    assert move is not None
    assert (move.step, move.notes) == ("closing", {"turn": "1"})
    assert move.commands == tuple(
        ClosePosition(
            order_id=derived_id("saga", SAGA, f"flatten 1 {strategy} {symbol}"),
            account="main",
            symbol=symbol,
            not_after=stage.saga.deadline,
            strategy=strategy,
            reason="a drill",
        )
        for symbol, strategy in (("QQQ", "slow"), ("SPY", "fast"), ("SPY", "slow"))
    )


def test_strategies_that_cancel_each_other_out_hold_nothing_to_be_closed() -> None:
    move = moved(begun(("fast", "buy", "10", "SPY"), ("slow", "sell", "10", "SPY"), ("slow", "buy", "1", "QQQ")))
    assert move is not None
    assert [(one.symbol, one.strategy) for one in move.commands if isinstance(one, ClosePosition)] == [("QQQ", "slow")]


def test_what_a_person_holds_is_closed_once() -> None:
    """5 were there before the ledger and are in nobody's name; they are closed by hand when the 3 are gone."""
    move = moved(begun(("manual", "buy", "3", "SPY"), before=(("SPY", "5", "5"),)))
    assert move is not None
    assert [one.strategy for one in move.commands if isinstance(one, ClosePosition)] == ["manual"]


def test_an_order_of_another_kind_that_works_is_not_waited_for() -> None:
    stage = begun(("fast", "buy", "10", "SPY"))
    stage.desk.live("sell", "1", limit="9", strategy="fast")
    move = moved(stage)
    assert move is not None
    assert move.step == "closing"


def test_the_broker_is_asked_whether_nothing_is_held_and_once() -> None:
    stage = begun()
    asked = moved(stage)
    assert asked == Move("verifying", commands=(RequestKill("main", "a drill", flat=True),))
    stage.look()
    assert stage.saga.step == "verifying"
    assert moved(stage) is None, "it was asked"
    stage.desk.give(RequestKill("main", "somebody else", flat=False))
    again = moved(stage)
    assert again == Move("verifying", reason="asked again", commands=(RequestKill("main", "a drill", flat=True),))
    late = moved(stage, 300)
    assert late is not None
    assert (late.step, late.status) == ("manual", SagaStatus.MANUAL)
    assert late.commands == (RequestKill("main", "a drill", flat=False),)


def test_nothing_is_closed_anew_when_the_time_is_over() -> None:
    late = moved(begun(("fast", "buy", "10", "SPY")), 300)
    assert late is not None
    assert (late.status, late.reason) == (SagaStatus.MANUAL, "still held: SPY")


# --- builds ---------------------------------------------------------------------------------------------------------


def test_a_runner_that_shares_does_not_hide_another_build_behind_itself() -> None:
    office = Office.open()
    started(office, "first", "aaaa")
    started(office, "second", "bbbb")
    with pytest.raises(MixedBuilds, match="first works on this ledger with build aaaa"):
        refuse_mixed(office.desk.ledger, "bbbb", alone=False)
    started(office, "third", "bbbb", alone=True)
    refuse_mixed(office.desk.ledger, "bbbb", alone=False)


def test_hashes_of_limits_are_short_and_of_what_they_say() -> None:
    assert len(limits_hash(Limits())) == 16
    assert limits_hash(Limits(version=7)) == limits_hash(Limits())
    assert limits_hash(Limits(max_open_orders=0)) != limits_hash(Limits())


# --- settings -------------------------------------------------------------------------------------------------------


def test_where_nothing_is_said_the_standard_holds_and_a_replayed_market_has_no_day_to_lose() -> None:
    assert RiskSettings().limits() == STANDARD
    assert RiskSettings().limits().max_daily_loss_share == D("0.05")
    assert RiskSettings().limits(of_a_day=False).max_daily_loss_share is None
    assert RiskSettings.model_validate({"defaults": "none"}).limits() == Limits()


def test_tables_become_what_the_gate_reads() -> None:
    told: dict[str, Any] = {"defaults": "none"}
    told |= {name: [{"at": 0.01, "factor": 0.5}] for name in ("volatility_steps", "loss_steps")}
    told |= {name: {"x": {"max_order_qty": "5"}} for name in ("per_symbol", "per_strategy", "per_agent")}
    limits = RiskSettings.model_validate(told).limits()
    scope = {"x": ScopeLimits(max_order_qty=D(5))}
    assert (limits.per_symbol, limits.per_strategy, limits.per_agent) == (scope, scope, scope)
    assert all(isinstance(one, ScopeLimits) for one in (limits.per_symbol["x"], limits.per_agent["x"]))
    step = Step(D("0.01"), D("0.5"))
    assert (limits.volatility_steps, limits.loss_steps) == ((step,), (step,))
    Desk.in_memory().limits(per_symbol=limits.per_symbol, loss_steps=limits.loss_steps)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"risk": {"loss_steps": [{"at": 1, "factor": 1}, {"at": 1, "factor": 0}]}}, "must be larger"),
        ({"risk": {"symbols": ["S P Y"]}}, "risk"),
        ({"triggers": {"drawdown": True}}, r"triggers\.drawdown"),
    ],
)
def test_what_cannot_be_meant_is_refused(table: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        load_settings(None, table)


def test_a_state_in_a_file_is_the_state_that_is_recorded() -> None:
    told = TriggersSettings.model_validate({"drawdown": {"at": "0.1", "state": "halted"}, "volatility": 0.2})
    rules = {one.trigger: one for one in told.vigilance(is_replayed=True).rules}
    assert rules[Trigger.DRAWDOWN].state is TradingState.HALTED
    assert rules[Trigger.VOLATILITY].at == D("0.2")
