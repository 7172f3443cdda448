"""From where the inbox reads again, whom it asks for by name, and what it says when it could not read everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON
from tests.review.scripted import UNREACHABLE, Office, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain.events import ReportParked
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, OrderStatus, Side
from tradecore.errors import BrokerUnreachable, ProtocolError
from tradecore.ports.broker import (
    EVER,
    ActivityPage,
    BrokerOrder,
    Execution,
    FillPage,
    OrderPage,
    OrderReport,
    StreamConnected,
    StreamLost,
    UnknownReport,
)

SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(seconds=60), dt.timedelta(days=1)


def run(story: Callable[[Office], Awaitable[None]], broker: ScriptedBroker | None = None) -> None:
    async def begun() -> None:
        await story(Office.open(None, broker))

    run_story(begun)


def asked(office: Office, name: str) -> list[Any]:
    return [call[1] for call in office.broker.calls if call[0] == name]


def live(office: Office, qty: str = "10") -> tuple[str, BrokerOrder]:
    """An order of ours that the broker has."""
    desk = office.desk
    order_id = desk.live("buy", qty)
    office.follower.catch_up()
    ours = desk.order(order_id)
    return order_id, office.broker.have(ours.client_order_id, qty=qty, broker_order_id=f"b-{order_id}")


def behind(office: Office) -> bool:
    return office.inbox.behind


def lost_at(office: Office) -> int | None:
    return office.inbox.lost_at_ns


def parked(office: Office) -> list[tuple[str, str]]:
    events = [item.event for item in office.desk.ledger.journal.read(0, 10_000)]
    return [(event.source, event.reason) for event in events if isinstance(event, ReportParked)]


def test_a_new_inbox_knows_of_no_trouble_and_reads_from_the_beginning() -> None:
    async def story(office: Office) -> None:
        inbox = office.inbox
        assert (inbox.behind, inbox.reconnected, inbox.lost_at_ns, inbox.shown, inbox.halted) == (
            False, False, None, {}, {},
        )  # fmt: skip
        await office.collect()
        assert asked(office, "orders_since") == [EVER]
        assert not inbox.behind

    run(story)


def test_fills_are_read_again_from_a_minute_before_the_newest_one() -> None:
    async def story(office: Office) -> None:
        _, order = live(office)
        office.broker.fill(order, "4", NOON + 600 * SECOND)
        await office.collect()
        office.broker.fill(order, "4", NOON + 300 * SECOND)  # an older one, told later, does not set it back
        await office.inbox.collect(far=True)
        await office.collect()
        newest = NOON + 600 * SECOND
        assert asked(office, "fills_since")[-2:] == [newest - DAY, newest - MINUTE]
        assert office.desk.account.position("SPY").quantity == 8

    run(story)


def test_what_is_restored_moves_forward_only() -> None:
    async def story(office: Office) -> None:
        office.inbox.start_from(NOON)
        office.inbox.start_from(NOON - DAY)
        office.inbox.list_from(NOON)
        office.inbox.list_from(NOON - DAY)
        await office.collect()
        assert asked(office, "fills_since") == [NOON - MINUTE]
        assert asked(office, "orders_since") == [NOON - MINUTE]

    run(story)


def test_orders_are_listed_from_the_oldest_that_is_not_settled() -> None:
    async def story(office: Office) -> None:
        office.inbox.list_from(NOON + 900 * SECOND)
        order_id, order = live(office)  # accepted at NOON
        await office.collect()
        assert asked(office, "orders_since") == [NOON - MINUTE]
        office.broker.fill(order, "10", NOON + SECOND)
        await office.collect()
        assert office.desk.order(order_id).is_settled
        office.broker.calls.clear()
        await office.collect()
        assert asked(office, "orders_since") == [NOON + 840 * SECOND]
        assert asked(office, "order") == []  # what is settled is asked for no more

    run(story)


def test_an_order_that_is_not_settled_and_not_in_the_list_is_asked_for_by_name() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.submitted_at[order.broker_order_id] = NOON - DAY
        office.inbox.list_from(NOON)  # the list begins later
        office.broker.fill(order, "10", NOON + SECOND)
        await office.collect()
        assert asked(office, "order") == [order.broker_order_id]
        assert office.desk.order(order_id).status is OrderStatus.FILLED
        assert office.inbox.shown[order_id] is not None

    run(story)


def test_an_order_that_the_broker_does_not_have_any_more_is_shown_as_gone() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        await office.collect()
        assert office.inbox.shown == {order_id: order}
        del office.broker.orders[order.broker_order_id]
        await office.collect()
        assert office.inbox.shown == {order_id: None}

    run(story)


def test_what_a_restart_remembers_of_an_order_is_read_until_it_settles() -> None:
    async def story(office: Office) -> None:
        order_id, _ = live(office)
        again = Office.open(office.desk, office.broker, caught_up=False)
        again.inbox.list_from(NOON + DAY)
        again.inbox.remember(order_id, NOON - 2 * DAY)
        await again.inbox.collect()
        assert asked(office, "orders_since") == [NOON - 2 * DAY - MINUTE]

    run(story)


class Hiding(ScriptedBroker):
    """Shows no execution in its first answer."""

    asked = 0

    async def fills_since(self, since: dt.datetime) -> FillPage:
        page = await super().fills_since(since)
        self.asked += 1
        return FillPage((), ()) if self.asked == 1 else page


def test_fills_that_an_order_has_and_the_first_reading_did_not_show_are_read_from_its_birth() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        office.inbox.start_from(NOON + DAY)
        await office.collect()
        assert asked(office, "fills_since") == [NOON + DAY - MINUTE, NOON - MINUTE]
        assert office.desk.order(order_id).filled_qty == 10
        assert not behind(office)

    run(story, Hiding())


def test_an_execution_and_its_bust_that_were_both_missed_are_read_from_the_birth_of_their_order() -> None:
    """2 of 10 filled and were busted while nobody listened; the other 8 complete the order, and nothing is missing."""

    async def story(office: Office) -> None:
        order_id, order = live(office)
        lost = office.broker.fill(order, "2", NOON + SECOND)
        bust = attrs.evolve(
            lost, execution=Execution.BUST, execution_id="bust", previous_execution_id=lost.execution_id,
            cumulative_qty=Decimal(0), occurred_at=NOON + 2 * SECOND,
        )  # fmt: skip
        office.broker.fills.append(bust)
        last = attrs.evolve(
            lost, execution_id="last", quantity=Decimal(8), cumulative_qty=Decimal(8), occurred_at=NOON + 120 * SECOND
        )
        office.broker.fills.append(last)
        filled = attrs.evolve(
            order, status=OrderStatus.FILLED, filled_qty=Decimal(8), updated_at=NOON + 120 * SECOND
        )  # fmt: skip
        office.broker.orders[order.broker_order_id] = filled
        office.broker.held["SPY"] = Decimal(8)
        office.inbox.start_from(NOON + DAY)
        await office.inbox.take(OrderReport(filled, "fill", attrs.evolve(last, source="stream")))
        office.follower.catch_up()
        state = office.desk.order(order_id)
        assert (state.status, state.filled_qty, state.is_settled) == (OrderStatus.FILLED, Decimal(8), True)
        assert asked(office, "fills_since") == [NOON + DAY - MINUTE, NOON - MINUTE]
        assert office.desk.account.position("SPY").quantity == 8
        assert not behind(office)
        await office.collect()
        assert len(asked(office, "fills_since")) == 3, "it is not read from its birth again"

    run(story)


def test_an_inbox_that_misses_fills_says_so_until_they_are_there() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        await office.collect()
        assert behind(office)
        assert office.desk.order(order_id).filled_qty == 0
        await office.collect()
        assert not behind(office)
        assert office.desk.order(order_id).filled_qty == 10

    run(story, Hiding())


def test_a_fill_that_is_born_before_the_watermark_is_not_asked_for_twice() -> None:
    async def story(office: Office) -> None:
        _, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        await office.collect()  # nothing is known: it reads from the beginning, which is before the order was born
        assert asked(office, "fills_since") == [EVER - MINUTE]
        assert behind(office)

    run(story, Hiding())


def test_a_connection_is_told_and_reads_again() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        await office.inbox.take(StreamConnected())
        assert office.inbox.reconnected
        assert not behind(office)
        assert office.desk.order(order_id).filled_qty == 10
        names = office.desk.names()
        assert "system.stream.restored" not in names, "it was never lost"
        await office.inbox.take(StreamLost("reset"))
        begun = lost_at(office)
        assert begun == office.desk.clock.now_ns()
        office.desk.clock.at += MINUTE
        await office.inbox.take(StreamLost("reset"))
        assert lost_at(office) == begun, "since the first loss"
        await office.inbox.take(StreamConnected())
        assert lost_at(office) is None
        names = office.desk.names()
        assert (names.count("system.stream.lost"), names.count("system.stream.restored")) == (1, 1)

    run(story)


@pytest.mark.parametrize("trouble", [UNREACHABLE, ProtocolError("half an answer")])
def test_a_broker_that_cannot_be_read_leaves_the_inbox_behind(trouble: Exception) -> None:
    async def story(office: Office) -> None:
        _, order = live(office)
        office.broker.trouble["orders_since"] = trouble
        await office.inbox.take(StreamConnected())
        assert behind(office)
        with pytest.raises(type(trouble)):
            await office.inbox.collect()
        del office.broker.trouble["orders_since"]
        await office.collect()
        assert not behind(office)
        office.broker.trouble["orders_since"] = trouble
        fill = office.broker.fill(order, "4", NOON + SECOND)
        late = attrs.evolve(office.broker.orders[order.broker_order_id], filled_qty=Decimal(7))
        await office.inbox.take(OrderReport(late, "partial_fill", fill))  # three more were filled before
        assert behind(office)

    run(story)


@pytest.mark.parametrize("trouble", [UNREACHABLE, ProtocolError("half an answer")])
def test_a_report_waits_when_nobody_can_say_whose_it_is(trouble: Exception) -> None:
    async def story(office: Office) -> None:
        loss = StopLoss(Decimal(90))
        order_id = office.desk.live("buy", "10", order_class=OrderClass.OTO, stop_loss=loss)  # its leg was not seen yet
        office.follower.catch_up()
        office.broker.trouble["order"] = trouble
        stranger = office.broker.have(
            "by-broker", side=Side.SELL, order_type="stop", stop_price=Decimal(90), updated_at=NOON + SECOND
        )
        await office.inbox.take(OrderReport(stranger, "held", None))
        assert behind(office)
        assert "trade.order.adopted" not in office.desk.names()
        assert office.desk.order(leg_order_id(order_id, "stop_loss")).broker_order_id is None

    run(story)


def test_a_message_that_cannot_be_read_is_parked_and_a_reason_to_read_again() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        await office.inbox.take(UnknownReport("not a message", "{?"))
        assert parked(office) == [("stream", "not a message")]
        assert office.desk.order(order_id).filled_qty == 10

    run(story)


class Smudged(ScriptedBroker):
    """Has a row that cannot be read on every page."""

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        return attrs.evolve(await super().orders_since(since), unreadable=(UnknownReport("an order?", "1"),))

    async def fills_since(self, since: dt.datetime) -> FillPage:
        return attrs.evolve(await super().fills_since(since), unreadable=(UnknownReport("a fill?", "2"),))

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        return attrs.evolve(await super().activities_since(since), unreadable=(UnknownReport("cash?", "3"),))


def test_rows_that_cannot_be_read_are_parked_once_and_the_others_are_read() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "10", NOON + SECOND)
        for _ in range(2):
            await office.collect()
            await office.inbox.collect_activities()
        told = [("orders", "an order?"), ("activities", "a fill?"), ("activities", "cash?")]
        assert parked(office) == told
        assert office.desk.order(order_id).filled_qty == 10

    run(story, Smudged())


def test_reading_stops_where_the_broker_does_and_keeps_what_was_read() -> None:
    async def story(office: Office) -> None:
        order_id, order = live(office)
        office.broker.fill(order, "4", NOON + SECOND)
        await office.collect()
        office.broker.fill(order, "6", NOON + 2 * SECOND)
        office.broker.trouble["fills_since"] = UNREACHABLE
        with pytest.raises(BrokerUnreachable):
            await office.inbox.collect()
        del office.broker.trouble["fills_since"]
        await office.collect()
        assert office.desk.order(order_id).status is OrderStatus.FILLED

    run(story)
