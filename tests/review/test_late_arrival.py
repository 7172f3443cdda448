"""An order that was given up and arrives after all is live: it is told so, watched, and taken off the market."""

from __future__ import annotations

from tests.ledger.desk import Desk
from tests.review.scripted import Office
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.verify import verify


def _given_up(desk: Desk) -> str:
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    desk.give(cmd.RecordUnknown(order_id, "timeout"))
    desk.give(cmd.WithdrawOrder(order_id, "it never arrived at the broker, and it is too late to send"))
    assert desk.order(order_id).status == "canceled"
    return order_id


def test_an_order_that_arrives_after_it_was_given_up_is_not_called_canceled_while_the_broker_works_it() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = _given_up(desk)
    desk.report(order_id, "new")
    assert not desk.order(order_id).status.is_terminal


def test_an_order_that_arrives_after_it_was_given_up_is_canceled_at_the_broker() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = _given_up(office.desk)
        office.desk.report(order_id, "new")
        await office.deliver()
        assert ("cancel", f"b-{order_id}") in office.broker.calls
        office.desk.report(order_id, "canceled", at=5)
        assert office.desk.order(order_id).is_settled
        assert office.desk.account.reservations == {}

    run_story(story)


def test_a_refused_second_attempt_does_not_hide_that_the_first_one_arrived() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    desk.give(cmd.RecordUnknown(order_id, "timeout"))
    desk.send(order_id)
    desk.give(cmd.RecordRejection(order_id, "403/40310000", "insufficient buying power", "{}"))
    desk.report(order_id, "new")  # the first attempt, which took the buying power
    assert not desk.order(order_id).status.is_terminal
    desk.fill(order_id, "10", "100")
    assert desk.order(order_id).status == "filled"
    assert desk.account.position("SPY").quantity == 10


def test_an_order_that_arrives_late_and_is_filled_already_ends_as_filled() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = _given_up(desk)
    desk.report(order_id, "filled", filled="10")
    assert not desk.order(order_id).cancel_requested
    desk.fill(order_id, "10", "100")
    assert desk.order(order_id).status == "filled"


def test_an_order_that_arrives_late_counts_against_the_limits_again_until_it_ends() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = _given_up(desk)
    assert desk.account.reservations == {}
    desk.report(order_id, "new")
    assert desk.account.reservations[order_id].quantity == 10
    desk.fill(order_id, "4", "100")
    assert desk.account.reservations[order_id].quantity == 6
    desk.report(order_id, "canceled", filled="4", at=5)
    assert desk.account.reservations == {}


def test_a_fill_that_is_the_first_word_of_an_order_that_was_given_up_counts_once() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = _given_up(desk)
    desk.fill(order_id, "4", "100")
    assert desk.order(order_id).cancel_requested
    assert desk.account.reservations[order_id].quantity == 6
    assert desk.account.position("SPY").quantity == 4
    assert not verify(desk.ledger.journal).findings
