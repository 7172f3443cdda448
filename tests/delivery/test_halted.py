"""An answer that contradicts the intent halts its order, with an alert; everything else goes on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain.events import AlertTriggered
from tradecore.domain.values import Side
from tradecore.errors import OutcomeUnknown
from tradecore.ports.broker import BrokerOrder, OrderReport, OrderRequest

OTHERS: list[dict[str, Any]] = [{"symbol": "QQQ"}, {"side": Side.SELL}, {"quantity": Decimal(11)}]


class Confused(ScriptedBroker):
    """Answers for SPY with another order than it was asked for."""

    def __init__(self, other: dict[str, Any]) -> None:
        super().__init__()
        self.other = other

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        answer = await super().submit(request)
        return self.confuse(answer) if request.symbol == "SPY" else answer

    def confuse(self, order: BrokerOrder) -> BrokerOrder:
        self.orders[order.broker_order_id] = changed = attrs.evolve(order, **self.other)
        return changed


def alerts(office: Office) -> list[str]:
    events = [item.event for item in office.desk.ledger.journal.read(0, 100_000)]
    return [event.kind for event in events if isinstance(event, AlertTriggered)]


@pytest.mark.parametrize("other", OTHERS)
def test_an_answer_of_another_order_halts_the_order_and_not_the_runner(other: dict[str, Any]) -> None:
    async def story() -> None:
        office = Office.open(None, Confused(other))
        wrong, right = office.desk.place("buy", "10"), office.desk.place("buy", "10", "AAPL")
        await office.deliver()
        assert office.desk.order(wrong).halted
        assert wrong in office.desk.account.reservations  # what is there under our name is not known
        assert office.desk.order(right).broker_order_id is not None
        assert alerts(office) == ["order_halted"]
        assert (office.broker.count("submit"), office.outbox.open_items) == (2, 0)
        engine = engine_of(Office.open(office.desk, office.broker, "lease-2", caught_up=False))
        await engine.begin("runner-2")
        assert engine.gate.reasons

    run_story(story)


def test_a_look_up_that_finds_another_order_halts_it_and_asks_no_more() -> None:
    async def story() -> None:
        office = Office.open(None, Confused({"symbol": "QQQ"}))
        office.broker.trouble["submit"] = OutcomeUnknown("no answer")
        order = office.desk.place("buy", "10")
        office.broker.have(office.desk.order(order).client_order_id, "QQQ")
        await office.deliver()
        assert office.desk.order(order).halted
        assert office.broker.count("order_by_client_id") == 1
        assert alerts(office) == ["order_halted"]

    run_story(story)


@pytest.mark.parametrize("other", OTHERS)
def test_a_report_of_another_order_under_our_name_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    async def story() -> None:
        office = Office.open()
        order = office.desk.place("buy", "10")
        await office.deliver()
        ours = office.broker.orders[f"b-{office.desk.order(order).client_order_id}"]
        strange = attrs.evolve(ours, **other)
        await office.inbox.take(OrderReport(strange, "new", None))
        assert office.desk.order(order).halted
        assert alerts(office) == ["order_halted"]

    run_story(story)


def test_an_execution_of_another_symbol_is_not_booked() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.desk.place("buy", "10")
        await office.deliver()
        ours = office.broker.orders[f"b-{office.desk.order(order).client_order_id}"]
        office.broker.fill(ours, "10", NOON)
        office.broker.fills[0] = attrs.evolve(office.broker.fills[0], symbol="QQQ")
        await office.collect()
        assert office.desk.order(order).halted
        assert office.desk.account.positions == {}

    run_story(story)


class Twice(ScriptedBroker):
    """Tells of one order before it answers with another."""

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        answer = await super().submit(request)
        self.office.desk.report(self.order_id, "new")
        return answer

    office: Office
    order_id: str


def test_a_second_order_under_one_name_halts_the_order_and_not_the_runner() -> None:
    async def story() -> None:
        broker = Twice()
        broker.office = office = Office.open(None, broker)
        broker.order_id = twice = office.desk.place("buy", "10")
        await office.deliver()
        assert office.desk.order(twice).halted
        assert alerts(office) == ["order_halted"]

    run_story(story)
