"""Edges of what is watched for: what does not count, what is forgotten, what is unknown, and whose it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.asks import ask, judge, limits, standing
from tests.risk.test_switch import reconciled, resume, stop
from tests.risk.test_triggers import Guarded, bar, guarded, parked, rejected, repeated, rule, stop_of, trade
from tests.risk.test_wired import found
from tradecore import approvals
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.events import KillSwitchActivated
from tradecore.domain.limits import Action
from tradecore.domain.messages import Cause
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import Bar, OrderStatus, Side, TradingState
from tradecore.errors import ResumeRefused
from tradecore.gating import Gated, warning
from tradecore.tally import Tally

D = Decimal
SEEN = Bar("SPY", NOON, D(100), D(100), D(100), D(100), D(1))
REDUCE_ONLY, ACTIVE = TradingState.REDUCE_ONLY, TradingState.ACTIVE


def figures(watched: Guarded) -> Mapping[Trigger, Decimal]:
    """Every figure that the watch has now."""
    watched.look()
    return {sign.trigger: sign.figure for sign in watched.watch._tally.signs(watched.desk.clock.now_ns())}


# --- money ----------------------------------------------------------------------------------------------------------


def test_a_day_that_began_unpriced_still_has_its_best() -> None:
    """The day's beginning is not known, the best equity is: one of two signs is enough."""
    watched = guarded(rule(Trigger.DAY_LOSS, "0.05"), rule(Trigger.DRAWDOWN, "0.05"))
    desk = watched.desk
    desk.done("buy", "100", "100")
    desk.mark(SPY="100.01")
    desk.clock.at += dt.timedelta(days=1)
    desk.give(cmd.BookActivity("main", "split", "split", "SPY", D(0), D(100), desk.clock.now(), "{}"))
    desk.place("buy", "1", "QQQ")
    assert desk.account.tempo.start is None
    assert watched.look() is ACTIVE, "an equity that is not known is no loss"
    desk.mark(SPY="20")
    assert watched.look() is REDUCE_ONLY
    assert stop_of(watched).trigger == "drawdown"


@pytest.mark.parametrize(("cash", "state"), [("0", ACTIVE), ("0.5", REDUCE_ONLY)])
def test_a_small_account_can_lose_its_share_and_an_empty_one_has_nothing_to_lose(
    cash: str, state: TradingState
) -> None:
    desk = Desk.in_memory()
    desk.pin(cash)
    watched = Guarded.over(desk, rule(Trigger.DAY_LOSS, "0.05"))
    desk.place("buy", "1")
    assert watched.look() is ACTIVE
    desk.give(cmd.BookActivity("main", "fee", "fee", None, D("-0.025"), D(0), NOON, "{}"))
    assert watched.look() is state


# --- markets and clocks ---------------------------------------------------------------------------------------------


def test_the_market_that_swings_most_counts_and_one_of_no_known_swing_does_not() -> None:
    watched = guarded(rule(Trigger.VOLATILITY, "0.1"))
    bar(watched)
    assert watched.look() is ACTIVE
    for symbol, swing in (("AAA", "0.2"), ("BBB", "0.05")):
        watched.watch.see(attrs.evolve(SEEN, symbol=symbol), D(swing))
    assert watched.look() is REDUCE_ONLY
    assert stop_of(watched).evidence == "AAA swings by 0.2 of its price a bar"


def test_silence_counts_only_while_the_market_is_open() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "900"))
    bar(watched)
    watched.wait(12 * 3600)
    assert watched.look() is ACTIVE


def test_time_that_passes_is_no_jump_and_a_day_apart_is_another_clock() -> None:
    watched = guarded(rule(Trigger.CLOCK_JUMP, "2"))
    watched.look()
    watched.wait(100)
    assert watched.look() is ACTIVE
    watched.watch.compare_clocks(watched.desk.clock.now() + dt.timedelta(days=1))
    assert watched.look() is ACTIVE
    watched.watch.compare_clocks(watched.desk.clock.now() + dt.timedelta(days=1, microseconds=-1))
    assert watched.look() is REDUCE_ONLY
    (actor,) = {
        item.envelope.actor
        for item in watched.desk.ledger.journal.read(0, 1000)
        if isinstance(item.event, KillSwitchActivated)
    }
    assert actor == "watch"


# --- what counts ----------------------------------------------------------------------------------------------------


