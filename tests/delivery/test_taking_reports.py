"""One message of the broker at a time: what is recorded, what is set aside, what halts its order, what is past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import attrs

from tests.delivery.test_reading_again import live, parked
from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain.events import AlertTriggered, OrderHalted, ReportParked
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, OrderStatus, Side
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.ports.broker import BrokerFill, BrokerOrder, Execution, OrderReport
from tradecore.verify import verify

SECOND = dt.timedelta(seconds=1)


def run(story: Callable[[Office], Awaitable[None]], broker: ScriptedBroker | None = None) -> None:
    async def begun() -> None:
        office = Office.open(None, broker)
        await story(office)
        assert verify(office.desk.ledger.journal).findings == ()

    run_story(begun)


def alerts(office: Office) -> list[tuple[str, str]]:
    events = [item.event for item in office.desk.ledger.journal.read(0, 10_000)]
    return [(event.kind, event.message) for event in events if isinstance(event, AlertTriggered)]


async def hear(office: Office, order: BrokerOrder, fill: BrokerFill | None = None) -> None:
    office.broker.orders[order.broker_order_id] = order
    await office.inbox.take(OrderReport(order, "word", fill))
    office.follower.catch_up()


def executed(office: Office, order: BrokerOrder, qty: str, at: dt.datetime, **changes: Any) -> BrokerFill:
    return attrs.evolve(office.broker.fill(order, qty, at), source="stream", **changes)


def test_a_status_without_a_name_is_parked_and_changes_nothing() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        before = office.desk.order(order_id)
        await hear(office, attrs.evolve(order, status=None, raw='{"status":"odd"}'))
        assert office.desk.order(order_id) == before
        assert parked(office) == [("stream", "an order status that tradecore does not know")]

    run(story)


def test_a_word_and_its_execution_are_recorded_with_who_said_so() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        fill = executed(office, order, "10", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], fill)
        await hear(office, office.broker.orders[order.broker_order_id], fill)
        heard = [item for item in office.desk.ledger.journal.read(0, 1000) if item.envelope.actor == "inbox"]
        assert {item.envelope.source for item in heard} == {"stream"}
        assert office.desk.order(order_id).status is OrderStatus.FILLED
        assert [item.envelope.name for item in heard].count("trade.fill.recorded") == 1

    run(story)


def test_another_order_under_our_name_halts_ours_and_is_told_of_once() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        other = attrs.evolve(order, quantity=Decimal(11), raw="{11}")
        for _ in range(2):
            await hear(office, other)
        state = office.desk.order(order_id)
        assert state.halted
        assert state.filled_qty == 0
        halted = [item.event for item in office.desk.ledger.journal.read(0, 1000)]
        (event,) = [event for event in halted if isinstance(event, OrderHalted)]
        assert (event.order_id, event.raw) == (order_id, "{11}")
        assert office.inbox.halted == {order_id: event.reason}
        assert alerts(office) == [("order_halted", f"order {order_id} is halted: {event.reason}")]
        assert parked(office) == [("stream", event.reason)]

    run(story)


def test_an_execution_of_another_symbol_or_side_halts_and_books_nothing() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        fill = executed(office, order, "10", NOON + SECOND, side=Side.SELL, raw="{sold}")
        await hear(office, order, fill)
        assert office.desk.order(order_id).halted
        assert office.desk.account.positions == {}
        assert [source for source, _ in parked(office)] == ["stream"]

    run(story)


def test_an_execution_that_no_book_can_hold_is_parked_and_the_next_is_booked() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        nothing = executed(office, order, "4", NOON + SECOND, price=Decimal(0), raw="{0}")
        await hear(office, attrs.evolve(order, status=OrderStatus.PARTIALLY_FILLED, filled_qty=Decimal(0)), nothing)
        ((source, reason),) = parked(office)
        assert source == "stream"
        assert reason.startswith("an execution that cannot be booked: ")
        assert not office.desk.order(order_id).halted
        office.broker.fills.clear()
        right = attrs.evolve(nothing, price=Decimal(100), raw="{100}")
        await hear(office, office.broker.orders[order.broker_order_id], right)
        assert office.desk.account.position("SPY").quantity == 4

    run(story)


def test_an_order_of_others_is_what_the_broker_says_it_is() -> None:
    async def story(office: Office) -> None:
        order = office.broker.have("by-hand", updated_at=NOON + SECOND)
        await hear(office, order)
        grown = attrs.evolve(order, quantity=Decimal(12), updated_at=NOON + 2 * SECOND)
        await hear(office, grown)
        assert office.inbox.halted == {}
        ((kind, message),) = alerts(office)
        assert (kind, message) == (
            "foreign_order", f"order {order.broker_order_id} (buy SPY) was not placed by this ledger; it is adopted",
        )  # fmt: skip

    run(story)


def test_what_an_order_filled_before_the_books_began_is_counted_by_the_broker_only() -> None:
    async def story(office: Office) -> None:
        order = office.broker.have("by-hand", updated_at=NOON - 10 * SECOND)
        early = office.broker.fill(order, "4", NOON - 5 * SECOND)
        order = office.broker.orders[order.broker_order_id]
        await hear(office, order, early)
        (order_id,) = office.desk.account.reservations
        assert office.desk.order(order_id).quantity == 6
        late = executed(office, order, "6", NOON + 5 * SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], late)
        state = office.desk.order(order_id)
        assert state.filled_qty == 6
        assert state.status is OrderStatus.FILLED
        assert office.desk.account.position("SPY").quantity == 6
        assert not office.inbox.behind
        assert office.broker.count("fills_since") == 0, "nothing was missing"

    run(story)


def test_an_order_that_ended_before_the_books_began_is_not_asked_about_again() -> None:
    async def story(office: Office) -> None:
        order = office.broker.have("by-hand", updated_at=NOON - SECOND, status=OrderStatus.CANCELED)
        for _ in range(2):
            await hear(office, order)
        assert alerts(office) == parked(office) == []
        assert office.desk.account.reservations == {}

    run(story)


def test_one_that_works_still_or_moved_at_that_very_moment_is_adopted() -> None:
    async def story(office: Office) -> None:
        await hear(office, office.broker.have("still-works", updated_at=NOON - SECOND))
        await hear(office, office.broker.have("ended-then", updated_at=NOON, status=OrderStatus.CANCELED))
        assert office.desk.names().count("trade.order.adopted") == 2

    run(story)


def test_what_others_place_is_set_aside_once_where_nothing_is_adopted() -> None:
    async def story(office: Office) -> None:
        inbox = Inbox(office.desk.ledger, office.broker, office.desk.ids, "main", adopts=False)
        order = office.broker.have("by-hand", updated_at=NOON + SECOND, raw="{by hand}")
        fill = executed(office, order, "10", NOON + SECOND)
        for _ in range(2):
            await inbox.take(OrderReport(order, "fill", fill))
        message = f"order {order.broker_order_id} (buy SPY) was not placed by this ledger"
        assert alerts(office) == [("foreign_order", message)]
        events = [item.event for item in office.desk.ledger.journal.read(0, 1000)]
        assert [event for event in events if isinstance(event, ReportParked)] == [
            ReportParked("stream", message, "{by hand}")
        ]
        assert office.desk.account.positions == {}

    run(story)


def test_an_order_that_the_ledger_has_no_words_for_is_set_aside_with_the_reason() -> None:
    async def story(office: Office) -> None:
        odd = office.broker.have("by-hand", updated_at=NOON + SECOND, order_type="iceberg")
        await hear(office, odd)
        ((kind, message),) = alerts(office)
        assert kind == "foreign_order"
        assert "and cannot be adopted: type" in message
        assert parked(office) == [("stream", message)]

    run(story)


def test_an_order_of_others_without_a_known_status_is_told_of_and_not_adopted() -> None:
    async def story(office: Office) -> None:
        await hear(office, office.broker.have("by-hand", updated_at=NOON + SECOND, status=None))
        assert [kind for kind, _ in alerts(office)] == ["foreign_order"]
        assert "trade.order.adopted" not in office.desk.names()

    run(story)


def test_a_bust_and_what_fills_after_it_are_told_apart_from_what_was_before() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        first = executed(office, order, "4", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], first)
        bust = attrs.evolve(
            first, execution=Execution.BUST, execution_id="bust", previous_execution_id=first.execution_id,
            cumulative_qty=Decimal(0), occurred_at=NOON + 2 * SECOND,
        )  # fmt: skip
        await hear(office, attrs.evolve(order, filled_qty=Decimal(0), updated_at=NOON + 2 * SECOND), bust)
        assert office.desk.account.positions == {}
        again = attrs.evolve(first, execution_id="again", price=Decimal(99), occurred_at=NOON + 3 * SECOND)
        filled = attrs.evolve(
            order, filled_qty=Decimal(4), status=OrderStatus.PARTIALLY_FILLED, updated_at=NOON + 3 * SECOND
        )
        for _ in range(2):
            await hear(office, filled, again)
        await hear(office, filled, first)  # the broker's history shows it once more
        assert office.desk.account.position("SPY").quantity == 4
        assert office.desk.account.cash == 100_000 - 4 * 99
        assert office.desk.order(order_id).filled_qty == 4

    run(story)


def test_who_has_not_heard_of_a_bust_does_not_book_what_filled_after_it_a_second_time() -> None:
    """It would know the fill by another id, because it counts the busts that it knows."""

    async def story(office: Office) -> None:
        order_id, order = live(office)
        first = executed(office, order, "2", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], first)
        ledger = Ledger(office.desk.ledger.journal, office.desk.clock, office.desk.ids)
        late = Office.open(Desk(ledger, office.desk.clock, office.desk.ids))
        assert late.desk.order(order_id).filled_qty == 2
        bust = attrs.evolve(
            first, execution=Execution.BUST, execution_id="bust", previous_execution_id=first.execution_id,
            cumulative_qty=Decimal(0), occurred_at=NOON + 2 * SECOND,
        )  # fmt: skip
        await hear(office, attrs.evolve(order, filled_qty=Decimal(0), updated_at=NOON + 2 * SECOND), bust)
        again = attrs.evolve(
            first, execution_id="again", quantity=Decimal(4), cumulative_qty=Decimal(4), occurred_at=NOON + 3 * SECOND
        )
        filled = attrs.evolve(
            order, filled_qty=Decimal(4), status=OrderStatus.PARTIALLY_FILLED, updated_at=NOON + 3 * SECOND
        )
        await hear(office, filled, again)
        await late.inbox.take(OrderReport(filled, "word", attrs.evolve(again, execution_id="by the record")))
        fresh = Ledger(office.desk.ledger.journal, office.desk.clock, office.desk.ids)
        assert fresh.account("main").position("SPY").quantity == 4
        assert late.inbox.halted == {}

    run(story)


def test_a_fill_that_has_lost_its_stop_is_told_of_once() -> None:
    async def story(office: Office) -> None:
        loss = StopLoss(Decimal(90))
        entry = office.desk.live("buy", "10", order_class=OrderClass.OTO, stop_loss=loss)
        office.follower.catch_up()
        ours = office.desk.order(entry)
        leg = office.broker.have(
            "by-broker", side=Side.SELL, order_type="stop", stop_price=Decimal(90), status=OrderStatus.HELD
        )
        order = office.broker.have(
            ours.client_order_id, broker_order_id=f"b-{entry}", order_class="oto", legs=(leg,)
        )  # fmt: skip
        fill = executed(office, order, "4", NOON + SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], fill)
        assert alerts(office) == []
        gone = attrs.evolve(leg, status=OrderStatus.CANCELED, updated_at=NOON + 2 * SECOND)
        ended = attrs.evolve(
            office.broker.orders[order.broker_order_id], status=OrderStatus.CANCELED, legs=(gone,),
            updated_at=NOON + 2 * SECOND,
        )  # fmt: skip
        for _ in range(2):
            await hear(office, ended)
        assert alerts(office) == [
            ("unprotected", f"4 SPY of order {entry} have no protection: its stop has ended")
        ]  # fmt: skip
        assert office.desk.order(leg_order_id(entry, "stop_loss")).status is OrderStatus.CANCELED

    run(story)


def test_a_restart_expects_the_legs_and_knows_the_contradictions_of_what_is_open() -> None:
    async def story(office: Office) -> None:
        desk = office.desk
        order_id, order = live(office)
        await hear(office, attrs.evolve(order, quantity=Decimal(11)))
        reason = office.inbox.halted[order_id]
        entry = desk.live("buy", "10", "QQQ", order_class=OrderClass.OTO, stop_loss=StopLoss(Decimal(90)))
        leg_id = leg_order_id(entry, "stop_loss")
        again = Office.open(desk, office.broker, caught_up=False)
        for open_order in (order_id, entry, leg_id):
            again.inbox.restore(desk.order(open_order))
        assert again.inbox.halted == {order_id: reason}
        leg = office.broker.have(
            "by-broker", "QQQ", side=Side.SELL, order_type="stop", stop_price=Decimal(90), updated_at=NOON + SECOND
        )
        office.broker.have(
            desk.order(entry).client_order_id, "QQQ", broker_order_id=f"b-{entry}", order_class="oto", legs=(leg,)
        )
        await again.inbox.take(OrderReport(leg, "held", None))
        assert desk.order(leg_id).broker_order_id == leg.broker_order_id
        assert "trade.order.adopted" not in desk.names()

    run(story)


def test_a_contradiction_that_another_process_saw_is_known_here() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        other = Office.open(office.desk, office.broker)
        await hear(other, attrs.evolve(order, quantity=Decimal(11)))
        assert office.inbox.halted == {}
        office.follower.catch_up()
        assert office.inbox.halted == other.inbox.halted
        assert list(office.inbox.halted) == [order_id]

    run(story)


def test_who_takes_the_books_over_reads_nothing_that_is_in_them() -> None:
    async def story() -> None:
        desk = Desk.in_memory()
        desk.pin(positions=[("SPY", "4", "100")])
        office = Office.open(desk)
        order = office.broker.have("by-hand", updated_at=NOON - SECOND)
        past = executed(office, order, "4", NOON - SECOND)
        await hear(office, office.broker.orders[order.broker_order_id], past)
        office.broker.orders.clear()
        await office.collect()  # an execution of an order that is not shown any more, and was in the opening balance
        assert desk.account.position("SPY").quantity == 4
        assert parked(office) == []

    run_story(story)
