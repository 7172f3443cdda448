"""What an entry filled and nothing protects any more is told once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest

from tests.ledger.desk import NOON
from tests.review.scripted import Office
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, Side
from tradecore.ports.broker import BrokerOrder, OrderReport

S = OrderStatus


class Bracket:
    """A bracket at the broker, whose orders do as told."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.at = NOON
        self.order_id = office.desk.place(
            "buy",
            "10",
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(Decimal(110)),
            stop_loss=StopLoss(Decimal(90)),
        )
        self.stop_id = leg_order_id(self.order_id, Leg.STOP_LOSS.value)
        self.profit_id = leg_order_id(self.order_id, Leg.TAKE_PROFIT.value)
        name = f"b-{office.desk.order(self.order_id).client_order_id}"
        have = office.broker.have
        self.stop = have("stop", broker_order_id="b-stop", side=Side.SELL, order_type="stop", status=S.HELD)
        self.profit = have("profit", broker_order_id="b-profit", side=Side.SELL, order_type="limit", status=S.HELD)
        self.name = name

    async def begin(self) -> None:
        await self.office.deliver(0.1)
        self.entry = attrs.evolve(self.office.broker.orders[self.name], legs=(self.stop, self.profit))
        await self.say(self.entry)

    async def say(self, order: BrokerOrder, status: OrderStatus | None = None) -> None:
        self.at += dt.timedelta(seconds=1)
        told = attrs.evolve(self.office.broker.orders[order.broker_order_id], legs=order.legs, updated_at=self.at)
        if status is not None:
            told = attrs.evolve(told, status=status)
        self.office.broker.orders[order.broker_order_id] = told
        await self.office.inbox.take(OrderReport(told, "told", None))
        await self.office.collect()

    async def fill(self, order: BrokerOrder, qty: str) -> None:
        self.office.broker.fill(order, qty, self.at)
        await self.office.collect()

    def alerts(self) -> list[str]:
        events = [item.event for item in self.office.desk.ledger.journal.read(0, 100_000)]
        return [event.message for event in events if isinstance(event, AlertTriggered) and event.kind == "unprotected"]


@pytest.mark.parametrize("first", ["legs", "entry"])
def test_a_bracket_that_is_canceled_after_a_partial_fill_leaves_nothing_bare_in_silence(first: str) -> None:
    async def story() -> None:
        bracket = Bracket(Office.open())
        await bracket.begin()
        await bracket.fill(bracket.entry, "4")
        legs, entry = [bracket.stop, bracket.profit], [bracket.entry]
        for order in legs + entry if first == "legs" else entry + legs:
            await bracket.say(order, S.CANCELED)
        (message,) = bracket.alerts()
        assert message.startswith("4 SPY of order")

    run_story(story)


def test_a_stop_that_ends_with_the_profit_taken_or_by_our_wish_is_no_alert() -> None:
    async def story() -> None:
        bracket = Bracket(Office.open())
        await bracket.begin()
        await bracket.fill(bracket.entry, "10")
        await bracket.fill(bracket.profit, "10")
        await bracket.say(bracket.stop, S.CANCELED)
        assert bracket.alerts() == []
        other = Bracket(Office.open())
        await other.begin()
        await other.fill(other.entry, "10")
        other.office.desk.give(cmd.CancelOrder(other.stop_id, "to close"))
        await other.say(other.stop, S.CANCELED)
        assert other.alerts() == []

    run_story(story)


def test_a_stop_that_the_broker_ends_by_itself_is_an_alert() -> None:
    async def story() -> None:
        bracket = Bracket(Office.open())
        await bracket.begin()
        await bracket.fill(bracket.entry, "10")
        await bracket.say(bracket.stop, S.CANCELED)
        assert len(bracket.alerts()) == 1

    run_story(story)


def test_what_an_entry_filled_before_somebody_replaced_it_is_told() -> None:
    async def story() -> None:
        bracket = Bracket(Office.open())
        await bracket.begin()
        await bracket.fill(bracket.entry, "4")
        assert bracket.alerts() == []
        await bracket.say(bracket.entry, S.REPLACED)
        await bracket.say(bracket.entry, S.REPLACED)
        (message,) = bracket.alerts()
        assert message.startswith("4 SPY of order")
        assert "before it was replaced" in message

    run_story(story)


@pytest.mark.parametrize(("late", "message"), [("3", "filled 3 SPY more"), (None, "")])
def test_what_an_order_filled_on_the_way_of_its_replacement_is_told_once(late: str | None, message: str) -> None:
    """No look before can close the moment in which the request travels."""

    async def story() -> list[str]:
        office = Office.open()
        old = office.desk.place("buy", "10")
        await office.deliver(0.1)
        name = f"b-{office.desk.order(old).client_order_id}"
        office.broker.fill(office.broker.orders[name], "4", NOON)
        await office.collect()
        new = office.desk.ids.order_id()
        later = NOON + dt.timedelta(minutes=1)
        office.desk.give(cmd.ReplaceOrder(old, new, later, Decimal(5)))
        await office.deliver(0.1)
        assert office.broker.count("replace") == 1
        if late is not None:
            office.broker.fill(office.broker.orders[name], late, NOON)
        told = attrs.evolve(office.broker.orders[name], status=S.REPLACED, updated_at=later)
        for _ in range(2):
            await office.inbox.take(OrderReport(told, "replaced", None))
        events = [item.event for item in office.desk.ledger.journal.read(0, 100_000)]
        return [one.message for one in events if isinstance(one, AlertTriggered) and one.kind == "replaced_late"]

    alerts = run_story(story)
    assert len(alerts) == (late is not None)
    assert all(message in alert for alert in alerts)