def tallied(*rules: Any) -> Guarded:
    return guarded(*rules, rule(Trigger.UNKNOWN_ORDERS, "1000"))


def failed(watched: Guarded, work: str) -> None:
    watched.note(ev.ScheduledWorkFailed(work, watched.desk.clock.now(), D("0.1"), "no route"))


def test_errors_are_of_orders_reports_and_work() -> None:
    watched = tallied(rule(Trigger.ERROR_RATE, "1000"))
    order = watched.desk.place("buy", "1")
    watched.desk.send(order)
    watched.desk.give(cmd.RecordUnknown(order, "timeout"))
    assert figures(watched)[Trigger.ERROR_RATE] == 1
    parked(watched, 1)
    assert figures(watched)[Trigger.ERROR_RATE] == 2
    failed(watched, "assets")
    assert figures(watched)[Trigger.ERROR_RATE] == 3


def test_only_failing_to_read_the_broker_makes_it_unreachable() -> None:
    watched = tallied()
    failed(watched, "assets")
    assert Trigger.BROKER_UNREACHABLE not in figures(watched)
    failed(watched, "sync")
    watched.wait(7)
    assert figures(watched)[Trigger.BROKER_UNREACHABLE] == 7
    watched.note(ev.ScheduledWorkRecovered("assets", 1, NOON))
    assert figures(watched)[Trigger.BROKER_UNREACHABLE] == 7
    watched.note(ev.ScheduledWorkRecovered("sync", 1, NOON))
    assert Trigger.BROKER_UNREACHABLE not in figures(watched)


def test_orders_that_the_ledger_does_not_have_and_trades_of_others_do_not_count() -> None:
    watched = tallied(rule(Trigger.REJECT_RATE, "1", least=1), rule(Trigger.REPEATED_EXECUTION, "1000"))
    desk = watched.desk
    for side, price in (("buy", "100"), ("sell", "99")):
        desk.done(side, "1", price, account="other")
    told = desk.ledger.journal.read(0, 1)[0]
    strange: tuple[ev.Event, ...] = (
        ev.OrderSubmitted("of nobody", 1, "lease"),
        ev.OrderRejected("of nobody", "403", "no", "{}"),
        ev.TradeClosed("of nobody", D(-1), D(0), NOON, NOON, ""),
        ev.ReservationMade("main", "o", "t", "written by an early release", "SPY", Side.BUY, D(1), 1),
    )
    watched.watch.observe(tuple(msgspec.structs.replace(told, event=event) for event in strange))
    seen = figures(watched)
    assert seen[Trigger.CONSECUTIVE_LOSSES] == 0
    assert Trigger.REPEATED_EXECUTION not in seen
    assert Trigger.REJECT_RATE not in seen


def test_half_a_dollar_gained_ends_a_row_of_losses() -> None:
    watched = tallied(rule(Trigger.CONSECUTIVE_LOSSES, "3"))
    trade(watched, "-1", "-1", "0.5", "-1", "-1")
    assert watched.look() is ACTIVE
    trade(watched, "-0.5")
    assert watched.look() is REDUCE_ONLY
    assert stop_of(watched).evidence.endswith(": -0.5")
    assert "the last one is trade " in stop_of(watched).evidence


def test_windows_are_as_long_as_they_say() -> None:
    watched = tallied(
        rule(Trigger.REJECT_RATE, "1000", window_s=D(60), least=1),
        rule(Trigger.REPEATED_EXECUTION, "1000", window_s=D(60)),
        rule(Trigger.ERROR_RATE, "1000", window_s=D(60)),
    )
    rejected(watched, 1, taken=1)
    repeated(watched, 2)
    parked(watched, 1)
    watched.wait(59)
    before = figures(watched)
    assert (before[Trigger.REJECT_RATE], before[Trigger.ERROR_RATE]) == (D("0.5"), D(1))
    assert before[Trigger.REPEATED_EXECUTION] == 2
    watched.wait(1)
    after = figures(watched)
    assert after[Trigger.ERROR_RATE] == 0
    assert Trigger.REJECT_RATE not in after
    assert Trigger.REPEATED_EXECUTION not in after
    watched.desk.live("buy", "3")
    rejected(watched, 1)
    assert figures(watched)[Trigger.REJECT_RATE] == D("0.5"), "sends and rejections of before are gone"


