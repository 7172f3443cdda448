"""Whose an order is: ours, of another process, a leg that the broker named itself, or somebody else's."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.delivery.test_reading_again import asked, behind, live, parked
from tests.delivery.test_taking_reports import alerts, executed, hear
from tests.ledger.desk import NOON
from tests.review.scripted import UNREACHABLE, Office, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain.events import FillRecorded, OrderAdopted, ReconciliationCompleted
from tradecore.domain.identity import leg_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, OrderStatus, Side
from tradecore.errors import BrokerUnreachable
from tradecore.inbox import Inbox
from tradecore.pinning import pin_account
from tradecore.ports.broker import BrokerOrder, Execution, OrderReport

SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


def guarded(office: Office, symbol: str = "SPY", *, answered: bool = True) -> tuple[str, str]:
    """An entry with a stop, and the stop: the broker has the entry, and has not named the stop."""
    desk, loss = office.desk, StopLoss(Decimal(90))
    place = desk.live if answered else desk.place
    entry = place("buy", "10", symbol, order_class=OrderClass.OTO, stop_loss=loss)
    if not answered:
        desk.send(entry)
    office.follower.catch_up()
    return entry, leg_order_id(entry, "stop_loss")


def stop_of(office: Office, entry: str, symbol: str = "SPY", **more: Any) -> BrokerOrder:
    """The stop as the broker has it, under a client id of the broker's own, with its parent."""
    values: dict[str, Any] = {
        "side": Side.SELL,
        "order_type": "stop",
        "stop_price": Decimal(90),
        "status": OrderStatus.HELD,
    }
    leg = office.broker.have(f"by-broker-{symbol}", symbol, **(values | {"updated_at": NOON + SECOND} | more))
    ours = office.desk.order(entry).client_order_id
    office.broker.have(ours, symbol, broker_order_id=f"b-{entry}", order_class="oto", legs=(leg,))
    return leg


def adopted(office: Office) -> list[tuple[str, str]]:
    told = [item for item in office.desk.ledger.journal.read(0, 10_000) if isinstance(item.event, OrderAdopted)]
    return [(item.event.broker_order_id, item.envelope.source) for item in told if isinstance(item.event, OrderAdopted)]


def test_a_leg_that_another_process_has_seen_is_known_once_its_events_are() -> None:
    async def story() -> None:
        office = Office.open()
        entry, leg_id = guarded(office)
        leg = stop_of(office, entry)
        late = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main")
        await office.inbox.collect()  # this process has it
        del office.broker.orders[f"b-{entry}"]  # and nobody can ask any more
        events = office.desk.ledger.journal.read(0, 1000)
        late.catch_up = lambda: late.observe(events)
        await late.take(OrderReport(attrs.evolve(leg, status=OrderStatus.NEW), "new", None))
        assert adopted(office) == []
        assert office.desk.order(leg_id).broker_order_id == leg.broker_order_id

    run_story(story)


def test_legs_are_named_when_everything_is_read_again() -> None:
    async def story() -> None:
        office = Office.open()
        entry, leg_id = guarded(office)
        leg = stop_of(office, entry)
        office.broker.submitted_at |= {f"b-{entry}": NOON - DAY, leg.broker_order_id: NOON - DAY}
        office.inbox.list_from(NOON)  # the list shows neither
        await office.collect()
        assert office.desk.order(leg_id).broker_order_id == leg.broker_order_id
        assert set(office.inbox.shown) == {entry, leg_id}

    run_story(story)


def test_what_is_shown_is_only_what_is_ours() -> None:
    async def story() -> None:
        office = Office.open()
        inbox = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main", adopts=False)
        office.broker.have("by-hand", updated_at=NOON + SECOND)
        await inbox.collect()
        assert inbox.shown == {}

    run_story(story)


def test_what_may_be_a_leg_waits_for_the_answer_of_its_parent() -> None:
    async def story() -> None:
        office = Office.open()
        entry, leg_id = guarded(office, answered=False)
        leg = stop_of(office, entry)
        parent = office.broker.orders.pop(f"b-{entry}")
        await hear(office, leg)
        for _ in range(2):
            assert behind(office)
            assert adopted(office) == []
            await office.collect()
        office.broker.orders[parent.broker_order_id] = parent
        office.desk.answer(entry)
        await office.collect()
        assert not behind(office)
        assert office.desk.order(leg_id).broker_order_id == leg.broker_order_id
        assert adopted(office) == []

    run_story(story)


