"""What is left of an order at each step: reservations, attempts of others, unwanted fills, prices kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.terms import body_hash
from tradecore.domain.values import OrderStatus, OrderType, TimeInForce
from tradecore.errors import InputError

LATER = NOON + dt.timedelta(hours=1)
S = OrderStatus


def reserved(desk: Desk) -> list[Decimal]:
    return [held.quantity for held in desk.account.reservations.values()]


def test_a_reservation_is_for_what_is_not_filled_yet(desk: Desk) -> None:
    order = desk.live("buy", "10", limit="100")
    assert reserved(desk) == [10]
    desk.fill(order, "4", "100")
    assert reserved(desk) == [6]
    desk.fill(order, "5", "99")
    assert reserved(desk) == [1]
    desk.fill(order, "1", "98")
    assert reserved(desk) == []


def test_an_attempt_that_another_process_made_already_is_not_made_again(desk: Desk) -> None:
    order = desk.place("buy", "10", not_after=LATER)
    body = body_hash(desk.order(order))
    first = cmd.StartSubmit(order, "lease-1", body, NOON, attempt=1)
    assert desk.give(first)
    desk.give(cmd.RecordNotSent(order, "no route", 1))
    assert desk.give(first) == (), "the second attempt is meant by nobody who says the first"
    assert desk.order(order).submits == 1
    assert desk.give(cmd.StartSubmit(order, "lease-1", body, NOON, attempt=2))
    assert desk.order(order).submits == 2


def test_a_trailing_order_keeps_how_it_trails(desk: Desk) -> None:
    by_percent = desk.place("sell", "10", order_type=OrderType.TRAILING_STOP, trail_percent=Decimal("2.5"))
    by_price = desk.place("sell", "10", order_type=OrderType.TRAILING_STOP, trail_price=Decimal("1.5"))
    assert (desk.order(by_percent).trail_percent, desk.order(by_percent).trail_price) == (Decimal("2.5"), None)
    assert (desk.order(by_price).trail_percent, desk.order(by_price).trail_price) == (None, Decimal("1.5"))


@pytest.mark.parametrize("force", list(TimeInForce))
def test_times_in_force_are_the_brokers_words(force: TimeInForce) -> None:
    assert force.value == force.name.lower()


def test_an_order_that_was_given_up_and_fills_in_part_is_canceled_and_one_that_fills_wholly_is_not(desk: Desk) -> None:
    for part, wanted in (("4", 1), ("10", 0)):
        order = desk.place("buy", "10", not_after=LATER)
        desk.send(order)
        desk.give(cmd.RecordUnknown(order, "no answer", False, 1))
        desk.give(cmd.WithdrawOrder(order, "it never arrived"))
        assert desk.order(order).status is S.CANCELED
        before = desk.names().count("trade.order.cancel_requested")
        desk.fill(order, part, "100")
        assert desk.names().count("trade.order.cancel_requested") - before == wanted


def test_when_a_trade_began_is_when_it_was_first_filled(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.fill(order, "4", "100")
    desk.clock.at += dt.timedelta(minutes=1)
    desk.fill(order, "6", "101")
    assert desk.trade_of(order).opened_at == NOON


def test_a_late_word_that_an_order_is_done_releases_nothing_twice(desk: Desk) -> None:
    order = desk.done("buy", "10", "100")
    desk.report(order, "canceled", at=1)
    assert desk.order(order).status is S.FILLED
    assert reserved(desk) == []
    assert desk.account.position("SPY").quantity == 10


def test_a_stop_under_a_dollar_may_have_four_places_and_one_above_two(desk: Desk) -> None:
    assert desk.place("buy", "10", limit="0.9999")
    assert desk.place("buy", "10", limit="1.01")
    with pytest.raises(InputError, match="limit_price"):
        desk.place("buy", "10", limit="1.0001")
