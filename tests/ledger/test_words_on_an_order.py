"""What words of the broker and of persons leave of an order: how much of it is open, and whether it ends."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Side, TimeInForce
from tradecore.domain.work import CANCEL_ATTEMPTS
from tradecore.errors import CancelRefused, ReplaceRefused

LATER = NOON + dt.timedelta(hours=1)
S = OrderStatus


def test_what_remains_is_what_was_not_filled(desk: Desk) -> None:
    order = desk.live("buy", "10")
    assert desk.order(order).remaining == 10
    desk.fill(order, "4", "100")
    assert desk.order(order).remaining == 6
    desk.fill(order, "6", "100")
    assert desk.order(order).remaining == 0


def test_what_the_broker_counts_and_no_fill_tells_is_missing_until_it_is_told(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.report(order, "canceled", filled="4", at=1)
    assert desk.order(order).missing_fills == 4
    assert not desk.order(order).is_settled
    desk.fill(order, "4", "100")
    assert desk.order(order).missing_fills == 0
    assert desk.order(order).is_settled


def test_an_answer_ends_what_is_in_flight_and_brings_the_brokers_id_and_time(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    assert desk.order(order).in_flight
    desk.clock.at += dt.timedelta(seconds=3)
    desk.answer(order)
    state = desk.order(order)
    assert (state.in_flight, state.broker_order_id) == (False, f"b-{order}")
    assert state.broker_updated_at == NOON + dt.timedelta(seconds=3)
    assert desk.report(order, "new", at=-1)  # further along, though older by the broker's clock
    assert desk.order(order).status is S.NEW
    assert desk.report(order, "pending_new", at=9) == (), "nothing goes back"


def test_a_fill_that_overtakes_the_answer_ends_what_is_in_flight(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.fill(order, "4", "100")
    state = desk.order(order)
    assert (state.in_flight, state.status, state.broker_order_id) == (False, S.PARTIALLY_FILLED, f"b-{order}")


@pytest.mark.parametrize("word", ["canceled", "expired", "rejected"])
def test_an_attempt_that_failed_says_nothing_of_an_order_that_has_ended_or_is_there(desk: Desk, word: str) -> None:
    order = desk.live("buy", "10")
    desk.give(cmd.RecordNotSent(order, "no route", 1))
    status = desk.order(order).status.value
    assert status == "pending_new"
    desk.report(order, word, at=1)
    desk.give(cmd.RecordNotSent(order, "no route", 1))
    assert desk.order(order).status is S(word)


def test_who_cancels_what_has_ended_is_told_how_it_ended(desk: Desk) -> None:
    filled = desk.done("buy", "10", "100")
    with pytest.raises(CancelRefused, match=f"order {filled} is already filled$"):
        desk.give(cmd.CancelOrder(filled, "test"))
    old = desk.live("buy", "10", limit="90")
    new = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(old, new, reason="better", not_after=LATER, limit_price=Decimal(91)))
    desk.report(old, "replaced", at=1)
    with pytest.raises(CancelRefused, match=f"order {old} is already replaced by {new}"):
        desk.give(cmd.CancelOrder(old, "test"))
    elsewhere = desk.live("buy", "10", limit="80")
    desk.report(elsewhere, "replaced", at=1)
    with pytest.raises(CancelRefused, match=f"order {elsewhere} is already replaced$"):
        desk.give(cmd.CancelOrder(elsewhere, "test"))


def test_a_cancel_is_asked_again_until_it_was_taken_or_failed_too_often(desk: Desk) -> None:
    order = desk.live("buy", "10", limit="90")
    desk.give(cmd.CancelOrder(order, "test"))
    for attempt in range(1, CANCEL_ATTEMPTS + 1):
        assert not desk.order(order).cancel_spent
        desk.give(cmd.StartCancel(order, "lease-1"))
        assert not desk.order(order).cancel_spent, "the last one is under way"
        desk.give(cmd.RecordCancelAnswer(order, False, "busy"))
        assert desk.order(order).cancels == attempt
    assert desk.order(order).cancel_spent
    assert desk.give(cmd.RecordCancelAnswer(order, True, "")) == (), "nobody asked"
    desk.give(cmd.CancelOrder(order, "again"))
    desk.give(cmd.StartCancel(order, "lease-1"))
    desk.give(cmd.RecordCancelAnswer(order, True, ""))
    assert desk.order(order).cancel_spent
    assert desk.order(order).status is S.PENDING_NEW, "only its status says that it has ended"


def test_legs_are_simple_orders_with_the_price_of_their_kind(desk: Desk) -> None:
    entry = desk.place(
        "buy", "10", order_class=OrderClass.BRACKET, take_profit=TakeProfit(Decimal(110)),
        stop_loss=StopLoss(Decimal(90), Decimal(89)),
    )  # fmt: skip
    profit, loss = (desk.order(leg_order_id(entry, leg)) for leg in ("take_profit", "stop_loss"))
    assert (profit.order_class, profit.take_profit, profit.stop_loss) == (OrderClass.SIMPLE, None, None)
    assert (loss.order_class, loss.take_profit, loss.stop_loss) == (OrderClass.SIMPLE, None, None)
    assert (profit.side, profit.order_type, profit.limit_price, profit.stop_price) == (
        Side.SELL, OrderType.LIMIT, Decimal(110), None,
    )  # fmt: skip
    assert (loss.side, loss.order_type, loss.limit_price, loss.stop_price) == (
        Side.SELL, OrderType.STOP_LIMIT, Decimal(89), Decimal(90),
    )  # fmt: skip


def test_an_order_of_others_keeps_the_brokers_terms(desk: Desk) -> None:
    order = desk.ids.order_id()
    desk.give(
        cmd.AdoptOrder(
            order_id=order, account="main", client_order_id="theirs", broker_order_id="b-theirs", symbol="SPY",
            side=Side.SELL, quantity=None, notional=Decimal(500), order_type=OrderType.STOP_LIMIT,
            limit_price=Decimal(99), stop_price=Decimal(98), time_in_force=TimeInForce.GTC,
            reference_price=Decimal(99), status=S.NEW, updated_at=NOON, raw="{}", replaces=None,
            filled_before=Decimal(0),
        )
    )  # fmt: skip
    state = desk.order(order)
    assert (state.notional, state.limit_price, state.stop_price) == (Decimal(500), Decimal(99), Decimal(98))
    assert (state.time_in_force, state.external, state.broker_order_id) == (TimeInForce.GTC, True, "b-theirs")


def test_a_leg_takes_no_other_quantity_and_no_other_price_once_it_has_filled_in_part(desk: Desk) -> None:
    entry = desk.live("buy", "10", order_class=OrderClass.OTO, take_profit=TakeProfit(Decimal(110)))
    leg = leg_order_id(entry, "take_profit")
    desk.fill(entry, "10", "100")
    desk.report(leg, "new", at=1)
    with pytest.raises(ReplaceRefused, match="is a leg: how much it is for follows from its entry"):
        desk.give(cmd.ReplaceOrder(leg, desk.ids.order_id(), LATER, quantity=Decimal(8)))
    desk.fill(leg, "2", "110")
    with pytest.raises(ReplaceRefused, match="a leg that is filled in part"):
        desk.give(cmd.ReplaceOrder(leg, desk.ids.order_id(), LATER, limit_price=Decimal(111)))