def test_what_waited_and_is_on_no_list_any_more_is_asked_for_by_name() -> None:
    """The list begins where orders changed last: one that was placed before, and waits, was never met again."""

    async def story() -> None:
        office = Office.open()
        entry, _ = guarded(office, answered=False)
        by_hand = office.broker.have("by-hand", status=OrderStatus.EXPIRED, updated_at=NOON + DAY)
        office.broker.submitted_at[by_hand.broker_order_id] = NOON - DAY
        await office.collect()
        assert behind(office)
        assert adopted(office) == []
        stop_of(office, entry)
        office.desk.answer(entry)
        await office.collect()
        assert adopted(office) == [(by_hand.broker_order_id, "orders")]
        assert not behind(office)
        office.broker.calls.clear()
        await office.collect()
        assert by_hand.broker_order_id not in asked(office, "order")

    run_story(story)


def test_a_restart_looks_for_what_waited() -> None:
    """The last comparison was later than the order was placed, and the order is in no ledger."""

    async def story() -> None:
        office = Office.open()
        entry, _ = guarded(office, answered=False)
        by_hand = office.broker.have("by-hand", updated_at=NOON + SECOND)
        await office.collect()
        waits_since = office.inbox.waits_since
        assert waits_since is not None
        done = ReconciliationCompleted("main", "schedule", NOON + DAY, 1, 0, 0, 0, waits_since)
        office.desk.ledger.note("reconciliation-main", done, Cause(office.desk.ids.trace_id(), "test"))
        again = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main")
        await pin_account(office.desk.ledger, office.broker, again, "main", Cause(office.desk.ids.trace_id(), "test"))
        office.desk.answer(entry)
        await again.collect()
        assert again.waits_since is None
        assert adopted(office) == [(by_hand.broker_order_id, "orders")]

    run_story(story)


def test_what_waited_and_is_gone_at_the_broker_is_waited_for_no_more() -> None:
    async def story() -> None:
        office = Office.open()
        guarded(office, answered=False)
        by_hand = office.broker.have("by-hand", updated_at=NOON + DAY)
        office.broker.submitted_at[by_hand.broker_order_id] = NOON - DAY
        await office.collect()
        del office.broker.orders[by_hand.broker_order_id]
        await office.collect()
        assert not behind(office)

    run_story(story)


def test_a_list_that_could_not_be_gone_through_is_read_again() -> None:
    async def story() -> None:
        office = Office.open()
        entry, _ = guarded(office)
        stop_of(office, entry)
        by_hand = office.broker.have("by-hand", "QQQ", updated_at=NOON + DAY)
        office.broker.submitted_at[by_hand.broker_order_id] = NOON - DAY
        office.broker.trouble["order"] = UNREACHABLE
        with pytest.raises(BrokerUnreachable):
            await office.inbox.collect()
        del office.broker.trouble["order"]
        await office.collect()
        assert adopted(office) == [(by_hand.broker_order_id, "orders")]

    run_story(story)


def test_what_is_no_leg_of_ours_is_adopted_though_legs_are_awaited() -> None:
    async def story() -> None:
        office = Office.open()
        guarded(office, answered=False)
        stranger = office.broker.have("by-hand", "QQQ", updated_at=NOON + SECOND)
        await hear(office, stranger)
        assert adopted(office) == [(stranger.broker_order_id, "stream")]
        assert not behind(office)

    run_story(story)


def test_an_order_that_was_set_aside_is_looked_up_no_more() -> None:
    async def story() -> None:
        office = Office.open()
        guarded(office)
        inbox = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main", adopts=False)
        turns: list[int] = []
        inbox.catch_up = lambda: turns.append(1)
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        for _ in range(3):
            await inbox.take(OrderReport(order, "new", None))
        assert len(turns) == 2, "before and behind looking for legs, once"
        fill = office.broker.fill(order, "10", NOON + 2 * SECOND)
        office.broker.calls.clear()
        await inbox.collect()
        assert asked(office, "order") == [], "neither the order nor its execution is asked about"
        assert fill in office.broker.fills
        assert parked(office) == [("stream", alerts(office)[0][1])]

    run_story(story)


@pytest.mark.parametrize("status", [None, OrderStatus.FILLED, OrderStatus.EXPIRED])
def test_an_order_of_before_the_books_that_has_ended_or_has_no_word_is_past(status: OrderStatus | None) -> None:
    async def story() -> None:
        office = Office.open()
        turns: list[int] = []
        office.inbox.catch_up = lambda: turns.append(1)
        order = office.broker.have("by-hand", updated_at=NOON - SECOND, status=status)
        for _ in range(2):
            await hear(office, order)
        assert (alerts(office), parked(office), adopted(office)) == ([], [], [])
        assert len(turns) == 2, "it is past for good"

    run_story(story)


def test_an_order_of_others_is_adopted_with_the_execution_that_told_of_it() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        fill = executed(office, order, "10", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], fill)
        assert office.broker.count("fills_since") == 0, "nothing was missing"
        assert office.desk.account.held("external", "SPY") == 10

    run_story(story)


