"""Stories 5, 9, 14 and 17: a queue that is dead and looks alive, fills counted twice, and answers that are too old."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import PACE, UNREACHABLE, LoopTime, NoChance, Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.messages import Cause
from tradecore.domain.truth import Source
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.outbox import Lane, Outbox
from tradecore.ports.broker import OrderReport

S = OrderStatus


def alerts(desk: Desk) -> list[str]:
    events = [item.event for item in desk.ledger.journal.read(0, 100_000)]
    return [event.kind for event in events if isinstance(event, AlertTriggered)]


def test_story_05_delivery_starts_with_its_runner_and_needs_nothing_but_the_ledger() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        office.desk.pin()
        waiting = office.desk.place("buy", "10")  # before anybody ran
        engine = engine_of(office)
        await engine.begin("runner-1")
        await office.deliver(0.1)
        assert office.desk.order(waiting).broker_order_id is not None
        assert engine.outbox.why_stuck(0.0) is None

    run_story(story)


def test_story_05_a_queue_that_nobody_works_off_is_told_and_not_called_healthy() -> None:
    async def story() -> None:
        desk = Desk.in_memory()
        desk.pin()
        broker, clock = ScriptedBroker(), LoopTime(desk)
        other = Lane(desk.ledger, clock, desk.ids, "main", "the other", 30.0)
        assert other.may_deliver(has_work=True)  # and then it does nothing
        ours = Lane(desk.ledger, clock, desk.ids, "main", "ours", 30.0)
        outbox = Outbox(desk.ledger, broker, clock, desk.ids, NoChance(), lambda: "lease", PACE, lane=ours)
        office = attrs.evolve(Office.open(desk, broker, caught_up=False), outbox=outbox)
        engine = engine_of(office)
        await engine.begin("runner-1")
        desk.place("buy", "10")
        engine.catch_up()
        await office.deliver(0.2)
        engine.watch_delivery(60.0)
        assert "delivery_stalled" not in alerts(desk)  # it may still come
        engine.watch_delivery(0.1)
        engine.watch_delivery(0.1)
        assert alerts(desk).count("delivery_stalled") == 1
        assert broker.count("submit") == 0

    run_story(story)


@pytest.mark.parametrize("first", ["snapshot", "stream", "record"])
def test_story_09_a_fill_that_three_sources_tell_counts_once(first: str) -> None:
    async def story() -> None:
        office = Office.open()
        order = office.desk.place("buy", "10")
        await office.deliver(0.1)
        name = f"b-{office.desk.order(order).client_order_id}"
        parts = [office.broker.fill(office.broker.orders[name], qty, NOON) for qty in ("4", "6")]
        whole = office.broker.orders[name]

        async def by_snapshot() -> None:
            await office.inbox.take(OrderReport(whole, "fill", None))  # filled, and no execution: nothing is made up

        async def by_stream() -> None:
            for part in parts:
                told = attrs.evolve(part, source="stream")
                await office.inbox.take(OrderReport(whole, "partial_fill", told))

        ways = {"snapshot": by_snapshot, "stream": by_stream, "record": office.collect}
        for way in (first, *ways, first):
            await ways[way]()
            office.follower.catch_up()
        assert office.desk.account.position("SPY").quantity == 10
        assert office.desk.names().count("trade.fill.recorded") == 2
        assert office.desk.account.cash == office.broker.cash

    run_story(story)


def test_story_14_an_old_answer_is_not_live_and_no_comparison_wipes_when_a_trade_began() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        clock = LoopTime(office.desk)
        engine = engine_of(office, clock=clock, account_max_age_s=300.0)
        await engine.begin("runner-1")
        order = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver(0.1)
        office.broker.fill(office.broker.orders[f"b-{office.desk.order(order).client_order_id}"], "10", NOON)
        await engine.reconcile()
        began = office.desk.trade_of(order)
        office.broker.trouble["account"] = UNREACHABLE
        clock.skipped_s += 301
        await engine.reconcile()
        assert engine.known().source is Source.STALE
        engine.judge_age()
        assert engine.gate.reasons
        office.broker.trouble.clear()
        await engine.reconcile()
        assert engine.known().is_live
        after = office.desk.trade_of(order)
        assert (after.strategy, after.decision_id, after.position) == (
            began.strategy,
            began.decision_id,
            began.position,
        )

    run_story(story)


def test_story_17_an_outage_makes_nothing_untradable_and_blocks_no_sale() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        office.desk.pin(positions=[("SPY", "5", "100")])
        office.broker.held["SPY"] = Decimal(5)
        engine = engine_of(office)
        await engine.begin("runner-1")
        office.broker.trouble |= {"assets": UNREACHABLE, "account": UNREACHABLE}
        await engine.refresh_assets()
        await engine.reconcile()
        known = engine.assets.known()
        assert known.require("assets") == {"SPY"}
        sale = office.desk.place("sell", "5", not_after=NOON + dt.timedelta(seconds=60))
        engine.catch_up()
        await office.deliver(0.1)
        assert office.desk.order(sale).broker_order_id is not None

    run_story(story)


def test_story_17_a_list_that_is_too_old_is_not_known_and_never_a_no_to_a_sale() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        office.desk.pin(positions=[("SPY", "5", "100")])
        office.broker.held["SPY"] = Decimal(5)
        office.desk.limits(must_be_tradable=True)
        clock = LoopTime(office.desk)
        engine = engine_of(office, clock=clock, assets_max_age_s=300.0)
        await engine.assets.refresh(Cause(office.desk.ids.trace_id(), actor="test"))
        office.broker.trouble["assets"] = UNREACHABLE
        clock.skipped_s += 301
        await engine.refresh_assets()
        assert engine.assets.tradable("SPY") is None
        purchase, sale = (office.desk.ids.order_id() for _ in range(2))
        for order_id, side in ((purchase, Side.BUY), (sale, Side.SELL)):
            order = cmd.PlaceOrder(
                order_id, "main", "SPY", side, Decimal(5), OrderType.MARKET, None, TimeInForce.DAY, "test",
                NOON + dt.timedelta(seconds=60),
            )  # fmt: skip
            office.desk.give(engine.assets.on(order))
        assert office.desk.ledger.order(purchase) is None
        assert office.desk.order(sale).status is S.QUEUED

    run_story(story)
