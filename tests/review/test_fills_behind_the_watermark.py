"""A fill that was missed is read again, however many later fills came meanwhile."""

from __future__ import annotations

import datetime as dt

import attrs

from tests.ledger.desk import NOON
from tests.review.scripted import UNREACHABLE, Office, engine_of
from tests.virtual_time import run_story
from tradecore.ports.broker import OrderReport, StreamConnected

MINUTE = dt.timedelta(minutes=1)


def test_a_fill_missed_while_the_stream_was_down_is_not_lost_when_a_later_one_comes_by_the_stream() -> None:
    async def story() -> None:
        office = Office.open()
        first, second = office.desk.place("buy", "10"), office.desk.place("buy", "5", symbol="QQQ")
        await office.deliver()
        of = {order: office.broker.orders[f"b-{office.desk.order(order).client_order_id}"] for order in (first, second)}
        office.broker.fill(of[first], "10", NOON + MINUTE)  # nobody hears of it
        office.broker.trouble["orders_since"] = UNREACHABLE
        await office.inbox.take(StreamConnected())
        later = attrs.evolve(office.broker.fill(of[second], "5", NOON + 5 * MINUTE), source="stream")
        report = OrderReport(office.broker.orders[of[second].broker_order_id], "fill", later)
        await office.inbox.take(report)
        office.follower.catch_up()
        office.broker.trouble.clear()
        await office.collect()
        await office.collect()
        assert office.desk.order(first).status == "filled"
        assert not office.inbox.behind

    run_story(story)


def test_a_fill_missed_before_a_restart_is_not_lost_behind_later_fills() -> None:
    async def story() -> None:
        office = Office.open()
        first, second = office.desk.place("buy", "10"), office.desk.place("buy", "5", symbol="QQQ")
        await office.deliver()
        of = {order: office.broker.orders[f"b-{office.desk.order(order).client_order_id}"] for order in (first, second)}
        office.broker.fill(of[first], "4", NOON + MINUTE)
        later = attrs.evolve(office.broker.fill(of[second], "5", NOON + 5 * MINUTE), source="stream")
        await office.inbox.take(OrderReport(office.broker.orders[of[second].broker_order_id], "fill", later))
        again = Office.open(office.desk, office.broker, caught_up=False)
        await engine_of(again).begin("runner-2")
        assert again.desk.order(first).filled_qty == 4

    run_story(story)
