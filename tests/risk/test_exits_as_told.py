"""What of exits is told outside: names that stay, settings that are refused, and what nothing is said of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.ledger.desk import Desk
from tests.risk.test_edges_of_leaving import armed
from tests.risk.test_exits import LONG, Market, plan, seen
from tests.risk.test_triggers import guarded, rule
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain import exits
from tradecore.domain.events import ExitFired, ExitRaised, ExitsArmed
from tradecore.domain.exit_plan import ExitRule, Keeper, Rung
from tradecore.domain.exits import next_exit
from tradecore.domain.triggers import Trigger, Vigilance
from tradecore.domain.values import TradingState
from tradecore.settings_exits import ExitSettings, RungSettings
from tradecore.watch import Watch

D = Decimal


@pytest.mark.parametrize("name", ["stop_loss", "trail", "break_even", "take_profit", "max_holding", "decision"])
def test_names_in_the_ledger_stay_what_they_are(name: str) -> None:
    desk = Desk.in_memory()
    order = desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    desk.give(cmd.FireExit(desk.order(order).trade_id, ExitRule(name), D(10), "seen", 0))
    assert [event.rule.value for event in found(desk, ExitFired)] == [name]
    assert [event.keeper.value for event in found(desk, ExitsArmed)] == ["engine"]
    assert Keeper.BROKER.value == "broker"


def test_no_rung_was_left_by_before_the_first_and_none_by_a_stop() -> None:
    state = exits.evolve(None, armed("o"))
    assert (state.rungs, state.last_rung) == (0, 0)
    stopped = next_exit(state, LONG, bar := seen("98", "99"), bar.until)
    assert isinstance(stopped, cmd.FireExit)
    assert stopped.rung == 0


def test_nothing_is_raised_or_taken_over_of_what_is_not_held() -> None:
    desk = Desk.in_memory()
    order = desk.live("buy", "10", exits=plan(trail="0.05"))
    trade_id = desk.order(order).trade_id
    assert desk.give(cmd.RaiseExit(trade_id, ExitRule.TRAIL, D(99), D(104))) == ()
    assert desk.give(cmd.TakeOverExits(trade_id, "no legs")) == ()
    assert desk.give(cmd.RaiseExit("no such trade", ExitRule.TRAIL, D(99), D(104))) == ()


def test_a_stop_follows_the_market_while_a_rung_is_being_left() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(ladder=(Rung(D("0.05"), D("0.5")),), trail="0.05"))
    market.bar("100", "105")
    market.stage.works(market.closes()[0])
    market.bar("105", "110")
    assert [event.level for event in found(desk, ExitRaised)] == [D("104.50")]
    assert len(found(desk, ExitFired)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"stop_los": 0.02},
        {"ladder": [{"gain": 0.05, "share": 0.5, "price": 100}]},
        {"ladder": [{"gain": 0, "share": 0.5}]},
        {"ladder": [{"gain": 0.05, "share": 0}]},
        {"ladder": [{"gain": 0.05, "share": 1.000000001}]},
        {"ladder": [{"gain": 0.05}]},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"stop_loss": 0.02, "ladder": [{"gain": 0.05, "share": 1}]}
    assert ExitSettings.model_validate(right).plan() is not None
    with pytest.raises(ValidationError):
        ExitSettings.model_validate(wrong)


def test_settings_do_not_change_while_they_are_used() -> None:
    settings: Any = ExitSettings(stop_loss=D("0.02"), ladder=(RungSettings(gain=D(1), share=D(1)),))
    with pytest.raises(ValidationError, match="frozen"):
        settings.stop_loss = D("0.5")
    with pytest.raises(ValidationError, match="frozen"):
        settings.ladder[0].share = D("0.5")


def test_the_arming_of_the_trail_has_a_standard() -> None:
    assert ExitSettings(trail=D("0.1")).plan() == plan(trail="0.1", trail_arm="0.05")


def test_who_cannot_tell_has_no_unknown_orders() -> None:
    watched = guarded()
    vigilance = Vigilance((rule(Trigger.UNKNOWN_ORDERS, "1"),))
    watched.watch = Watch(watched.desk.ledger, watched.desk.clock, watched.desk.ids, "main", vigilance)
    assert watched.look() is TradingState.ACTIVE
