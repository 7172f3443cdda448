"""The alarm rings for a difference, and only for one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import anyio
import attrs

from tests.ledger.desk import NOON
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain.events import AlertTriggered
from tradecore.ports.broker import BrokerAccount, OrderReport


def alarms(office: Office) -> list[str]:
    events = [item.event for item in office.desk.ledger.journal.read(0, 10_000)]
    return [event.message for event in events if isinstance(event, AlertTriggered)]


def test_a_fill_between_reading_our_books_and_the_brokers_is_no_mismatch() -> None:
    async def story() -> None:
        class Market(ScriptedBroker):
            ready = False

            async def account(self) -> BrokerAccount:
                if self.ready:  # the market fills while we ask, and the stream says so
                    self.ready = False
                    execution = attrs.evolve(self.fill(order, "10", NOON + dt.timedelta(seconds=5)), source="stream")
                    await office.inbox.take(OrderReport(self.orders[order.broker_order_id], "fill", execution))
                return await super().account()

        broker = Market()
        office = Office.open(None, broker)
        engine = engine_of(office)
        order_id = office.desk.place("buy", "10")
        await office.deliver()
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        broker.ready = True
        await engine.reconcile()
        assert office.desk.order(order_id).status == "filled"
        assert alarms(office) == []

    run_story(story)


def test_a_fill_that_never_comes_is_an_alarm_and_not_silence() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office, patience_s=0.3)
        order_id = office.desk.place("buy", "10")
        await office.deliver()
        order = office.broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        office.broker.fill(order, "10", NOON)
        office.broker.fills.clear()  # the record of executions does not have it, or it cannot be read
        with anyio.move_on_after(10):
            while not alarms(office):
                await engine.reconcile()
                await anyio.sleep(0.05)
        assert office.inbox.behind
        assert any("SPY" in message for message in alarms(office))

    run_story(story)


def test_a_real_difference_rings_at_once() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.held["SPY"] = Decimal(7)
        await engine_of(office).reconcile()
        assert any("SPY" in message for message in alarms(office))

    run_story(story)
