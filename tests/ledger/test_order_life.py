"""The life of an order: what may follow what, and what says nothing new."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.values import OrderStatus, TimeInForce
from tradecore.errors import CancelRefused, InputError, InvariantViolated

S = OrderStatus


def test_one_command_writes_order_trade_and_account_together(desk: Desk) -> None:
    head = desk.ledger.journal.head()
    desk.place("buy", "10")
    streams = {recorded.envelope.stream.split("-")[0] for recorded in desk.ledger.journal.read(head)}
    assert streams == {"order", "trade", "account"}


def test_the_way_of_a_filled_order(desk: Desk) -> None:
    order = desk.place("buy", "10")
    assert desk.order(order).status is S.QUEUED
    desk.send(order)
    assert desk.order(order).status is S.SUBMITTED
    desk.answer(order)
    assert desk.order(order).status is S.PENDING_NEW
    desk.report(order, "new", at=1)
    assert desk.order(order).status is S.NEW
    desk.fill(order, "4", "100")
    assert desk.order(order).status is S.PARTIALLY_FILLED
    desk.fill(order, "6", "101")
    state = desk.order(order)
    assert (state.status, state.filled_qty, state.filled_value) == (S.FILLED, Decimal(10), Decimal(1006))
    assert desk.account.reservations == {}


def test_a_late_word_cannot_reopen_a_filled_order(desk: Desk) -> None:
    order = desk.done("buy", "10", "100")
    for word in ("new", "accepted", "pending_cancel", "canceled", "expired", "rejected", "partially_filled"):
        assert desk.report(order, word, at=60) == ()
    assert desk.order(order).status is S.FILLED


def test_an_earlier_status_never_replaces_a_later_one(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.report(order, "new", at=1)
    assert desk.report(order, "accepted", at=2) == ()
    assert desk.report(order, "pending_new", at=3) == ()
    assert desk.order(order).status is S.NEW


def test_working_statuses_follow_the_brokers_clock(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.report(order, "pending_cancel", at=10)
    assert desk.report(order, "new", at=5) == ()
    desk.report(order, "new", at=20)
    assert desk.order(order).status is S.NEW


@pytest.mark.parametrize("detour", ["suspended", "pending_cancel", "pending_replace", "stopped", "done_for_day"])
def test_an_order_filled_in_part_works_again_when_a_detour_is_over(desk: Desk, detour: str) -> None:
    order_id = desk.live("buy", "10")
    desk.fill(order_id, "4", "100")
    desk.report(order_id, "partially_filled", "4", at=1)
    desk.report(order_id, detour, "4", at=2)
    assert desk.order(order_id).status == OrderStatus(detour)
    desk.report(order_id, "partially_filled", "4", at=1)  # told late
    assert desk.order(order_id).status == OrderStatus(detour)
    desk.report(order_id, "partially_filled", "4", at=3)
    assert desk.order(order_id).status == OrderStatus.PARTIALLY_FILLED
    desk.fill(order_id, "6", "100")
    assert desk.order(order_id).is_settled


def test_a_repeated_word_changes_nothing(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.report(order, "new", at=1)
    assert desk.report(order, "new", at=1) == ()
    assert desk.answer(order) == ()


def test_a_fill_before_the_answer_counts_and_the_answer_says_nothing_new(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.fill(order, "10", "100")
    assert desk.order(order).status is S.FILLED
    assert desk.order(order).broker_order_id == f"b-{order}"
    assert desk.answer(order) == ()
    assert desk.account.position("SPY").quantity == 10


def test_a_repeated_fill_does_nothing(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.fill(order, "4", "100", cum="4")
    head = desk.ledger.journal.head()
    assert desk.fill(order, "4", "100", cum="4") == ()
    assert desk.ledger.journal.head() == head


def test_fills_out_of_order_add_up(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.fill(order, "6", "101", cum="10")
    desk.fill(order, "4", "100", cum="4")
    assert desk.order(order).status is S.FILLED
    assert desk.account.cash == -Decimal(6 * 101 + 4 * 100)


def test_more_fills_than_ordered_stop_everything(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.fill(order, "10", "100")
    head = desk.ledger.journal.head()
    with pytest.raises(InvariantViolated, match="exceed"):
        desk.fill(order, "1", "100")
    assert desk.ledger.journal.head() == head


def test_two_broker_orders_for_one_intent_stop_everything(desk: Desk) -> None:
    order = desk.live("buy", "10")
    second = cmd.RecordReport(order, "b-other", S.NEW, Decimal(0), NOON, "stream", "{}")
    with pytest.raises(InvariantViolated, match="two for one intent"):
        desk.give(second)


def test_a_canceled_order_keeps_what_was_filled_and_frees_the_rest(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.fill(order, "4", "100")
    desk.report(order, "canceled", filled="4", at=1)
    state = desk.order(order)
    assert (state.status, state.filled_qty, state.is_settled) == (S.CANCELED, Decimal(4), True)
    assert desk.account.reservations == {}


def test_a_reservation_stays_until_the_fills_of_a_canceled_order_are_recorded(desk: Desk) -> None:
    """The broker says 4 were filled before the cancel; until they are here, they could still move the position."""
    order = desk.live("buy", "10")
    desk.report(order, "canceled", filled="4", at=1)
    assert not desk.order(order).is_settled
    assert order in desk.account.reservations
    desk.fill(order, "4", "100")
    assert desk.order(order).status is S.CANCELED
    assert desk.account.reservations == {}
    assert desk.account.position("SPY").quantity == 4


def test_a_rejected_order_frees_its_reservation_and_abandons_its_trade(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordRejection(order, "403/40310000", "insufficient buying power", "{}"))
    assert desk.order(order).status is S.REJECTED
    assert desk.account.reservations == {}
    assert desk.trade_of(order).status == "abandoned"


def test_a_refusal_after_the_broker_had_the_order_is_not_believed(desk: Desk) -> None:
    """A second send answered "duplicate" or worse cannot reject an order that lives."""
    order = desk.live("buy", "10")
    assert desk.give(cmd.RecordRejection(order, "422/40010001", "client_order_id must be unique", "{}")) == ()
    assert desk.order(order).status is S.PENDING_NEW


def test_unknown_is_a_state_that_keeps_the_reservation(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordUnknown(order, "read timeout"))
    assert desk.order(order).status is S.UNKNOWN
    assert order in desk.account.reservations
    desk.answer(order)
    assert desk.order(order).status is S.PENDING_NEW


def test_what_was_not_sent_is_queued_again(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordNotSent(order, "connection refused"))
    assert desk.order(order).status is S.QUEUED
    desk.send(order)
    assert desk.order(order).submits == 2


def test_a_stale_intent_is_withdrawn_instead_of_sent(desk: Desk) -> None:
    """Monday does not send Friday's order."""
    order = desk.place("buy", "10")
    desk.clock.at += dt.timedelta(days=3)
    desk.send(order)
    assert desk.order(order).status is S.CANCELED
    assert desk.order(order).submits == 0


