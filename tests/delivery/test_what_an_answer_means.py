"""What the broker's answer says of an order and of its legs, and what of it is not taken for ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.domain.orders import NOON, order
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.values import Leg, OrderStatus, OrderType, Side
from tradecore.outbox.answers import Done, answered, leg_reports
from tradecore.ports.broker import BrokerOrder

D = Decimal
SENT = ev.OrderSubmitted("o", 1, "lease")
SAME = BrokerOrder("b", "c", "AAA", Side.BUY, D(10), "market", OrderStatus.NEW, D(3), None, NOON, "raw")
PROFIT = order(order_id="p", leg=Leg.TAKE_PROFIT, parent_order_id="o", side=Side.SELL, order_type=OrderType.LIMIT)
LOSS = order(order_id="l", leg=Leg.STOP_LOSS, parent_order_id="o", side=Side.SELL, order_type=OrderType.STOP)


def theirs(kind: str, name: str, **more: Any) -> BrokerOrder:
    """A leg as the broker tells it."""
    return attrs.evolve(SAME, broker_order_id=name, side=Side.SELL, order_type=kind, **more)


def reported(order_id: str, name: str, status: OrderStatus = OrderStatus.NEW) -> cmd.RecordReport:
    return cmd.RecordReport(order_id, name, status, D(3), NOON, "answer", "raw")


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [True, False])
def test_an_answer_is_recorded_as_it_is(found: bool) -> None:
    record = cmd.RecordAnswer("o", "b", OrderStatus.NEW, D(3), NOON, "raw", found)
    assert answered(order(SENT), SAME, [], found=found) == Done([record])


def test_a_status_that_nobody_knows_says_that_it_was_accepted() -> None:
    (record,) = answered(order(SENT), attrs.evolve(SAME, status=None), [], found=False).commands
    assert isinstance(record, cmd.RecordAnswer)
    assert record.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("other", [{"symbol": "BBB"}, {"side": Side.SELL}, {"quantity": D(9)}, {"order_type": "limit"}])
def test_another_order_under_our_name_halts_ours(other: dict[str, Any]) -> None:
    done = answered(order(SENT), attrs.evolve(SAME, **other), [], found=False)
    (halt,) = done.commands
    assert isinstance(halt, cmd.HaltOrder)
    assert halt.raw == "raw"
    assert done.alert == ("order_halted", f"order o is halted: {halt.reason}")
    assert halt.reason.startswith("the broker holds c as")


def test_legs_are_told_apart_by_their_types() -> None:
    whole = attrs.evolve(SAME, legs=(theirs("stop_limit", "b2"), theirs("limit", "b1", status=None)))
    record = answered(order(SENT), whole, [PROFIT, LOSS], found=False).commands
    assert record[1:] == [reported("p", "b1", OrderStatus.ACCEPTED), reported("l", "b2")]
    assert leg_reports([LOSS], attrs.evolve(SAME, legs=(theirs("stop", "b3"),))) == [reported("l", "b3")]
    assert leg_reports([PROFIT, LOSS], attrs.evolve(SAME, legs=(theirs("stop", "b3"),))) == [reported("l", "b3")]


@pytest.mark.parametrize(
    "leg",
    [theirs("limit", "b1", symbol="BBB"), attrs.evolve(theirs("limit", "b1"), side=Side.BUY), theirs("market", "b1")],
)
def test_a_leg_that_is_not_the_one_that_was_planned_is_not_taken_for_it(leg: BrokerOrder) -> None:
    assert leg_reports([PROFIT], attrs.evolve(SAME, legs=(leg,))) == []


def test_legs_are_reported_only_where_they_are_missing() -> None:
    whole = attrs.evolve(SAME, legs=(theirs("stop", "b2"), theirs("limit", "b1")))
    assert leg_reports([], whole) == []
    assert leg_reports([PROFIT], whole) == [reported("p", "b1")]
