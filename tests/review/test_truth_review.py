"""Truth and books where sources repeat, contradict, come late, or are of a time before the ledger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.ledger.revisions import Told, tell
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tradecore.domain import commands as cmd
from tradecore.domain.values import Side
from tradecore.errors import InputError
from tradecore.gate import Gate
from tradecore.ports.broker import ActivityKind, BrokerActivity, OrderReport
from tradecore.reconcile import Difference, Differences, Reconciler
from tradecore.verify import verify


def clean(desk: Desk) -> bool:
    assert verify(desk.ledger.journal).findings == ()
    return True


@pytest.mark.parametrize("names", [None, "unlike"])
def test_a_bust_that_is_read_again_does_not_bust_another_fill_of_the_same_size_and_price(names: str | None) -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "20")
    tell(desk, Told(order_id, "s1", "10", "100", "10"))
    tell(desk, Told(order_id, "s2", "10", "100", "20"))
    bust = Told(order_id, "b1", "10", "100", "10", revises=names, busts=True, second=5, source="activities")
    for _ in range(3):
        tell(desk, bust)
    assert desk.account.position("SPY").quantity == 10
    assert clean(desk)


def test_a_correction_that_cannot_be_booked_keeps_no_fill_from_being_counted() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "c1", "8", "100", "8", revises="x2", second=5))
    with pytest.raises(InputError, match="no more than the order's 10"):
        tell(desk, Told(order_id, "c2", "15", "100", "15", revises="x1", second=5))
    tell(desk, Told(order_id, "x1", "5", "100", "5"))
    tell(desk, Told(order_id, "x2", "5", "100", "10"))
    assert desk.account.position("SPY").quantity == 10
    assert clean(desk)


def test_an_order_from_before_the_books_that_fills_later_is_counted_and_without_what_was_filled_before() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        old = broker.have("by-hand", qty="10", updated_at=NOON - dt.timedelta(days=1))
        broker.fill(old, "4", NOON - dt.timedelta(hours=20))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert office.desk.account.position("SPY").quantity == 4
        broker.fill(old, "6", NOON + dt.timedelta(minutes=5))
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert engine.gate.reasons == ()
        assert clean(office.desk)

    anyio.run(story)


def test_an_order_from_before_the_books_that_the_stream_tells_of_is_counted_once() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        old = broker.have("by-hand", qty="10", updated_at=NOON - dt.timedelta(days=1))
        broker.fill(old, "4", NOON - dt.timedelta(hours=20))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        execution = broker.fill(old, "6", NOON + dt.timedelta(minutes=5))
        told = attrs.evolve(execution, source="stream")
        await office.inbox.take(OrderReport(broker.orders[old.broker_order_id], "fill", told))
        engine.catch_up()
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert engine.gate.reasons == ()

    anyio.run(story)


def test_a_dividend_of_a_long_stop_is_booked_though_an_order_was_filled_since() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order_id = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        engine.catch_up()
        paid = (NOON + dt.timedelta(days=2)).date()
        broker.activities.append(
            BrokerActivity("d1", ActivityKind.DIVIDEND, "SPY", Decimal("12.5"), Decimal(0), paid, "{}")
        )
        broker.cash += Decimal("12.5")
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        broker.fill(order, "10", NOON + dt.timedelta(days=20))
        for _ in range(3):
            await engine.reconcile()
        assert engine.gate.reasons == ()
        assert office.desk.account.cash == broker.cash

    anyio.run(story)


def differing(desk: Desk, tolerance: str, *found: Difference) -> Differences:
    return Reconciler(desk.ledger, desk.ids, "main", Decimal(tolerance)).record("schedule", NOON, found)


def test_a_larger_tolerance_lets_go_of_a_difference_of_cash_that_is_open_and_a_smaller_one_gates() -> None:
    desk = Desk.in_memory()
    desk.pin()
    cash = Difference("cash", "USD", "100", "103")
    assert differing(desk, "1", cash).gating
    assert not differing(desk, "5", cash).gating
    assert differing(desk, "1", cash).gating


def test_a_position_taken_over_from_the_broker_leaves_no_strategy_to_sell_what_is_gone() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "10", "100")
    adjustment = cmd.BookAdjustment(
        "main", "difference-1", "SPY", Decimal(-10), Decimal(100), Decimal(1000), "sold elsewhere"
    )
    desk.give(adjustment)
    assert desk.account.position("SPY").quantity == 0
    refused = Gate().refuses(desk.account, "test", "SPY", Side.SELL, Decimal(10))
    assert refused is not None or desk.account.held("test", "SPY") == 0


def test_an_order_that_contradicts_itself_holds_back_new_risk_after_a_restart_too() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order_id = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        engine.catch_up()
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        broker.fill(order, "10", NOON + dt.timedelta(seconds=1))
        await engine.reconcile()
        twin = broker.have(order.client_order_id, broker_order_id="b-twin")
        await office.inbox.take(OrderReport(twin, "new", None))
        engine.catch_up()
        await engine.reconcile()
        assert engine.gate.reasons
        again = Office.open(office.desk, broker, "lease-2", caught_up=False)
        later = engine_of(again)
        broker.orders.pop("b-twin")
        await later.begin("runner-2")
        assert later.gate.reasons

    anyio.run(story)


@pytest.mark.parametrize("minutes", [-0.5, -30, -1200])
@pytest.mark.parametrize("later_s", [20, 300])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_order_that_worked_when_the_books_began_counts_what_it_fills_after_that_and_settles(
    minutes: float, later_s: int, streamed: bool
) -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        placed = NOON + dt.timedelta(minutes=minutes)
        old = broker.have("by-hand", qty="10", updated_at=placed)
        broker.fill(old, "4", placed + dt.timedelta(seconds=1))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert office.desk.account.position("SPY").quantity == 4
        await engine.reconcile()
        execution = broker.fill(old, "6", NOON + dt.timedelta(seconds=later_s))
        if streamed:
            told = attrs.evolve(execution, source="stream")
            await office.inbox.take(OrderReport(broker.orders[old.broker_order_id], "fill", told))
            engine.catch_up()
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert office.desk.account.cash == broker.cash
        assert engine.gate.reasons == ()
        assert office.desk.account.reservations == {}
        assert not office.inbox.behind
        assert clean(office.desk)

    anyio.run(story)