def test_an_intent_canceled_before_it_was_sent_is_never_sent(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.give(cmd.CancelOrder(order, "changed my mind"))
    assert desk.order(order).status is S.CANCELED
    assert desk.send(order) == ()


def test_a_cancel_is_only_a_request(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order, "test"))
    desk.give(cmd.StartCancel(order, "lease-1"))
    desk.give(cmd.RecordCancelAnswer(order, True, ""))
    assert desk.order(order).status is S.PENDING_NEW
    desk.fill(order, "10", "100")
    assert desk.order(order).status is S.FILLED


def test_canceling_a_finished_or_unknown_order_is_refused(desk: Desk) -> None:
    order = desk.done("buy", "10", "100")
    with pytest.raises(CancelRefused, match="already filled"):
        desk.give(cmd.CancelOrder(order, "test"))
    with pytest.raises(CancelRefused, match="no order"):
        desk.give(cmd.CancelOrder("00000000-0000-0000-0000-00000000ffff", "test"))


def test_other_content_than_was_decided_is_dead_and_not_submitted(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.give(cmd.StartSubmit(order, "lease-1", "0" * 64, desk.clock.now()))
    assert (desk.order(order).dead, desk.order(order).submits) == (True, 0)
    assert desk.names()[-1] == "trade.order.dead"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"qty": "0"}, "quantity"),
        ({"qty": "-1"}, "quantity"),
        ({"qty": "NaN"}, "quantity"),
        ({"limit": "-1"}, "limit_price"),
        ({"limit": "NaN"}, "limit_price"),
        ({"qty": "1.5", "time_in_force": TimeInForce.GTC}, "time_in_force"),
        ({"extended_hours": True}, "extended_hours"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_and_nothing_is_recorded(
    desk: Desk, terms: dict[str, Any], field: str
) -> None:
    head = desk.ledger.journal.head()
    qty = str(terms.pop("qty", "1"))
    with pytest.raises(InputError) as caught:
        desk.place("buy", qty, **terms)
    assert caught.value.field == field
    assert desk.ledger.journal.head() == head


@pytest.mark.parametrize("word", ["expired", "replaced", "rejected"])
def test_every_other_ending_settles_the_order(desk: Desk, word: str) -> None:
    order = desk.live("buy", "10")
    desk.report(order, word, at=1)
    assert desk.order(order).status == word
    assert desk.order(order).is_settled
    assert desk.account.reservations == {}


def test_the_outcome_of_an_attempt_that_another_one_followed_is_kept_and_changes_nothing(desk: Desk) -> None:
    """A process that slept comes back: its refusal or its silence says nothing of the attempt that is under way."""
    order = desk.place("buy", "10")
    desk.send(order)
    desk.send(order)  # another process, after look-ups
    for late in (
        cmd.RecordRejection(order, "403", "no", "{}", attempt=1),
        cmd.RecordNotSent(order, "too late", attempt=1),
        cmd.RecordUnknown(order, "timed out", attempt=1),
    ):
        assert [item.envelope.name for item in desk.give(late)] == ["trade.order.stale_outcome"]
    assert (desk.order(order).status, desk.order(order).in_flight) == (S.SUBMITTED, True)
    desk.answer(order)
    desk.give(cmd.RecordNotSent(order, "too late", attempt=1))
    assert desk.order(order).status is S.PENDING_NEW


def test_the_word_that_an_order_exists_counts_from_whichever_attempt_it_comes(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.send(order)
    desk.give(cmd.RecordNotSent(order, "refused", attempt=2))
    desk.give(cmd.RecordUnknown(order, "must be unique", exists=True, attempt=1))
    assert (desk.order(order).status, desk.order(order).exists_at_broker) == (S.UNKNOWN, True)
