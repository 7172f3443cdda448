"""Whose plan a trade is left by: that of an order that adds counts once the order fills; a split moves all of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_approvals import ASKS, expire, grant
from tests.risk.test_exits import Market, plan
from tests.risk.test_wired import found
from tradecore import approvals
from tradecore.domain import commands as cmd
from tradecore.domain.events import ExitFired, ExitsArmed
from tradecore.domain.exit_plan import ExitRule, Keeper, Rung
from tradecore.domain.identity import leg_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, Purpose, TimeInForce

D = Decimal
NEAR, FAR = plan(stop_price="95"), plan(stop_price="60")


def refused(desk: Desk, order_id: str) -> None:
    approvals.refuse(desk.ledger, order_id, "somebody", "too large", Cause(desk.ids.trace_id(), actor="somebody"))


def expired(desk: Desk, order_id: str) -> None:
    desk.clock.at += dt.timedelta(minutes=16)
    assert expire(desk) == 1


def fired(market: Market) -> list[tuple[ExitRule, Decimal]]:
    return [(event.rule, event.quantity) for event in found(market.desk, ExitFired)]


# --- what is added --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("answer", [None, refused, expired])
def test_an_order_that_a_person_did_not_allow_changes_no_plan(answer: Any, restarts: bool) -> None:
    market = Market.over(restarts=restarts)
    desk = market.desk
    desk.done("buy", "5", "100", exits=NEAR)
    desk.limits(**ASKS)
    more = desk.place("buy", "6", exits=FAR)
    assert desk.order(more).awaits_approval
    if answer is not None:
        answer(desk, more)
    market.bar("95", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(5))]


def test_an_order_that_a_person_allowed_brings_its_plan_when_it_fills() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "5", "100", exits=NEAR)
    desk.limits(**ASKS)
    more = desk.place("buy", "6", exits=FAR)
    grant(desk, more)
    desk.send(more)
    desk.answer(more)
    desk.fill(more, "1", "97")
    market.bar("95", "99")
    assert fired(market) == []
    desk.fill(more, "5", "97")
    assert [event.plan for event in found(desk, ExitsArmed)] == [NEAR, FAR], "once, with the first fill"
    market.bar("60", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(11))]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_order_that_never_fills_changes_no_plan(restarts: bool) -> None:
    market = Market.over(restarts=restarts)
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    more = desk.live("buy", "5", limit="90", exits=FAR)
    market.bar("96", "99")
    market.desk.report(more, "canceled", at=1)
    market.bar("95", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(10))]


def test_the_plan_of_an_order_comes_with_the_one_that_replaced_it() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    more = desk.live("buy", "5", limit="90", exits=FAR)
    moved = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(more, moved, desk.clock.now() + dt.timedelta(seconds=30), limit_price=D(97)))
    desk.send(moved)
    desk.answer(moved, "new")
    desk.report(more, "replaced", at=1)
    desk.fill(moved, "5", "97")
    market.bar("95", "99")
    assert fired(market) == []
    market.bar("60", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(15))]


def test_a_first_order_that_never_fills_leaves_the_plan_of_the_second_alone() -> None:
    market = Market.over()
    desk = market.desk
    first = desk.live("buy", "5", limit="90", exits=NEAR)
    desk.done("buy", "10", "100", exits=FAR)
    desk.report(first, "canceled", at=1)
    assert [event.keeper for event in found(desk, ExitsArmed)] == [Keeper.ENGINE, Keeper.ENGINE]
    market.bar("95", "99")
    assert fired(market) == []
    market.bar("60", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(10))]


def test_a_raised_stop_stays_where_it_is_when_more_is_bought() -> None:
    market = Market.over(restarts=True)
    market.desk.done("buy", "10", "100", exits=plan(trail="0.05"))
    market.bar("100", "110")  # the stop is at 104.50
    market.desk.done("buy", "10", "106", exits=plan(trail="0.05"))
    market.bar("104.51", "106")
    assert fired(market) == []
    market.bar("104.50", "106")
    assert fired(market) == [(ExitRule.TRAIL, D(20))]


def test_of_two_orders_that_wait_each_brings_its_own_plan() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    one = desk.live("buy", "1", limit="90", exits=FAR)
    other = desk.live("buy", "1", limit="80", exits=plan(stop_price="70"))
    desk.fill(one, "1", "90")
    desk.fill(other, "1", "80")
    market.bar("71", "99")
    assert fired(market) == []
    market.bar("70", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(12))]


def test_a_plan_that_took_effect_does_not_come_back_with_a_replacement() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    more = desk.live("buy", "5", limit="90", exits=FAR)
    desk.fill(more, "1", "90")
    desk.done("buy", "1", "100", exits=NEAR)
    moved = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(more, moved, desk.clock.now() + dt.timedelta(seconds=30), limit_price=D(97)))
    desk.send(moved)
    desk.answer(moved, "new")
    desk.report(more, "replaced", "1", at=1)
    desk.fill(moved, "4", "97")
    assert [event.plan for event in found(desk, ExitsArmed)] == [NEAR, FAR, NEAR]
    market.bar("95", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(16))]


def test_a_second_order_with_legs_is_kept_by_the_broker_where_nothing_was_held() -> None:
    market = Market.over()
    desk = market.desk
    first = desk.live("buy", "5", limit="90", exits=plan(stop_loss="0.02"))
    desk.report(first, "canceled", at=1)
    desk.live("buy", "5", limit="80", exits=plan(stop_loss="0.02"))
    entry = desk.place(
        "buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(98)), exits=plan(stop_loss="0.02"),
        time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    desk.send(entry)
    desk.answer(entry)
    desk.fill(entry, "10", "100")
    desk.report(leg_order_id(entry, "stop_loss"), "new")
    assert found(desk, ExitsArmed)[-1].keeper is Keeper.BROKER
    market.bar("97", "99")
    assert fired(market) == []


def test_a_close_brings_no_plan_of_the_order_beside_it() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    desk.live("buy", "5", limit="90", exits=FAR)
    desk.done("sell", "5", "101", purpose=Purpose.CLOSE)
    market.bar("95", "99")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(5))]


# --- splits ---------------------------------------------------------------------------------------------------------


def split(desk: Desk, change: str, name: str = "split-1") -> None:
    when = desk.clock.now() + dt.timedelta(minutes=1)
    desk.give(cmd.BookActivity("main", name, "split", "SPY", D(0), D(change), when, "{}"))


def test_a_split_scales_what_a_ladder_takes_its_shares_of() -> None:
    market = Market.over(restarts=True)
    half = Rung(D("0.05"), D("0.5")), Rung(D("0.1"), D("0.5"))
    market.desk.done("buy", "10", "100", exits=plan(ladder=half))
    market.bar("100", "105")
    market.stage.works(market.closes()[0])
    market.desk.fill(market.closes()[0], "5", "105")
    split(market.desk, "15")  # four for one: 20 at a cost of 25
    market.bar("26", "27.49")
    assert len(market.closes()) == 1
    market.bar("26", "27.5")
    assert fired(market) == [(ExitRule.TAKE_PROFIT, D(5)), (ExitRule.TAKE_PROFIT, D(20))]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("side", "change", "calm", "reached", "quantity"),
    [
        ("buy", "30", ("24", "27"), ("23.75", "25"), "40"),
        ("buy", "-9", ("951", "1099"), ("950", "1000"), "1"),
        ("sell", "-30", ("24", "26"), ("25", "26.25"), "40"),
    ],
)
def test_a_split_moves_a_stop_at_a_named_price(
    side: str, change: str, calm: tuple[str, str], reached: tuple[str, str], quantity: str, restarts: bool
) -> None:
    market = Market.over(restarts=restarts)
    market.desk.done(side, "10", "100", exits=NEAR if side == "buy" else plan(stop_price="105"))
    split(market.desk, change)
    market.bar(*calm)
    assert fired(market) == []
    market.bar(*reached)
    assert fired(market) == [(ExitRule.STOP_LOSS, D(quantity))]


def test_a_split_moves_a_target_at_a_named_price() -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(target_price="120"))
    split(market.desk, "30")
    market.bar("25", "29.99")
    assert fired(market) == []
    market.bar("25", "30")
    assert fired(market) == [(ExitRule.TAKE_PROFIT, D(40))]


def test_a_split_moves_the_plan_of_an_order_that_has_not_filled_yet() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=NEAR)
    more = desk.live("buy", "4", limit="24", exits=plan(stop_price="80"))
    split(desk, "30")
    desk.fill(more, "4", "24")
    market.bar("21", "24")
    assert fired(market) == []
    market.bar("20", "24")
    assert fired(market) == [(ExitRule.STOP_LOSS, D(44))]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("side", "change", "first", "calm", "reached"),
    [
        ("buy", "10", ("100", "110"), ("52.26", "55"), ("52.25", "55")),
        ("sell", "-10", ("90", "100"), ("45", "47.24"), ("45", "47.25")),
    ],
)
def test_a_split_moves_a_raised_stop(
    side: str, change: str, first: tuple[str, str], calm: tuple[str, str], reached: tuple[str, str], restarts: bool
) -> None:
    market = Market.over(restarts=restarts)
    market.desk.done(side, "10", "100", exits=plan(trail="0.05"))
    market.bar(*first)
    split(market.desk, change)
    market.bar(*calm)
    assert fired(market) == []
    market.bar(*reached)
    assert fired(market) == [(ExitRule.TRAIL, D(20))]


def test_a_split_of_what_nobody_planned_to_leave_is_only_a_split() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.done("buy", "10", "100")
    split(desk, "30")
    assert desk.trade_of(order).position.quantity == 40
    assert not [name for name in desk.names() if name.startswith("trade.exit")]
