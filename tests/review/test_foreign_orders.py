"""Orders that others place, legs that the broker makes, cash that it moves: the books follow."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.books import read_books
from tradecore.domain.events import AlertTriggered
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, Side
from tradecore.inbox import Inbox
from tradecore.ports.broker import (
    ActivityKind,
    BrokerActivity,
    BrokerOrder,
    OrderReport,
    StreamConnected,
    StreamLost,
)
from tradecore.reconcile import Differences
from tradecore.verify import verify

SECOND = dt.timedelta(seconds=1)


def clean(office: Office) -> bool:
    assert verify(office.desk.ledger.journal).findings == ()
    return True


def test_an_order_from_a_dashboard_is_adopted_with_its_fills_and_told_of_once() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        await office.collect()
        assert [held.quantity for held in office.desk.account.reservations.values()] == [10]
        office.broker.fill(order, "10", NOON + 2 * SECOND)
        for _ in range(3):
            await engine_of(office).reconcile()
            office.follower.catch_up()
        assert office.desk.account.position("SPY").quantity == 10
        assert office.desk.account.held("external", "SPY") == 10
        assert office.desk.account.reservations == {}
        assert office.broker.count("cancel") == 0
        alerts = [item.event for item in office.desk.ledger.journal.read(0, 1000)]
        assert [event.kind for event in alerts if isinstance(event, AlertTriggered)] == ["foreign_order"]
        assert clean(office)

    run_story(story)


def test_an_order_from_before_the_books_began_is_not_adopted() -> None:
    async def story() -> None:
        office = Office.open()
        old = office.broker.have("by-hand", updated_at=NOON - 5 * SECOND)
        office.broker.fill(old, "10", NOON - 5 * SECOND)
        await office.collect()
        assert office.desk.account.reservations == {}
        assert office.desk.account.positions == {}

    run_story(story)


def test_where_orders_are_only_told_of_nothing_is_booked() -> None:
    async def story() -> None:
        office = Office.open()
        inbox = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main", adopts=False)
        inbox.list_from(NOON)
        office.broker.fill(office.broker.have("by-hand", updated_at=NOON + SECOND), "10", NOON + SECOND)
        await inbox.collect()
        await inbox.collect()
        assert office.desk.account.positions == {}
        assert office.desk.names().count("system.alert.triggered") == 1

    run_story(story)


def test_an_order_that_is_shown_only_after_its_execution_is_adopted_then() -> None:
    async def story() -> None:
        office = Office.open()
        executed = office.broker.fill(office.broker.have("by-hand", updated_at=NOON + SECOND), "10", NOON + SECOND)
        hidden = office.broker.orders.pop(executed.broker_order_id)
        for _ in range(2):
            await office.collect()
        assert office.desk.account.positions == {}
        assert office.desk.names().count("system.report.parked") == 1
        office.broker.orders[hidden.broker_order_id] = hidden
        await office.collect()
        assert office.desk.account.held("external", "SPY") == 10
        assert clean(office)

    run_story(story)


class WithLegs(ScriptedBroker):
    """Tells the legs of an order only when it is asked for by name, as Alpaca does."""

    legs: tuple[str, ...] = ()

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        found = await super().order(broker_order_id)
        if found is None or found.order_class != "bracket":
            return found
        return attrs.evolve(found, legs=tuple(self.orders[leg] for leg in self.legs))


def bracket(office: Office, broker: WithLegs) -> tuple[str, BrokerOrder, BrokerOrder, BrokerOrder]:
    desk = office.desk
    order_id = desk.place(
        "buy", "10", order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(Decimal(110)), stop_loss=StopLoss(Decimal(90)),
    )  # fmt: skip
    desk.send(order_id)
    desk.answer(order_id)
    office.follower.catch_up()
    entry = broker.have(desk.order(order_id).client_order_id, order_class="bracket", broker_order_id=f"b-{order_id}")
    exits: dict[str, Any] = {"side": Side.SELL, "status": OrderStatus.HELD, "updated_at": NOON + SECOND}
    profit = broker.have("profit-by-broker", order_type="limit", **exits)
    loss = broker.have("loss-by-broker", order_type="stop", **exits)
    broker.legs = (profit.broker_order_id, loss.broker_order_id)
    return order_id, entry, profit, loss


def test_legs_that_the_broker_named_itself_are_ours_and_a_silent_cancel_of_the_other_is_found() -> None:
    async def story() -> None:
        broker = WithLegs()
        office = Office.open(None, broker)
        order_id, entry, profit, loss = bracket(office, broker)
        broker.fill(entry, "10", NOON + 2 * SECOND)
        fill = attrs.evolve(broker.fill(profit, "10", NOON + 3 * SECOND, "110"), source="stream")
        broker.orders[loss.broker_order_id] = attrs.evolve(
            loss, status=OrderStatus.CANCELED, updated_at=NOON + 4 * SECOND
        )
        await office.inbox.take(OrderReport(broker.orders[profit.broker_order_id], "fill", fill))
        await office.collect()
        legs = [office.desk.order(leg_order_id(order_id, role)) for role in ("take_profit", "stop_loss")]
        assert [(leg.status.value, leg.broker_order_id) for leg in legs] == [
            ("filled", profit.broker_order_id),
            ("canceled", loss.broker_order_id),
        ]
        assert office.desk.account.positions == {}
        assert office.desk.account.realised_pnl == 100
        assert office.desk.trade_of(order_id).status.value == "closed"
        assert "trade.order.adopted" not in office.desk.names()
        assert clean(office)

    run_story(story)


def test_an_order_of_ours_that_somebody_replaced_goes_on_for_its_strategy() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.place("buy", "10")
        await office.deliver()
        old = office.broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        office.broker.orders[old.broker_order_id] = attrs.evolve(
            old, status=OrderStatus.REPLACED, updated_at=NOON + SECOND
        )
        new = office.broker.have("by-hand", replaces=old.broker_order_id, updated_at=NOON + SECOND)
        office.broker.fill(new, "10", NOON + 2 * SECOND)
        await office.collect()
        assert office.desk.order(order_id).status == "replaced"
        assert office.desk.account.held("test", "SPY") == 10
        assert clean(office)

    run_story(story)


def activity(name: str, kind: ActivityKind, amount: str, quantity: str = "0") -> BrokerActivity:
    return BrokerActivity(name, kind, "SPY", Decimal(amount), Decimal(quantity), dt.date(2024, 1, 3), "{}")


def test_cash_and_splits_are_booked_once_and_the_books_stay_balanced() -> None:
    async def story() -> None:
        office = Office.open()
        office.desk.done("buy", "10", "100")
        told = [
            activity("d1", ActivityKind.DIVIDEND, "12.5"),
            activity("f1", ActivityKind.FEE, "-0.03"),
            activity("w1", ActivityKind.WITHDRAWAL, "-500"),
            activity("i1", ActivityKind.INTEREST, "-1.25"),
            activity("s1", ActivityKind.SPLIT, "0", "-10"),
            activity("s2", ActivityKind.SPLIT, "0", "30"),
        ]
        office.broker.activities = told
        await office.inbox.collect_activities()
        await office.inbox.collect_activities()
        account = office.desk.account
        assert account.cash == Decimal(99000) + Decimal("12.5") - Decimal("0.03") - 500 - Decimal("1.25")
        held = account.position("SPY")
        assert held.quantity == 30
        assert held.cost == 1000
        assert account.held("test", "SPY") == 30
        assert office.desk.names().count("account.position.split") == 1
        book = read_books(office.desk.ledger.journal)["main"]
        assert book.trial_balance().is_balanced
        assert book.statement().closing_cash == account.cash
        assert clean(office)

    run_story(story)


def test_an_activity_that_cannot_be_booked_is_parked() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.activities = [activity("o1", ActivityKind.OTHER, "0", "3")]
        await office.inbox.collect_activities()
        assert "system.report.parked" in office.desk.names()
        assert office.desk.account.cash == 100_000

    run_story(story)


def test_what_the_broker_did_before_the_books_began_is_in_the_opening_balance_only() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory())
        office.broker.activities = [activity("d1", ActivityKind.DIVIDEND, "12.5")]
        await engine_of(office).begin("runner-1")
        await office.inbox.collect_activities()
        assert office.desk.account.cash == 100_000

    run_story(story)


def test_a_lost_stream_is_told_once_and_stops_new_risk_only() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert engine.gate.reasons == ()
        await office.inbox.take(StreamLost("reset"))
        await office.inbox.take(StreamLost("reset again"))
        office.desk.clock.at += 60 * SECOND
        office.desk.done("buy", "10", "100")
        engine.judge_age()
        account = office.desk.account
        assert engine.gate.refuses(account, "test", "SPY", Side.BUY, Decimal(1)) is not None
        assert engine.gate.refuses(account, "test", "SPY", Side.SELL, Decimal(10)) is None
        await office.inbox.take(StreamConnected())
        engine.judge_age()
        assert engine.gate.reasons == ()
        names = office.desk.names()
        assert (names.count("system.stream.lost"), names.count("system.stream.restored")) == (1, 1)

    run_story(story)


def test_a_difference_is_recorded_gates_new_risk_and_is_resolved_when_it_is_gone() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office)
        office.broker.held["SPY"] = Decimal(7)
        await engine.begin("runner-1")
        await engine.reconcile()
        known = Differences.of(office.desk.ledger, "main")
        assert [item.found.subject for item in known.gating] == ["SPY"]
        assert engine.gate.reasons
        office.broker.held.clear()
        await engine.reconcile()
        assert Differences.of(office.desk.ledger, "main").open == {}
        assert engine.gate.reasons == ()
        assert office.desk.names().count("system.reconciliation.difference") == 1

    run_story(story)


def test_an_order_that_contradicts_what_was_decided_is_halted_and_everything_else_goes_on() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office)
        order_id = office.desk.place("buy", "10")
        await office.deliver()
        order = office.broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        twin = attrs.evolve(order, broker_order_id="b-twin")
        await office.inbox.take(OrderReport(twin, "new", None))
        await office.inbox.take(OrderReport(twin, "new", None))
        office.follower.catch_up()
        assert office.desk.order(order_id).halted
        assert office.desk.names().count("trade.order.halted") == 1
        await engine.reconcile()
        assert engine.gate.reasons
        again = Office.open(office.desk, office.broker, caught_up=False)
        await engine_of(again).begin("runner-2")
        assert again.inbox.halted

    run_story(story)
