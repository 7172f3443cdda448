"""What an account is measured against: the equity of which day, at its best since when, and after a restart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tests.review.scripted import UNREACHABLE, Office, engine_of
from tests.risk.test_switch import later, reconciled, resume
from tests.risk.test_triggers import Guarded, rule, stop_of
from tests.risk.test_wired import found, refusal
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.limits import STANDARD, Action, Limits
from tradecore.domain.triggers import Rule, Trigger
from tradecore.domain.values import OrderStatus, TradingState
from tradecore.engine import Engine
from tradecore.errors import BrokerUnreachable, InputError
from tradecore.gating import Occasion, gate_order
from tradecore.journal import open_journal
from tradecore.settings_risk import RiskSettings

D = Decimal
DRAWDOWN, DAY_LOSS = rule(Trigger.DRAWDOWN, "0.10"), rule(Trigger.DAY_LOSS, "0.05")
ACTIVE, REDUCE_ONLY, HALTED = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED


def next_day(desk: Desk) -> None:
    desk.clock.at += dt.timedelta(days=1)


def holding(*rules: Rule) -> Guarded:
    """100,000 on account, half of it in 500 units at 100."""
    desk = Desk.in_memory()
    desk.pin()
    watched = Guarded.over(desk, *rules)
    desk.done("buy", "500", "100")
    desk.mark(SPY="100")
    return watched


# --- the day --------------------------------------------------------------------------------------------------------


def marked(desk: Desk) -> None:
    desk.mark(SPY="90")


def placed(desk: Desk) -> None:
    desk.place("buy", "1", "QQQ", reference_price=D(1))


@pytest.mark.parametrize("first", [marked, placed])
def test_what_fills_before_a_day_is_priced_belongs_to_the_day(first: Callable[[Desk], None]) -> None:
    """A stop at the broker fills in the gap of the morning, and is found before the day's first prices are read."""
    watched = holding(DAY_LOSS)
    desk = watched.desk
    resting = desk.live("sell", "500", limit="90")
    next_day(desk)
    assert watched.look() is ACTIVE
    desk.fill(resting, "500", "90")
    assert watched.look() is REDUCE_ONLY, "before anything else is known of the day"
    first(desk)
    assert desk.account.tempo.start == 100_000
    assert "5000 lost: the account was worth 100000 when the day began" in stop_of(watched).evidence


@pytest.mark.parametrize(("price", "verdict"), [("90.02", None), ("90", "max_daily_loss")])
def test_the_gate_counts_it_too(price: str, verdict: str | None) -> None:
    desk = holding().desk
    desk.limits(max_daily_loss=D(5000))
    resting = desk.live("sell", "500", limit=price)
    next_day(desk)
    desk.fill(resting, "500", price)
    assert refusal(desk, "buy", "1", "QQQ", reference_price=D(1)) == verdict


def test_a_loss_of_yesterday_is_none_of_today() -> None:
    watched = holding(DAY_LOSS)
    desk = watched.desk
    desk.mark(SPY="91")
    next_day(desk)
    desk.mark(SPY="91")
    assert watched.look() is ACTIVE
    desk.mark(SPY="82.00")
    assert watched.look() is ACTIVE, "4500 of 95500"
    desk.mark(SPY="81")
    assert watched.look() is REDUCE_ONLY


def test_what_comes_from_outside_between_two_days_is_no_gain_that_could_be_lost() -> None:
    watched = holding(DAY_LOSS)
    desk = watched.desk
    desk.give(cmd.BookActivity("main", "d", "deposit", None, D(100_000), D(0), desk.clock.now(), "{}"))
    next_day(desk)
    desk.give(cmd.BookActivity("main", "w", "withdrawal", None, D(-100_000), D(0), desk.clock.now(), "{}"))
    desk.mark(SPY="100")
    assert desk.account.tempo.start == 100_000
    assert watched.look() is ACTIVE


def test_money_that_came_before_anything_was_priced_is_part_of_what_the_day_begins_with() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.give(cmd.BookActivity("main", "d", "deposit", None, D(5000), D(0), desk.clock.now(), "{}"))
    assert (desk.account.marked, desk.account.peak, desk.account.opening) == (None, None, D(105_000))
    desk.mark()
    assert (desk.account.marked, desk.account.peak, desk.account.tempo.start) == (D(105_000), D(105_000), D(105_000))


