"""Edges of leaving a trade: whose bar it is, what works for it already, who keeps it, and under which names."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.test_exits import Market, plan
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import ExitFired, ExitRaised, ExitsArmed, OrderPlanned, SagaStarted
from tradecore.domain.exit_plan import ExitRule, Keeper, Rung
from tradecore.domain.identity import derived_id, leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, Purpose, Side, TimeInForce
from tradecore.errors import InputError
from tradecore.exiting import Exits
from tradecore.leaving import arm
from tradecore.ledger import Ledger

D = Decimal
HALF_AT_FIVE = plan(ladder=(Rung(D("0.05"), D("0.5")),), stop_loss="0.02")


def fire(desk: Desk, order: str, quantity: str = "10", after: int = 0, rung: int = 0) -> tuple[Any, ...]:
    rule = ExitRule.TAKE_PROFIT if rung else ExitRule.STOP_LOSS
    return desk.give(cmd.FireExit(desk.order(order).trade_id, rule, D(quantity), "seen", after, rung))


def bar(symbol: str, minute: int, low: str, high: str) -> Bar:
    return Bar(symbol, NOON + dt.timedelta(minutes=minute), D(low), D(high), D(low), D(high), D(1))


# --- arming ---------------------------------------------------------------------------------------------------------


def test_an_order_without_a_plan_arms_nothing() -> None:
    desk = Desk.in_memory()
    order = desk.order(desk.place("buy", "10"))
    trade = desk.ledger.trade(order.trade_id)
    assert trade is not None
    command = cmd.PlaceOrder(
        "x", "main", "SPY", Side.BUY, D(10), order.order_type, None, TimeInForce.DAY, "test", NOON
    )  # fmt: skip
    assert desk.ledger.exits(order.trade_id) is None
    assert arm(attrs.evolve(command, side=Side.SELL), HALF_AT_FIVE, trade, None) == []
    assert len(arm(command, HALF_AT_FIVE, trade, None)) == 1


def test_a_plan_that_cannot_be_meant_is_no_order() -> None:
    desk = Desk.in_memory()
    with pytest.raises(InputError, match=r"exits\.stop_loss"):
        desk.place("buy", "10", exits=plan(stop_loss="2"))
    assert found(desk, OrderPlanned) == []


RUNG = Rung(D("0.05"), D("0.5"))


@pytest.mark.parametrize(
    ("planned", "is_taken"),
    [
        (plan(stop_loss="0.02"), True),
        (plan(ladder=(RUNG,)), True),
        (plan(ladder=(RUNG, Rung(D("0.1"), D("0.5")))), False),
        (plan(stop_loss="0.02", break_even="0.05"), False),
        (plan(trail="0.05"), False),
    ],
)
def test_legs_take_what_they_can_hold(planned: Any, is_taken: bool) -> None:
    desk = Desk.in_memory()
    terms: dict[str, Any] = {"order_class": OrderClass.OTO, "stop_loss": StopLoss(D(98)), "exits": planned}
    if is_taken:
        desk.place("buy", "10", **terms)
        (armed,) = found(desk, ExitsArmed)
        assert armed.keeper is Keeper.BROKER
        return
    with pytest.raises(InputError) as raised:
        desk.place("buy", "10", **terms)
    assert raised.value.field == "exits"


# --- what works already ---------------------------------------------------------------------------------------------


def test_an_exit_of_what_is_not_held_yet_says_nothing() -> None:
    desk = Desk.in_memory()
    assert fire(desk, desk.place("buy", "10", exits=HALF_AT_FIVE)) == ()


def test_an_exit_is_not_begun_while_the_last_one_lives_and_an_order_that_adds_is_no_exit() -> None:
    desk = Desk.in_memory()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    desk.live("buy", "1", limit="90")
    assert fire(desk, order) != ()
    (saga,) = found(desk, SagaStarted)
    trade = desk.order(order).trade_id
    assert saga.saga_id == derived_id("exit", trade, "1"), "the same name in every release"
    assert saga.terms == {"trade_id": trade, "reason": "stop_loss: seen"}
    assert fire(desk, order, after=1) == ()


def test_a_stop_is_raised_while_a_part_is_being_closed() -> None:
    desk = Desk.in_memory()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    assert fire(desk, order, "5", rung=1) != ()
    raised = cmd.RaiseExit(desk.order(order).trade_id, ExitRule.TRAIL, D(99), D(104))
    assert len(desk.give(raised)) == 1
    assert fire(desk, order, "5", after=1) == (), "it is being left"


@pytest.mark.parametrize(
    ("symbol", "side", "closes", "time_in_force"),
    [("SPY", "buy", Side.SELL, TimeInForce.DAY), ("BTC/USD", "buy", Side.SELL, TimeInForce.GTC),
     ("SPY", "sell", Side.BUY, TimeInForce.DAY)],
)  # fmt: skip
def test_a_part_is_closed_at_market_within_a_minute(
    symbol: str, side: str, closes: Side, time_in_force: TimeInForce
) -> None:
    desk = Desk.in_memory()
    order = desk.done(side, "0.5", "100", symbol, exits=HALF_AT_FIVE)
    fire(desk, order, "0.25", rung=1)
    close = desk.order(found(desk, OrderPlanned)[-1].order_id)
    assert close.order_id == derived_id("exit order", close.trade_id, "1")
    assert (close.side, close.quantity, close.time_in_force, close.purpose) == (
        closes, D("0.25"), time_in_force, Purpose.CLOSE,
    )  # fmt: skip
    assert close.not_after == desk.clock.now() + dt.timedelta(seconds=60)


def test_an_exit_waits_for_the_fills_of_a_close_that_has_ended() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    market.bar("100", "105")
    (close,) = market.closes()
    market.stage.works(close)
    desk.report(close, "canceled", "2", at=1)
    assert not desk.order(close).is_settled
    market.bar("97", "105")
    assert len(found(desk, ExitFired)) == 1, "how much is left to be closed is not known yet"
    desk.fill(close, "2", "105")
    market.bar("97", "99")
    assert [(event.rule, event.quantity) for event in found(desk, ExitFired)][1:] == [(ExitRule.STOP_LOSS, D(8))]


# --- bars and time --------------------------------------------------------------------------------------------------


def test_a_bar_is_of_its_own_symbol_and_time_counts_to_its_end() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "100", "QQQ", exits=plan(stop_loss="0.02"))
    desk.done("buy", "10", "100", exits=plan(max_holding_s="120"))
    exits = Exits(desk.ledger, desk.ids, "main")
    exits.see(bar("SPY", 0, "90", "90"))
    assert found(desk, ExitFired) == []
    exits.see(bar("SPY", 1, "90", "90"))
    (fired,) = found(desk, ExitFired)
    assert (fired.rule, desk.ledger.trade(fired.trade_id).symbol) == (ExitRule.MAX_HOLDING, "SPY")  # type: ignore[union-attr]


def test_it_is_on_record_why_an_exit_moved() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(trail="0.05", stop_loss="0.1"))
    market.bar("100", "110")
    market.bar("104", "105")
    kinds = {
        type(item.event): item.envelope.actor
        for item in desk.ledger.journal.read(0, 10_000)
        if isinstance(item.event, ExitFired | ExitRaised)
    }
    assert kinds == {ExitRaised: "exit:raised", ExitFired: "exit:fired"}


# --- who keeps it ---------------------------------------------------------------------------------------------------


def bracketed(market: Market, filled: str = "10") -> tuple[str, str, str]:
    """An entry with a stop and a target at the broker."""
    desk = market.desk
    entry = desk.place(
        "buy", "10", order_class=OrderClass.BRACKET, stop_loss=StopLoss(D(98)), take_profit=TakeProfit(D(110)),
        exits=plan(stop_loss="0.02"), time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    stop, target = leg_order_id(entry, "stop_loss"), leg_order_id(entry, "take_profit")
    desk.send(entry)
    desk.answer(entry)
    desk.fill(entry, filled, "100")
    for leg in (stop, target):
        desk.report(leg, "new")
    return entry, stop, target


def test_the_engine_waits_until_every_leg_has_ended() -> None:
    market = Market.over()
    _, stop, target = bracketed(market)
    market.desk.report(target, "canceled", at=1)
    market.bar("97", "99")
    assert len(found(market.desk, ExitsArmed)) == 1, "the stop still works at the broker"
    market.desk.report(stop, "canceled", at=2)
    market.bar("97", "99")
    assert [event.keeper for event in found(market.desk, ExitsArmed)] == [Keeper.BROKER, Keeper.ENGINE]
    (taken,) = (
        item.envelope.actor
        for item in market.desk.ledger.journal.read(0, 10_000)
        if isinstance(item.event, ExitsArmed) and item.event.keeper is Keeper.ENGINE
    )
    assert taken == "exits"


def test_the_engine_waits_for_the_end_of_an_entry_that_may_still_bring_legs() -> None:
    market = Market.over()
    entry, stop, target = bracketed(market, "4")
    for leg in (stop, target):
        market.desk.report(leg, "canceled", at=1)
    market.bar("97", "99")
    assert len(found(market.desk, ExitsArmed)) == 1
    market.desk.report(entry, "canceled", "4", at=2)
    market.bar("97", "99")
    assert len(found(market.desk, ExitsArmed)) == 2


# --- again, and beside others ---------------------------------------------------------------------------------------


def test_an_exit_by_the_time_that_the_broker_refuses_is_tried_ever_more_rarely() -> None:
    """It was tried at every look, once a second and for ever."""
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(max_holding_s="60"))
    exits = Exits(desk.ledger, desk.ids, "main")
    tried: list[int] = []
    for second in range(60, 260):
        exits.look(NOON + dt.timedelta(seconds=second))
        market.stage.conductor.observe(desk.ledger.journal.read(0, 10_000))
        market.stage.conductor.advance()
        for order_id in market.closes()[len(tried) :]:
            tried.append(second)
            desk.send(order_id)
            desk.give(cmd.RecordRejection(order_id, "40310000", "insufficient qty available", ""))
            market.stage.conductor.observe(desk.ledger.journal.read(0, 10_000))
            market.stage.conductor.advance()
    assert tried == [60, 63, 68, 77, 94, 127, 188, 249]
    exits.look(NOON + dt.timedelta(seconds=100))
    assert len(found(desk, ExitFired)) == len(tried) + 1, "a clock that is set back keeps nobody waiting"


def test_a_trade_that_another_process_closed_meanwhile_is_left_alone() -> None:
    """What it knew of the trade was old until it gave a command."""
    market = Market.over()
    desk = market.desk
    _, stop, target = bracketed(market)
    for leg in (stop, target):
        desk.report(leg, "canceled", at=1)
    other = Ledger(desk.ledger.journal, desk.clock, desk.ids)
    (holding,) = other.account("main").holdings.values()
    assert other.trade(holding.trade_id) is not None
    assert other.exits(holding.trade_id) is not None
    desk.give(cmd.TakeOverExits(holding.trade_id, "every leg has ended"))
    desk.done("sell", "10", "99", purpose=Purpose.CLOSE)
    Exits(other, desk.ids, "main").see(bar("SPY", 1, "90", "91"))
    assert found(desk, ExitFired) == []
