"""A cancel that could not be brought to the broker can be asked for again."""

from __future__ import annotations

from tests.review.scripted import Office
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.errors import NotSent


def test_a_cancel_that_did_not_reach_the_broker_in_three_attempts_is_sent_when_it_is_asked_for_again() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.place("buy", "10", limit="1")
        office.desk.send(order_id)
        office.desk.answer(order_id, "new")
        office.broker.trouble["cancel"] = NotSent("no route to the broker")
        office.desk.give(cmd.CancelOrder(order_id, "by hand"))
        await office.deliver(0.5)
        assert office.broker.count("cancel") == 3
        assert "system.alert.triggered" in office.desk.names()
        office.broker.trouble.clear()
        office.desk.give(cmd.CancelOrder(order_id, "by hand, again"))
        await office.deliver()
        assert office.broker.count("cancel") == 4
        assert office.desk.order(order_id).cancel_taken

    run_story(story)


def test_a_cancel_that_the_broker_took_and_did_not_carry_out_can_be_asked_for_again() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.live("buy", "10", limit="1")
        office.desk.give(cmd.CancelOrder(order_id, "by hand"))
        await office.deliver()
        assert office.desk.order(order_id).cancel_taken
        office.desk.report(order_id, "new", at=5)  # order_cancel_rejected: it works on
        office.desk.give(cmd.CancelOrder(order_id, "by hand, again"))
        await office.deliver()
        assert office.broker.count("cancel") == 2

    run_story(story)


def test_a_crash_during_the_last_attempt_of_a_cancel_does_not_lose_it() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.live("buy", "10", limit="1")
        office.desk.give(cmd.CancelOrder(order_id, "by hand"))
        for _ in range(2):
            office.desk.give(cmd.StartCancel(order_id, "lease-1"))
            office.desk.give(cmd.RecordCancelAnswer(order_id, False, "no route"))
        office.desk.give(cmd.StartCancel(order_id, "lease-1"))  # and killed here
        again = Office.open(office.desk, office.broker, "lease-2")
        await again.deliver()
        assert again.broker.count("cancel") == 1
        assert again.desk.order(order_id).cancel_taken

    run_story(story)