def test_of_all_that_is_repeated_the_most_frequent_is_the_sign() -> None:
    watched = tallied(rule(Trigger.REPEATED_EXECUTION, "1000"))
    repeated(watched, 2)
    watched.look()
    signs = [one for one in watched.watch._tally.signs(watched.desk.clock.now_ns()) if "SPY" in one.evidence]
    assert [(one.trigger, one.figure) for one in signs] == [(Trigger.REPEATED_EXECUTION, D(2))]


@pytest.mark.parametrize(("account", "is_forgotten"), [("main", True), ("other", False)])
def test_what_a_person_looked_at_is_forgotten_for_that_account(account: str, is_forgotten: bool) -> None:
    watched = tallied(
        rule(Trigger.ERROR_RATE, "1000"),
        rule(Trigger.REPEATED_EXECUTION, "1000"),
        rule(Trigger.REJECT_RATE, "2", least=1),
    )
    rejected(watched, 1)
    parked(watched, 1)
    trade(watched, "-1")
    watched.note(ev.ReconciliationCompleted("main", "schedule", NOON, 0, 0, 1, 1), streams.reconciliation("main"))
    watched.note(ev.LedgerChecked(9, "a hole at 7"))
    before = figures(watched)
    watched.note(ev.KillSwitchCleared(account, "somebody", "seen", NOON), "account-of whom it was")
    after = figures(watched)
    if not is_forgotten:
        assert after == before
        return
    assert all(figure == 0 for figure in after.values())
    assert set(after) == {Trigger.CONSECUTIVE_LOSSES, Trigger.RECONCILE_MISMATCH, Trigger.ERROR_RATE}


def test_a_tally_without_rules_counts_what_needs_none() -> None:
    desk = Desk.in_memory()
    tally = Tally(desk.ledger, "main", {})
    assert {sign.trigger for sign in tally.signs(0)} == {Trigger.CONSECUTIVE_LOSSES, Trigger.RECONCILE_MISMATCH}


# --- letting go on, approvals, warnings -----------------------------------------------------------------------------


def test_trading_does_not_go_on_while_a_difference_is_open() -> None:
    desk = Desk.in_memory()
    desk.pin()
    stop(desk)
    desk.give(cmd.RequestClear("main", "somebody", "seen"))
    differs = ev.DifferenceFound("d", "main", "position", "SPY", "1", "2", True, NOON)
    desk.ledger.note(streams.reconciliation("main"), differs, Cause(desk.ids.trace_id(), actor="test"))
    reconciled(desk)
    with pytest.raises(ResumeRefused, match="not clean"):
        resume(desk)
    gone = ev.DifferenceResolved("d", "main", "agreed", "")
    desk.ledger.note(streams.reconciliation("main"), gone, Cause(desk.ids.trace_id(), actor="test"))
    resume(desk)
    assert desk.account.trading_state is ACTIVE


def test_who_answers_is_told_how_the_order_stands() -> None:
    desk = Desk.in_memory()
    desk.limits(approve_all=True)
    yes, no = desk.place("buy", "1"), desk.place("buy", "1")
    cause = Cause(desk.ids.trace_id(), actor="somebody")
    granted = approvals.grant(desk.ledger, yes, "somebody", "seen", NOON + dt.timedelta(seconds=30), cause)
    refused = approvals.refuse(desk.ledger, no, "somebody", "seen", cause)
    assert (granted.order_id, granted.status) == (yes, OrderStatus.QUEUED)
    assert (refused.order_id, refused.status) == (no, OrderStatus.CANCELED)


def test_only_a_limit_that_warns_leaves_a_warning() -> None:
    within = Gated(ask(), judge(limits(max_order_qty="10"), ask(), standing()))
    assert warning("main", "o", within) == []
    warns = limits(max_order_qty="9", actions={"max_order_qty": Action.WARN})
    (warned,) = warning("main", "o", Gated(ask(), judge(warns, ask(), standing())))
    assert isinstance(warned, ev.LimitWarned)
    assert (warned.rule, warned.reason) == ("max_order_qty", "10; allowed is at most 9")


def test_an_amount_that_is_reduced_becomes_a_quantity() -> None:
    desk = Desk.in_memory()
    desk.limits(max_order_qty=D(5), actions={"max_order_qty": Action.REDUCE})
    order = desk.order(desk.place("buy", "1", quantity=None, notional=D(100), reference_price=D(10)))
    assert (order.quantity, order.notional) == (D(5), None)
    assert len(found(desk, ev.OrderReduced)) == 1
