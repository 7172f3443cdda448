"""Corners of the gate, the kill and the exits that no story comes by: late, lost, repeated, or not known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, engine_of
from tests.risk.asks import ask, judge, limits, standing
from tests.risk.test_exits import LONG, Market, plan, state_of
from tests.risk.test_switch import stop
from tests.risk.test_triggers import Guarded, guarded, rule, trade
from tests.risk.test_wired import found, refusal
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import exits, kill
from tradecore.domain.exit_plan import ExitRule, Keeper
from tradecore.domain.exposure import Book, Exposure
from tradecore.domain.limits import Action
from tradecore.domain.order import decide
from tradecore.domain.reducing import is_against, reduces
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import OrderStatus, OrderType, Side, TradingState
from tradecore.errors import ConfigurationError, InputError, InvariantViolated
from tradecore.exiting import Exits
from tradecore.sagas.flatten import Flatten
from tradecore.settings import load_settings
from tradecore.settings_risk import RiskSettings

D = Decimal


# --- kill -----------------------------------------------------------------------------------------------------------


def folded(*commands: kill.KillCommand) -> tuple[kill.KillState | None, list[ev.Event]]:
    state: kill.KillState | None = None
    told: list[ev.Event] = []
    for command in commands:
        for event in kill.decide(state, command):
            state = kill.evolve(state, event, "main")
            told.append(event)
    return state, told


REQUEST, START = cmd.RequestKill("main", "a drill"), cmd.StartKill("main", "lease")
DONE = cmd.RecordKillAnswer("main", True, "", 0)


def test_a_kill_goes_on_until_the_broker_shows_nothing() -> None:
    state, told = folded(REQUEST, START, cmd.RecordKillAnswer("main", True, "", 1), START, DONE)
    assert state is not None
    assert (state.is_open, state.attempts, state.in_flight) == (False, 2, False)
    assert told[-1] == ev.KillVerified("main", 2)


@pytest.mark.parametrize(
    "answer",
    [
        cmd.RecordKillAnswer("main", False, "no", 0),
        cmd.RecordKillAnswer("main", True, "", None),
        cmd.RecordKillAnswer("main", True, "", 1),
    ],
)
def test_no_answer_short_of_proof_ends_a_kill(answer: cmd.RecordKillAnswer) -> None:
    state, _ = folded(REQUEST, START, answer)
    assert state is not None
    assert state.is_open


@pytest.mark.parametrize("held", [None, 1])
def test_a_kill_that_wants_nothing_held_asks_for_that_too(held: int | None) -> None:
    flat = cmd.RequestKill("main", "a drill", flat=True)
    state, _ = folded(flat, START, cmd.RecordKillAnswer("main", True, "", 0, held))
    assert state is not None
    assert state.is_open
    state, _ = folded(flat, START, cmd.RecordKillAnswer("main", True, "", 0, 0))
    assert state is not None
    assert not state.is_open


def test_an_attempt_whose_process_died_is_on_record_before_the_next() -> None:
    _, told = folded(REQUEST, START, START)
    assert told[2] == ev.KillAnswered("main", 1, False, "no outcome was recorded: the process that sent it ended", None)
    assert told[3] == ev.KillSubmitted("main", 2, "lease")


def test_what_nobody_asked_for_says_nothing() -> None:
    assert folded(START)[1] == folded(DONE)[1] == []
    assert folded(REQUEST, DONE)[1] == [ev.KillRequested("main", False, "a drill")]
    assert folded(REQUEST, START, DONE, START)[1][-1] == ev.KillVerified("main", 1)
    assert len(folded(REQUEST, REQUEST)[1]) == 1


def test_a_later_request_adds_a_suspension_and_never_takes_one_away() -> None:
    suspending = cmd.RequestKill("main", "a drill", suspend=True)
    state, told = folded(REQUEST, suspending, cmd.RequestKill("main", "flat", flat=True))
    assert state is not None
    assert (state.suspend, state.flat, len(told)) == (True, True, 3)
    assert len(folded(suspending, REQUEST)[1]) == 1
    with pytest.raises(InvariantViolated, match="a kill cannot hold"):
        kill.evolve(None, ev.AlertTriggered("x", "y"), "main")


# --- exits ----------------------------------------------------------------------------------------------------------


def test_an_exit_that_somebody_else_began_is_not_begun_again() -> None:
    state = state_of(plan(stop_loss="0.02"), fired=1)
    late = cmd.FireExit("t", ExitRule.STOP_LOSS, D(10), "seen before", 0)
    assert exits.decide(state, late, LONG) == []
    assert len(exits.decide(state, cmd.FireExit("t", ExitRule.STOP_LOSS, D(10), "now", 1), LONG)) == 1


@pytest.mark.parametrize(("level", "moves"), [("97.99", False), ("98", False), ("98.000000001", True)])
def test_a_stop_is_never_moved_away_from_the_market(level: str, moves: bool) -> None:
    raised = cmd.RaiseExit("t", ExitRule.TRAIL, D(level), D(100))
    assert bool(exits.decide(state_of(plan(stop_loss="0.02")), raised, LONG)) is moves


def test_what_the_engine_keeps_it_does_not_take_over() -> None:
    takeover = cmd.TakeOverExits("t", "the legs ended")
    assert exits.decide(state_of(plan(stop_loss="0.02")), takeover, LONG) == []
    assert len(exits.decide(state_of(plan(stop_loss="0.02"), keeper=Keeper.BROKER), takeover, LONG)) == 1
    with pytest.raises(InvariantViolated, match="exits cannot hold"):
        exits.evolve(state_of(plan(stop_loss="0.02")), ev.AlertTriggered("x", "y"))


def test_a_new_plan_with_a_later_entry_counts_exits_on() -> None:
    state = state_of(plan(stop_loss="0.02"), fired=2, level=D(99))
    armed = ev.ExitsArmed("t", "main", "SPY", "another", plan(stop_loss="0.05"), Keeper.ENGINE)
    after = exits.evolve(state, armed)
    assert (after.fired, after.level, after.plan.stop_loss) == (2, None, D("0.05"))


def test_commands_for_a_trade_that_is_flat_or_has_no_plan_say_nothing() -> None:
    desk = Desk.in_memory()
    order = desk.done("buy", "1", "10")
    trade = desk.order(order).trade_id
    assert desk.give(cmd.TakeOverExits(trade, "no plan")) == ()
    assert desk.give(cmd.TakeOverExits("nobody", "no trade")) == ()
    planned = desk.place("buy", "1", "QQQ", exits=plan(stop_loss="0.02"))
    assert desk.give(cmd.TakeOverExits(desk.order(planned).trade_id, "not held yet")) == ()


def test_the_time_is_looked_at_without_bars_and_only_for_what_has_a_plan() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(max_holding_s="3600"))
    desk.done("buy", "10", "100", "QQQ")
    exiting = Exits(desk.ledger, desk.ids, "main")
    exiting.look(NOON + dt.timedelta(seconds=3599))
    assert found(desk, ev.ExitFired) == []
    exiting.look(NOON + dt.timedelta(seconds=3600))
    (fired,) = found(desk, ev.ExitFired)
    assert fired.rule is ExitRule.MAX_HOLDING
    market.bar("100", "101")
    assert len(found(desk, ev.SagaStarted)) == 1


def test_an_order_that_leaves_a_trade_arms_nothing() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "100")
    desk.place("sell", "5", exits=plan(stop_loss="0.02"))
    assert found(desk, ev.ExitsArmed) == []


def test_the_engine_looks_at_the_time_and_lets_approvals_expire() -> None:
    office = Office.open()
    desk = office.desk
    engine = engine_of(office)
    desk.limits(approve_all=True)
    order = desk.place("buy", "1")
    engine.catch_up()
    desk.clock.at += dt.timedelta(seconds=900)
    engine.look()
    assert desk.order(order).status is OrderStatus.CANCELED


# --- gate -----------------------------------------------------------------------------------------------------------


def test_a_held_symbol_without_a_price_denies_its_sector() -> None:
    desk = Desk.in_memory()
    desk.pin(positions=[("QQQ", "1", "10")])
    desk.mark(SPY="1")
    desk.limits(max_sector_share=D(1), sectors={"SPY": "a", "QQQ": "a"})
    assert refusal(desk, "buy", "1", limit="1") == "max_sector_share"


def test_a_price_that_nobody_knows_any_more_is_taken_out_of_the_totals() -> None:
    exposure = Exposure().with_book("SPY", Book(D(2))).with_mark("SPY", D(10))
    assert (exposure.gross, exposure.held_value) == (D(20), D(20))
    unknown = exposure.with_mark("SPY", None)
    assert (unknown.gross, unknown.held_value, set(unknown.unpriced)) == (D(0), None, {"SPY"})
    assert unknown.with_mark("SPY", D(10)).gross == 20


def test_a_stop_order_is_reckoned_at_its_stop_or_at_the_market_whichever_is_worse() -> None:
    desk = Desk.in_memory()
    desk.limits(max_order_notional=D(1000))
    terms: dict[str, Any] = {"order_type": OrderType.STOP, "stop_price": D(100)}
    assert refusal(desk, "buy", "10", **terms) is None
    assert refusal(desk, "buy", "10.1", **terms) == "max_order_notional"
    assert refusal(desk, "buy", "10", "QQQ", reference_price=D(101), **terms) == "max_order_notional"


def test_a_limit_that_reduces_leaves_an_order_alone_that_is_whole_within_it() -> None:
    told = limits(max_order_qty="5", actions={"max_order_qty": Action.REDUCE, "max_orders_per_day": Action.REDUCE})
    verdict = judge(told, ask(quantity="5.5"), standing())
    assert (verdict.action, verdict.quantity) == (Action.REDUCE, D(5))
    assert judge(told, ask(quantity="0.5"), standing()).action is None
    fraction = judge(
        limits(max_order_qty="0.4", actions={"max_order_qty": Action.REDUCE}), ask(quantity="0.5"), standing()
    )
    assert fraction.action is Action.BLOCK, "no whole unit is left"


def test_what_reduces_counts_every_open_order_on_its_side() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "5")
    desk.live("sell", "6", limit="9")
    account = desk.account
    assert reduces(account, "", "SPY", Side.SELL, D(4))
    assert not reduces(account, "", "SPY", Side.SELL, D(4) + D("0.000000001"))
    assert not reduces(account, "", "SPY", Side.BUY, D(1))
    assert not reduces(account, "", "QQQ", Side.SELL, D(1))
    assert is_against(account, "SPY", Side.SELL, D(10))
    assert not is_against(account, "SPY", Side.SELL, D(11))


def test_a_reducing_order_is_sent_while_only_those_may_be() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "5")
    reducing, adding = desk.place("sell", "4", limit="9"), desk.place("buy", "1", "QQQ")
    stop(desk, TradingState.REDUCE_ONLY)
    desk.send(reducing)
    desk.send(adding)
    assert (desk.order(reducing).status, desk.order(adding).status) == (OrderStatus.SUBMITTED, OrderStatus.CANCELED)


def test_an_order_that_waits_for_a_person_is_not_marked_as_sent() -> None:
    desk = Desk.in_memory()
    desk.limits(approve_all=True)
    order = desk.order(desk.place("buy", "1"))
    assert decide(order, cmd.StartSubmit(order.order_id, "lease", "", NOON)) == []


# --- settings, builds, counts ---------------------------------------------------------------------------------------


def test_limits_as_settings_say_them() -> None:
    told = RiskSettings.model_validate(
        {
            "defaults": "none",
            "symbols": "SPY, QQQ,,SPY",
            "prohibited": ["GME"],
            "max_order_qty": " NONE ",
            "per_symbol": {"SPY": {"max_order_qty": "5"}},
            "actions": {"max_order_qty": "warn"},
        }
    ).limits(of_a_day=False)
    assert told.symbols == ("SPY", "QQQ")
    assert (told.prohibited, told.max_order_qty, told.max_position_share) == (("GME",), None, None)
    assert (told.per_symbol["SPY"].max_order_qty, told.action("max_order_qty")) == (D(5), Action.WARN)
    assert RiskSettings().limits(of_a_day=False).max_daily_loss_share is None
    for wrong in ({"actions": {"no_such": "warn"}}, {"actions": {"max_repeats": "reduce"}}):
        with pytest.raises(ConfigurationError, match="actions"):
            load_settings(None, {"risk": wrong})


def test_counts_are_of_one_account_and_of_what_went_wrong() -> None:
    watched = guarded(rule(Trigger.LEDGER_DAMAGED, "1"), rule(Trigger.ERROR_RATE, "3"))
    desk = watched.desk
    watched.note(ev.AlertTriggered("something_else", "of no matter"))
    watched.note(ev.ScheduledWorkFailed("assets", NOON, D(1), "no route"))
    order = desk.place("buy", "1")
    desk.send(order)
    desk.give(cmd.RecordUnknown(order, "timeout"))
    other = desk.place("buy", "1", account="other")
    desk.send(other)
    desk.give(cmd.RecordUnknown(other, "timeout"))
    assert watched.look() is TradingState.ACTIVE
    watched.note(ev.AlertTriggered("ledger_damaged", "a hole at 7"))
    assert watched.look() is TradingState.REDUCE_ONLY


def test_the_broker_that_can_be_read_again_is_reachable() -> None:
    watched = guarded(rule(Trigger.BROKER_UNREACHABLE, "120"))
    watched.note(ev.ScheduledWorkFailed("sync", NOON, D(1), "no route"))
    watched.note(ev.ScheduledWorkRecovered("sync", 1, NOON))
    watched.wait(1000)
    assert watched.look() is TradingState.ACTIVE


def test_a_trade_that_neither_won_nor_lost_ends_no_row() -> None:
    watched = guarded(rule(Trigger.CONSECUTIVE_LOSSES, "2"))
    trade(watched, "-1", "0", "-1")
    assert watched.look() is TradingState.REDUCE_ONLY


def test_a_watch_without_rules_watches_nothing() -> None:
    watched = Guarded.over(Desk.in_memory())
    watched.unknown = 99
    assert watched.look() is TradingState.ACTIVE


def test_flattening_needs_a_reason() -> None:
    with pytest.raises(InputError, match="reason"):
        Flatten().check({})


def test_a_replacement_of_the_same_size_changes_nothing_that_is_counted() -> None:
    desk = Desk.in_memory()
    old = desk.live("buy", "8", limit="10")
    new = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(old, new, NOON + dt.timedelta(minutes=1), limit_price=D(9)))
    assert desk.account.exposure.book("SPY").buys == 8
    assert desk.account.reservations[new].counted == 0