# --- the best -------------------------------------------------------------------------------------------------------


def test_a_drawdown_is_from_the_best_of_all_days_and_no_day_or_restart_begins_it_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    journal = open_journal(url)
    desk = Desk.over(journal)
    desk.pin()
    desk.done("buy", "500", "100")
    for price in ("120", "115", "105", "99.01"):
        desk.mark(SPY=price)
        next_day(desk)
    assert desk.account.peak == 110_000
    assert Guarded.over(desk, DRAWDOWN).look() is ACTIVE
    at = desk.clock.at
    journal.close()
    journal = open_journal(url)
    again = Desk.over(journal)
    again.clock.at = at
    watched = Guarded.over(again, DRAWDOWN)
    assert (again.account.peak, watched.look()) == (D(110_000), ACTIVE)
    again.ids._next = iter(range(10_000, 20_000))
    again.mark(SPY="98")
    assert watched.look() is REDUCE_ONLY
    assert "11000.00 lost: the account was worth 110000 at its best" in stop_of(watched).evidence
    journal.close()


def fallen() -> Guarded:
    """Trading that goes on after a drawdown from 100,000 to 90,000, on the same day, past the cooldown."""
    watched = holding(DRAWDOWN)
    watched.desk.mark(SPY="80")
    assert watched.look() is REDUCE_ONLY
    let_go_on(watched)
    return watched


def let_go_on(watched: Guarded) -> None:
    watched.desk.give(cmd.RequestClear("main", "test", "we looked into it"))
    reconciled(watched.desk)
    resume(watched.desk)
    watched.wait(901)


def test_whoever_lets_trading_go_on_after_a_drawdown_is_not_stopped_by_the_same_one() -> None:
    watched = fallen()
    watched.desk.mark(SPY="80")
    assert watched.look() is ACTIVE
    watched.desk.mark(SPY="62.02")
    assert watched.look() is ACTIVE, "8,990 of 90,000"
    watched.desk.mark(SPY="62")
    assert watched.look() is REDUCE_ONLY


def test_another_stop_leaves_the_best_where_it_was() -> None:
    watched = holding(DRAWDOWN)
    desk = watched.desk
    desk.mark(SPY="81")
    desk.give(cmd.ActivateKillSwitch("main", HALTED, "manual", "a drill", "test"))
    let_go_on(watched)
    assert (desk.account.peak, watched.look()) == (D(100_000), ACTIVE)
    desk.mark(SPY="80")
    assert watched.look() is REDUCE_ONLY


# --- an account that nothing is known of --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [{}, {"broker_account_id": "b"}, {"broker_account_id": "b", "cash": D(100_000)}],
)
def test_the_standard_lets_nothing_through_for_an_account_that_is_not_known(known: dict[str, Any]) -> None:
    """Nothing is known; not even one without money can buy; with money it can."""
    desk = Desk.in_memory()
    account = attrs.evolve(AccountState("main"), limits=STANDARD, **known)
    order = desk.place("buy", "1", limit="10")
    planned = desk.order(order)
    command = cmd.PlaceOrder(
        "o", "main", "SPY", planned.side, D(1), planned.order_type, D(10), planned.time_in_force, "test", desk.clock.at
    )
    verdict = gate_order(account, command, Occasion("", desk.clock.now(), "test")).verdict
    assert verdict.allows is ("cash" in known)


async def begun(office: Office, limits: Limits) -> Engine:
    engine = engine_of(office)
    engine._terms = attrs.evolve(engine._terms, limits=limits)
    await engine.begin("runner-1")
    return engine


def unpinned() -> Office:
    """A ledger whose first runner did not reach the broker."""
    return Office.open(Desk.in_memory())


STANDARD_LIMITS = RiskSettings().limits()


