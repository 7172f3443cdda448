"""The failures of delivery that other systems had, each as a story that must end well here."""

from __future__ import annotations

import datetime as dt
from typing import Any

import anyio
import pytest

from tests.delivery.rig import FAST, Rig, open_rig
from tests.delivery.test_work import LATER, alerts, place
from tests.ledger.desk import Desk
from tests.review.scripted import Office
from tradecore.domain import commands as cmd
from tradecore.domain.identity import client_order_id
from tradecore.domain.values import OrderStatus, OrderType, Purpose
from tradecore.errors import BrokerRefused, LeaseHeld, NotSent
from tradecore.journal import open_lease
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector

S = OrderStatus
WORKING = ("pending_new", "accepted", "new")


async def posts(rig: Rig, order_id: str) -> int:
    told: dict[str, int] = (await rig.seen())["posts"]
    return told.get(rig.order(order_id).client_order_id, 0)


def test_story_1_the_post_was_accepted_the_client_timed_out_and_no_second_order_came_of_it() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="hang", ms=2000, after_accept=True, count=1)
            order = rig.place()
            await rig.until_status(order, *WORKING)
            await rig.assert_exactly_one(order)
            assert await posts(rig, order) == 1

    anyio.run(story)


def test_story_2_what_was_held_up_is_sent_as_itself_and_never_as_an_earlier_request() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="http_429", count=3)
            orders = [rig.place(qty=qty, symbol=symbol) for qty, symbol in (("1", "AAA"), ("2", "BBB"), ("3", "AAA"))]
            for order in orders:
                await rig.until_status(order, *WORKING)
                theirs = await rig.assert_exactly_one(order)
                assert (theirs["qty"], theirs["symbol"]) == (str(rig.order(order).quantity), rig.order(order).symbol)

    anyio.run(story)


def test_story_3_a_kill_reaches_what_waits_and_does_not_hold_up_what_protects() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        opening = place(office, symbol="AAA")
        protecting = place(office, "sell", symbol="BBB", purpose=Purpose.PROTECT)
        await office.deliver(0.05)
        office.desk.give(cmd.RequestKill("main", "drill"))
        office.broker.trouble.clear()
        await office.deliver(0.5)
        assert (office.desk.order(opening).status, office.desk.order(opening).broker_order_id) == (S.CANCELED, None)
        assert office.desk.order(protecting).broker_order_id is not None

    anyio.run(story)


def test_story_4_a_canceled_order_is_never_sent_again_as_anything() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order = rig.place(limit="0.05")
            await rig.until_status(order, *WORKING)
            rig.give(cmd.CancelOrder(order, "test"))
            await rig.until_status(order, "canceled")
            await rig.advance(2)
            await rig.inbox.collect()
            assert rig.outbox.open_items == 0
            orders = (await rig.seen())["orders"]
            assert [(each["type"], each["status"]) for each in orders] == [("limit", "canceled")]
            assert await posts(rig, order) == 1

    anyio.run(story)


def test_story_6_work_that_was_under_way_when_its_process_died_is_taken_up_again() -> None:
    async def story() -> None:
        office = Office.open()
        submitting = place(office, symbol="AAA")
        office.desk.send(submitting)  # and killed before the call
        canceling = office.desk.live("buy", "1", "BBB", limit="1")
        office.desk.give(cmd.CancelOrder(canceling, "test"))
        office.desk.give(cmd.StartCancel(canceling, "lease-1"))  # and killed before the call
        name = office.desk.order(canceling).client_order_id
        office.broker.have(name, "BBB", broker_order_id=f"b-{canceling}", status=S.CANCELED)
        office.desk.give(cmd.RequestKill("main", "drill"))
        office.desk.give(cmd.StartKill("main", "lease-1"))  # and killed before the call
        again = Office.open(office.desk, office.broker, "lease-2")
        await again.deliver(0.5)
        assert again.desk.order(submitting).status.is_terminal or again.desk.order(submitting).broker_order_id
        assert again.broker.count("cancel") == 1
        killed = again.desk.ledger.kill("main")
        assert killed is not None
        assert not killed.is_open
        assert again.broker.count("cancel_all") >= 1
        Projector(again.desk.ledger.journal, ALL_VIEWS).catch_up()
        left = {row["work_id"]: row["status"] for row in read_rows(again.desk.ledger.journal, "outbox")}
        assert not {"pending", "running", "unknown"} & set(left.values()), left

    anyio.run(story)


