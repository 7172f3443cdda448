"""Edges of stopping: what each state lets through, what changes nothing, and which field of a wrong word is named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.test_corners import DONE, REQUEST, START, folded
from tests.risk.test_triggers import rule
from tradecore.domain import approval, kill, switch
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.limits import Limits, Step, check_limits
from tradecore.domain.switch import why_not_sent
from tradecore.domain.triggers import Rule, Trigger, Vigilance
from tradecore.domain.values import Purpose, TradingState
from tradecore.errors import InputError, ResumeRefused

D = Decimal
ACTIVE, REDUCE_ONLY, HALTED = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED


# --- what each state lets through -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "qty", "purpose", "reduce_only", "halted"),
    [
        ("sell", "4", Purpose.TRADE, True, False),
        ("sell", "10", Purpose.TRADE, True, False),
        ("sell", "10.000000001", Purpose.TRADE, False, False),
        ("buy", "1", Purpose.TRADE, False, False),
        ("sell", "10", Purpose.CLOSE, True, True),
        ("sell", "10", Purpose.PROTECT, True, True),
        ("sell", "10.000000001", Purpose.CLOSE, False, False),
        ("buy", "1", Purpose.PROTECT, False, False),
    ],
)
def test_what_may_be_sent_while_trading_is_stopped(
    side: str, qty: str, purpose: Purpose, reduce_only: bool, halted: bool
) -> None:
    """10 are held."""
    desk = Desk.in_memory()
    desk.done("buy", "10", "5")
    order = desk.order(desk.place(side, qty, purpose=purpose))
    for state, passes in ((ACTIVE, True), (REDUCE_ONLY, reduce_only), (HALTED, halted)):
        account = attrs.evolve(desk.account, trading_state=state)
        assert (why_not_sent(account, order) is None) is passes, state


def test_it_says_whether_an_alert_or_a_stop_is_why() -> None:
    desk = Desk.in_memory()
    order = desk.order(desk.place("buy", "1"))
    stopped = why_not_sent(attrs.evolve(desk.account, trading_state=REDUCE_ONLY), order)
    unread = why_not_sent(attrs.evolve(desk.account, unread={7: ("x", "y")}), order)
    assert stopped == "trading is stopped: the account is reduce_only"
    assert unread == f"{stopped}, until its critical alerts are acknowledged"


# --- the switch -----------------------------------------------------------------------------------------------------


def account(**known: Any) -> AccountState:
    return attrs.evolve(AccountState("main"), **known)


def activate(**changes: Any) -> cmd.ActivateKillSwitch:
    told = cmd.ActivateKillSwitch("main", REDUCE_ONLY, "disk_low", "as seen", "watch", D(900))
    return attrs.evolve(told, **changes)


def test_what_says_nothing_new_is_an_empty_answer() -> None:
    stopped = account(trading_state=HALTED, stopped_by={"disk_low": D(900)})
    quiet = account(quiet={"disk_low": NOON + dt.timedelta(seconds=1)})
    assert switch.decide(account(alerts_upto=7), cmd.RaiseAlert("main", 7, "x", "y"), NOON) == []
    assert switch.decide(stopped, activate(), NOON) == []
    assert switch.decide(quiet, activate(), NOON) == []


def test_quiet_is_for_what_springs_by_itself_however_short_and_never_for_a_person() -> None:
    quiet = account(quiet={"disk_low": NOON + dt.timedelta(seconds=1)})
    assert switch.decide(quiet, activate(cooldown_s=D("0.5")), NOON) == []
    assert len(switch.decide(quiet, activate(cooldown_s=D(0)), NOON)) == 1
    assert len(switch.decide(quiet, activate(), NOON + dt.timedelta(seconds=1))) == 1


def test_trading_that_goes_on_cannot_be_asked_to() -> None:
    with pytest.raises(ResumeRefused, match="not stopped"):
        switch.decide(account(), cmd.RequestClear("main", "somebody", "why not"), NOON)
    with pytest.raises(ResumeRefused, match="not stopped"):
        switch.decide(account(), cmd.ClearKillSwitch("main", "somebody", "why not", is_reconciled=True), NOON)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (activate(state=ACTIVE), "state"),
        (cmd.AcknowledgeAlert("main", "somebody", "read", 3), "alert"),
        (cmd.AcknowledgeAlert("main", "somebody", " "), "reason"),
    ],
)
def test_the_field_of_a_wrong_word_is_named(command: switch.SwitchCommand, field: str) -> None:
    with pytest.raises(InputError) as raised:
        switch.decide(account(), command, NOON)
    assert raised.value.field == field


# --- the kill -------------------------------------------------------------------------------------------------------


def test_a_kill_that_is_done_can_be_asked_for_again() -> None:
    _, told = folded(REQUEST, START, DONE, REQUEST, START)
    assert told[-2:] == [ev.KillRequested("main", False, "a drill"), ev.KillSubmitted("main", 2, "lease")]


def test_what_a_kill_does_not_wait_for_is_an_empty_answer() -> None:
    done, _ = folded(REQUEST, START, DONE)
    open_, _ = folded(REQUEST)
    for state, command in ((None, START), (None, DONE), (done, START), (done, DONE), (open_, DONE), (open_, REQUEST)):
        assert kill.decide(state, command) == []


# --- approvals ------------------------------------------------------------------------------------------------------


def test_time_that_is_not_over_and_orders_that_do_not_wait_expire_nothing() -> None:
    desk = Desk.in_memory()
    free = desk.order(desk.place("buy", "1"))
    desk.limits(approve_all=True)
    waiting = desk.order(desk.place("buy", "1"))
    assert approval.decide(free, cmd.ExpireApproval(free.order_id), NOON) == []
    assert approval.decide(waiting, cmd.ExpireApproval(waiting.order_id), NOON + dt.timedelta(seconds=899)) == []
    assert len(approval.decide(waiting, cmd.ExpireApproval(waiting.order_id), NOON + dt.timedelta(seconds=900))) == 2
    with pytest.raises(InputError) as raised:
        approval.decide(waiting, cmd.RefuseApproval(waiting.order_id, "somebody", " "), NOON)
    assert raised.value.field == "reason"


# --- rules and limits that can be meant ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["at", "window_s", "cooldown_s"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_a_rule_needs_figures_above_zero(field: str, value: str) -> None:
    told: dict[str, Any] = {"at": D(1), field: D(value)}
    wrong = Rule(Trigger.DRAWDOWN, **told)
    with pytest.raises(InputError) as raised:
        Vigilance((wrong,))
    assert raised.value.field == f"triggers.drawdown.{field}"


def test_two_rules_of_one_trigger_are_refused_by_name() -> None:
    with pytest.raises(InputError) as raised:
        Vigilance((rule(Trigger.DRAWDOWN, "1"), rule(Trigger.DRAWDOWN, "2")))
    assert raised.value.field == "triggers"


def test_the_ends_of_what_a_limit_may_be_may_be_meant() -> None:
    steps = (Step(D(0), D(1)), Step(D(1), D(0)))
    check_limits(Limits(loss_steps=steps, volatility_steps=steps))
    check_limits(Limits(approval_s=D("0.5"), price_collar=D(1), min_confidence=D(1), extended_hours_factor=D(1)))
    check_limits(Limits(max_open_orders=0, max_daily_loss=D(0), must_be_tradable=True))


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(approval_s=D(0)), "approval_s"),
        (Limits(price_collar=D("1.01")), "price_collar"),
        (Limits(max_open_orders=-1), "max_open_orders"),
        (Limits(loss_steps=(Step(D(0), D("1.01")),)), "loss_steps"),
        (Limits(volatility_steps=(Step(D("-0.1"), D(1)),)), "volatility_steps"),
        (Limits(loss_steps=(Step(D(1), D(1)), Step(D(1), D(0)))), "loss_steps"),
    ],
)
def test_just_behind_them_it_is_refused_by_name(limits: Limits, field: str) -> None:
    with pytest.raises(InputError) as raised:
        check_limits(limits)
    assert raised.value.field == field