def test_what_was_placed_before_an_account_had_limits_is_held_to_the_first_ones() -> None:
    """The standard lets a position be 10,000 here. Of two that are too large together the first is left."""

    async def story() -> None:
        office = unpinned()
        desk = office.desk
        office.broker.trouble["account"] = UNREACHABLE
        with pytest.raises(BrokerUnreachable):
            await begun(office, STANDARD_LIMITS)
        assert desk.account.limits.version == 0
        within = desk.place("buy", "100", limit="100", **later())
        outside = desk.place("buy", "100.000000001", "QQQ", limit="100", **later())
        first, second = (desk.place("buy", "60", "IWM", limit="100", **later()) for _ in range(2))
        unknown = desk.place("buy", "1", "DIA", **later())
        unwanted = desk.place("buy", "1000", "GLD", limit="100", **later())
        desk.give(cmd.CancelOrder(unwanted, "changed our minds"))
        office.broker.trouble.clear()
        await begun(office, STANDARD_LIMITS)
        assert desk.account.limits.version == 1
        states = {name: desk.order(name).status for name in (within, outside, first, second, unknown, unwanted)}
        canceled = OrderStatus.CANCELED
        assert states == {
            within: OrderStatus.QUEUED, outside: canceled, first: OrderStatus.QUEUED, second: canceled,
            unknown: canceled, unwanted: canceled,
        }  # fmt: skip
        reasons = {event.order_id: event.reason for event in found(desk, ev.OrderCanceled)}
        assert "outside of max_position_share: 10000.000000100; allowed is at most 10000.00" in reasons[outside]
        await office.deliver(0.3)
        assert sorted(call[1] for call in office.broker.calls if call[0] == "submit") == sorted(
            desk.order(order).client_order_id for order in (within, first)
        )

    run_story(story)


def test_limits_that_only_warn_or_that_cannot_be_meant_end_nothing() -> None:
    async def story() -> None:
        office = unpinned()
        desk = office.desk
        order = desk.place("buy", "10", **later())
        with pytest.raises(InputError, match="max_open_orders"):
            await begun(office, Limits(max_open_orders=-1))
        await begun(office, Limits(max_order_qty=D(5), actions={"max_order_qty": Action.WARN}))
        assert desk.order(order).status is OrderStatus.QUEUED

    run_story(story)


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REDUCE])
def test_what_nobody_is_asked_about_any_more_or_would_be_smaller_ends_too(action: Action) -> None:
    async def story() -> None:
        office = unpinned()
        desk = office.desk
        order = desk.place("buy", "10", **later())
        await begun(office, Limits(max_order_qty=D(5), actions={"max_order_qty": action}))
        assert desk.order(order).status is OrderStatus.CANCELED

    run_story(story)


@pytest.mark.parametrize("limits", [Limits(max_open_orders=5), STANDARD_LIMITS])
def test_what_was_placed_within_limits_is_sent_after_a_restart(limits: Limits) -> None:
    """A limit that is changed later holds for what is placed later."""

    async def story() -> None:
        office = unpinned()
        desk = office.desk
        await begun(office, limits)
        desk.place("buy", "1", limit="100", **later())
        again = Office.open(desk, office.broker)
        await begun(again, attrs.evolve(limits, max_order_qty=D("0.5")))
        await again.deliver(0.3)
        assert again.broker.count("submit") == 1

    run_story(story)


def test_after_a_restart_new_risk_waits_until_books_and_broker_were_compared() -> None:
    async def story() -> None:
        office = unpinned()
        desk = office.desk
        await begun(office, STANDARD_LIMITS)
        order = desk.place("buy", "1", limit="100", **later())
        again = Office.open(desk, office.broker)
        office.broker.cash -= 5000
        engine = await begun(again, STANDARD_LIMITS)
        for _ in range(3):
            await engine.reconcile()
        assert engine.gate.reasons, "what differs cannot be explained"
        await again.deliver(0.2)
        assert (again.broker.count("submit"), desk.order(order).status) == (0, OrderStatus.QUEUED)
        office.broker.cash += 5000
        await engine.reconcile()
        assert engine.gate.reasons == ()
        await again.deliver(0.3)
        assert again.broker.count("submit") == 1

    run_story(story)


def test_a_ledger_that_was_copied_without_its_account_refuses_by_hand_what_the_standard_would(
    terminal: Terminal,
) -> None:
    terminal.trade(lambda desk: desk.give(cmd.SetLimits("main", STANDARD, "settings", "a start")))
    answer = terminal.run("place", "SPY", "buy", "1")
    assert answer.code == 3
    assert [event.rule for event in found_in(terminal)] == ["max_position_share"]


def found_in(terminal: Terminal) -> list[ev.LimitBreached]:
    told: list[ev.LimitBreached] = []
    terminal.trade(lambda desk: told.extend(found(desk, ev.LimitBreached)))
    return told