def test_an_execution_of_an_order_that_no_list_shows_leads_to_the_order() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        office.broker.fill(order, "10", NOON + 2 * SECOND)
        office.broker.submitted_at[order.broker_order_id] = NOON - DAY
        office.inbox.list_from(NOON)
        await office.collect()
        assert adopted(office) == [(order.broker_order_id, "activities")]
        assert office.desk.account.held("external", "SPY") == 10

    run_story(story)


def test_executions_of_before_the_books_lead_to_no_question() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON - SECOND)
        office.broker.fill(order, "10", NOON - SECOND)
        office.broker.orders.clear()
        await office.collect()
        assert asked(office, "order") == []
        assert parked(office) == []

    run_story(story)


def test_lists_say_where_from() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        order_id, ours = live(office)
        office.broker.orders[ours.broker_order_id] = attrs.evolve(ours, status=OrderStatus.PENDING_CANCEL)
        await office.collect()
        office.broker.orders[ours.broker_order_id] = attrs.evolve(ours, status=None)
        await office.collect()
        assert adopted(office) == [(order.broker_order_id, "orders")]
        assert parked(office) == [("orders", "an order status that tradecore does not know")]
        history = office.desk.ledger.journal.load(f"order-{order_id}")
        assert history[-1].envelope.source == "orders"
        assert asked(office, "order") == [], "what a list shows is not asked for by name"

    run_story(story)


class Forgetful(ScriptedBroker):
    """Shows executions only to those who ask for a long time back."""

    shows_from = NOON

    async def fills_since(self, since: dt.datetime) -> Any:
        page = await super().fills_since(since)
        return page if since <= self.shows_from else attrs.evolve(page, fills=())


@pytest.mark.parametrize(("planned", "accepted"), [(0, -3600), (-3600, 0)])
def test_what_is_missing_is_read_from_the_birth_of_the_oldest_order_that_misses_it(planned: int, accepted: int) -> None:
    async def story() -> None:
        office = Office.open(None, Forgetful())
        desk = office.desk
        orders = []
        for late in (7200, 0):
            desk.clock.at = NOON + dt.timedelta(seconds=planned + late)
            order_id = desk.place("buy", "10")
            desk.send(order_id)
            desk.clock.at = NOON + dt.timedelta(seconds=accepted + late)
            desk.answer(order_id)
            ours = desk.order(order_id)
            orders.append(office.broker.have(ours.client_order_id, broker_order_id=f"b-{order_id}"))
        office.follower.catch_up()
        for order in orders:
            office.broker.fill(order, "10", NOON + 7201 * SECOND)
        office.inbox.start_from(NOON + DAY)
        await office.collect()
        born = NOON - 3600 * SECOND
        assert asked(office, "fills_since") == [NOON + DAY - 60 * SECOND, born - 60 * SECOND]
        assert desk.account.position("SPY").quantity == 20
        assert not behind(office)

    run_story(story)


def test_an_execution_is_told_in_the_books_quantities() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON - 10 * SECOND)
        office.broker.fill(order, "4", NOON - 5 * SECOND)
        await hear(office, office.broker.orders[order.broker_order_id])
        late = executed(office, order, "6", NOON + 5 * SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], late)
        events = [item.event for item in office.desk.ledger.journal.read(0, 1000)]
        assert [event.cumulative_qty for event in events if isinstance(event, FillRecorded)] == [6]

    run_story(story)


def test_an_execution_that_was_told_before_an_older_bust_is_told_again_and_booked_once() -> None:
    async def story() -> None:
        office = Office.open()
        order_id, order = live(office)
        first = executed(office, order, "4", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], first)
        bust = attrs.evolve(
            first, execution=Execution.BUST, execution_id="bust", previous_execution_id=first.execution_id,
            cumulative_qty=Decimal(0), occurred_at=NOON + 2 * SECOND,
        )  # fmt: skip
        second = attrs.evolve(
            first, execution_id="second", quantity=Decimal(6), cumulative_qty=Decimal(6), occurred_at=NOON + 3 * SECOND
        )
        filled = attrs.evolve(
            order, filled_qty=Decimal(6), status=OrderStatus.PARTIALLY_FILLED, updated_at=NOON + 3 * SECOND
        )
        office.broker.fills.clear()
        await office.inbox.take(OrderReport(attrs.evolve(filled, filled_qty=Decimal(10)), "fill", second))
        await office.inbox.take(OrderReport(filled, "trade_bust", bust))
        for _ in range(2):
            await office.inbox.take(OrderReport(filled, "fill", second))
        assert office.desk.account.position("SPY").quantity == 6
        assert office.desk.order(order_id).filled_qty == 6

    run_story(story)


def test_a_contradiction_is_known_at_once() -> None:
    async def story() -> None:
        office = Office.open()
        order_id, order = live(office)
        await office.inbox.take(OrderReport(attrs.evolve(order, symbol="QQQ"), "new", None))
        assert list(office.inbox.halted) == [order_id]

    run_story(story)