@pytest.mark.parametrize("words", ["error 404 in row 422", "503 shares short", "timeout of 400 ms"])
def test_story_7_digits_in_a_message_decide_nothing(words: str) -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent(words)
        order = place(office)
        await office.deliver(0.05)
        assert not office.desk.order(order).status.is_terminal
        other = Office.open()
        other.broker.trouble["submit"] = BrokerRefused(403, 40310000, words)
        refused = place(other)
        await other.deliver(0.1)
        assert other.desk.order(refused).status is S.REJECTED

    anyio.run(story)


def test_story_8_the_same_order_twice_in_one_instant_is_two_orders(desk: Desk) -> None:
    first, second = desk.place("buy", "10"), desk.place("buy", "10")
    ids = {desk.order(order).client_order_id for order in (first, second)}
    assert len(ids) == 2
    assert client_order_id(first, desk.ledger.epoch) in ids  # and the same on every attempt


def test_story_16_two_outboxes_over_one_ledger_at_the_same_moment_send_each_order_once() -> None:
    async def story() -> None:
        first = Office.open()
        second = Office.open(first.desk, first.broker, "lease-2")
        orders = [place(first, symbol=f"S{number}") for number in range(20)]
        for office in (first, second):
            office.follower.catch_up()
        with anyio.move_on_after(0.5):
            async with anyio.create_task_group() as group:
                group.start_soon(first.outbox.run)
                group.start_soon(second.outbox.run)
        assert first.broker.count("submit") == len(orders)

    anyio.run(story)


def test_story_21_a_second_engine_on_the_ledger_is_refused(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first, second = open_lease(url), open_lease(url)
    first.acquire("one")
    for shared in (False, True):
        with pytest.raises(LeaseHeld, match="one"):
            second.acquire("two", shared=shared)
    first.release()
    second.acquire("two", shared=True)
    with pytest.raises(LeaseHeld, match="share"):
        first.acquire("one")
    first.acquire("one", shared=True)
    first.release()
    second.release()


def test_monday_does_not_send_fridays_order() -> None:
    async def story() -> None:
        office = Office.open()
        order = place(office, not_after=office.desk.clock.now() + dt.timedelta(seconds=30))
        office.desk.clock.at += dt.timedelta(days=3)
        await office.deliver(0.1)
        assert office.broker.count("submit") == 0
        assert office.desk.order(order).status is S.CANCELED

    anyio.run(story)


def test_an_order_that_was_looked_up_in_vain_until_its_time_had_passed_is_not_sent_again() -> None:
    async def story() -> None:
        async with open_rig(pace=FAST) as rig:
            await rig.arm(kind="http_504", count=1)
            order = rig.place(not_after=rig.clock.now() + dt.timedelta(seconds=0.3))
            await rig.until_status(order, "canceled")
            assert (await rig.seen())["orders"] == []

    anyio.run(story)


def test_a_dead_item_alerts_once_and_not_in_a_storm() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        place(office, order_type=OrderType.MARKET, not_after=LATER)
        await office.deliver(1.0)
        await office.deliver(0.3)
        assert alerts(office.desk) == ["delivery_dead"]

    anyio.run(story)


def test_two_that_looked_up_the_same_order_in_vain_send_it_again_once() -> None:
    async def story() -> None:
        first = Office.open()
        order = place(first)
        first.desk.send(order)  # and its process died
        second = Office.open(first.desk, first.broker, "lease-2")
        first.follower.catch_up()
        with anyio.move_on_after(0.3):
            async with anyio.create_task_group() as group:
                group.start_soon(first.outbox.run)
                group.start_soon(second.outbox.run)
        assert first.broker.count("submit") == 1
        assert first.desk.order(order).submits == 2

    anyio.run(story)
