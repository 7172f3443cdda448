"""Comparisons come to a conclusion, or say that they did not; orders are compared like positions and cash."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import UNREACHABLE, LoopTime, Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.truth import Source
from tradecore.domain.values import OrderStatus
from tradecore.engine import Engine
from tradecore.inbox import Inbox
from tradecore.ports.broker import ActivityKind, ActivityPage, BrokerAccount, BrokerActivity
from tradecore.reconcile import Differences

S = OrderStatus


async def open_office(**terms: Any) -> tuple[Office, Engine]:
    office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
    engine = engine_of(office, **terms)
    await engine.begin("runner-1")
    return office, engine


async def working(office: Office, engine: Engine) -> tuple[str, str]:
    """An order of ours that the broker works, and its id there."""
    order_id = office.desk.place("buy", "10")
    engine.catch_up()
    await office.deliver(0.1)
    engine.catch_up()
    broker_id = office.desk.order(order_id).broker_order_id
    assert broker_id is not None
    return order_id, broker_id


def open_differences(office: Office) -> list[tuple[str, str, str, str]]:
    known = Differences.of(office.desk.ledger, "main").open.values()
    return [(one.found.kind, one.found.subject, one.found.ours, one.found.theirs) for one in known]


def test_an_order_that_the_broker_shows_in_another_state_is_a_difference_until_it_agrees() -> None:
    async def story() -> None:
        office, engine = await open_office()
        order_id, broker_id = await working(office, engine)
        shown = office.broker.orders[broker_id]
        office.broker.orders[broker_id] = attrs.evolve(shown, status=S.CANCELED)
        await engine.reconcile()
        assert office.desk.order(order_id).status is S.CANCELED
        office.broker.orders[broker_id] = shown  # it works again, or always did
        await engine.reconcile()
        assert not engine.gate.reasons  # told once it stays so: a status may be a moment late
        await engine.reconcile()
        assert open_differences(office) == [("status of order", order_id, "canceled", "new")]
        assert engine.gate.reasons
        office.broker.orders[broker_id] = attrs.evolve(shown, status=S.CANCELED)
        await engine.reconcile()
        assert open_differences(office) == []
        assert engine.gate.reasons == ()

    run_story(story)


def test_an_order_that_the_broker_does_not_show_any_more_is_a_difference() -> None:
    async def story() -> None:
        office, engine = await open_office()
        order_id, broker_id = await working(office, engine)
        gone = office.broker.orders.pop(broker_id)
        for _ in range(2):
            await engine.reconcile()
        assert open_differences(office) == [("presence of order", order_id, "new", "nothing")]
        office.broker.orders[broker_id] = gone
        await engine.reconcile()
        assert open_differences(office) == []

    run_story(story)


def test_a_filled_quantity_that_differs_is_a_difference_of_the_order() -> None:
    async def story() -> None:
        office, engine = await open_office()
        order_id, broker_id = await working(office, engine)
        office.broker.fill(office.broker.orders[broker_id], "10", NOON + dt.timedelta(seconds=1))
        await engine.reconcile()
        assert office.desk.order(order_id).status is S.FILLED
        shown = office.broker.orders[broker_id]
        office.broker.orders[broker_id] = attrs.evolve(shown, filled_qty=Decimal(9))
        for _ in range(2):
            await engine.reconcile()
        assert open_differences(office) == [("filled quantity of order", order_id, "10", "9")]

    run_story(story)


def test_what_was_compared_too_long_ago_is_stale_and_nothing_new_is_begun_on_it() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        clock = LoopTime(office.desk)
        engine = engine_of(office, clock=clock, account_max_age_s=300.0)
        await engine.begin("runner-1")
        assert engine.known().is_live
        clock.skipped_s += 301
        assert engine.known().source is Source.STALE
        waiting = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver(0.1)
        assert office.desk.order(waiting).status is S.QUEUED
        assert "last compared" in engine.gate.reasons[0]

    run_story(story)


@pytest.mark.parametrize("subject", ["SPY", "QQQ"])
def test_only_what_an_unresolved_order_may_explain_waits_for_it(subject: str) -> None:
    async def story() -> None:
        office, engine = await open_office()
        office.broker.trouble["order_by_client_id"] = UNREACHABLE
        order_id = office.desk.place("buy", "10")
        office.desk.send(order_id)
        office.desk.give(cmd.RecordUnknown(order_id, "no answer"))
        engine.catch_up()
        office.broker.held[subject] = Decimal(10)
        for _ in range(3):
            await engine.reconcile()
        assert bool(open_differences(office)) == (subject == "QQQ")
        assert engine.is_unsure == (subject == "SPY")
        assert engine.gate.reasons  # in doubt nothing new is begun either

    run_story(story)


def test_an_account_that_was_compared_without_a_conclusion_grows_old() -> None:
    async def story() -> None:
        office, engine = await open_office(account_max_age_s=300.0)
        before = engine.known()
        assert before.is_live
        office.desk.send(office.desk.place("buy", "10"))
        engine.catch_up()
        office.broker.held["SPY"] = Decimal(10)
        await anyio.sleep(0.01)
        await engine.reconcile()
        assert engine.is_unsure
        after = engine.known()
        assert after.as_of == before.as_of
        assert after.age is not None
        assert after.age > dt.timedelta(0)

    run_story(story)


class Charging(ScriptedBroker):
    """Charges a fee that another process books before this one hears of it: as activities or the account are read."""

    other: Inbox | None = None
    moment = ""

    def charge(self) -> None:
        name = f"fee-{len(self.activities)}"
        self.cash -= Decimal("0.05")
        self.activities.append(
            BrokerActivity(name, ActivityKind.FEE, "SPY", Decimal("-0.05"), Decimal(0), NOON.date(), "{}")
        )

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        if self.moment == "activities" and self.other is not None:
            other, self.other = self.other, None
            await other.collect_activities()
        return await super().activities_since(since)

    async def account(self) -> BrokerAccount:
        if self.moment == "account" and self.other is not None and self.count("activities_since"):
            other, self.other = self.other, None
            self.charge()
            await other.collect_activities()
        return await super().account()


@pytest.mark.parametrize("moment", ["activities", "account"])
def test_what_another_process_books_while_this_one_compares_is_no_difference(moment: str) -> None:
    async def story() -> None:
        broker = Charging()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        other = Desk.over(office.desk.ledger.journal)
        other.ids._next = itertools.count(10**6)
        broker.charge()
        broker.calls.clear()
        broker.moment, broker.other = moment, Inbox(other.ledger, broker, other.ids, "main")
        await engine.reconcile()
        assert "system.reconciliation.difference" not in office.desk.names()
        await engine.reconcile()
        assert office.desk.account.cash == broker.cash
        assert vars(broker)["other"] is None, "it was booked meanwhile"
        assert "system.reconciliation.difference" not in office.desk.names()

    run_story(story)
