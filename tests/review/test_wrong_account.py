"""An order goes to its own account's broker or nowhere."""

from __future__ import annotations

from tests.review.scripted import Office, engine_of
from tests.virtual_time import run_story


def test_an_order_of_another_account_of_the_ledger_is_not_sent_with_these_keys() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.place("buy", "10", account="other")
        await office.deliver()
        assert office.broker.count("submit") == 0
        assert office.broker.count("order_by_client_id") == 0
        assert office.desk.order(order_id).status == "queued"

    run_story(story)


def test_a_restart_does_not_take_up_the_orders_of_another_account() -> None:
    async def story() -> None:
        office = Office.open(caught_up=False)
        office.desk.send(office.desk.place("buy", "10", account="other"))  # in flight with the other keys
        await engine_of(office).begin("runner-1")
        await office.deliver()
        assert office.broker.count("submit") == 0
        assert office.outbox.open_items == 0

    run_story(story)
