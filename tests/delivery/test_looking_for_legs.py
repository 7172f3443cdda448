"""Legs that the broker made are asked for until it tells them, or shows for long enough that there are none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.domain.orders import NOON, order, part, planned, taken
from tests.review.scripted import UNREACHABLE, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.identity import leg_order_id
from tradecore.domain.order import OrderState, evolve
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, OrderType, Side
from tradecore.errors import ProtocolError
from tradecore.outbox import Pace
from tradecore.outbox.answers import Done
from tradecore.outbox.lookups import count_open, find_legs
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item
from tradecore.ports.broker import BrokerOrder, OrderPage, UnknownReport

D = Decimal
PACE = Pace(lookup_interval_s=2.0, lookups=3, retry_max_s=7.0)
BRACKET: Any = {
    "order_class": OrderClass.BRACKET, "take_profit": TakeProfit(D(110)), "stop_loss": StopLoss(D(90)),
}  # fmt: skip
ENTRY = order(taken(), **BRACKET)
OVER = order(taken(), ev.OrderCanceled("o", "gone", D(0), ""), **BRACKET)
FILLED = order(taken(), part("4", "4"), ev.OrderCanceled("o", "gone", D(4), ""), **BRACKET)
THERE = BrokerOrder("b", "c", "AAA", Side.BUY, D(10), "market", OrderStatus.CANCELED, D(0), None, NOON, "raw")
PROFIT = attrs.evolve(THERE, broker_order_id="b1", side=Side.SELL, order_type="limit", status=OrderStatus.HELD)
LOSS = attrs.evolve(PROFIT, broker_order_id="b2", order_type="stop")


def leg(which: Leg) -> OrderState:
    kind = OrderType.LIMIT if which is Leg.TAKE_PROFIT else OrderType.STOP
    return planned(
        order_id=leg_order_id("o", which.value), leg=which, parent_order_id="o", side=Side.SELL, order_type=kind
    )


LEGS = {state.order_id: state for state in map(leg, Leg)}
ABSENT = "order o is canceled, and the broker shows no such leg"


@attrs.define
class Asking:
    """Somebody who asks for the legs of an order again and again."""

    entry: OrderState
    broker: ScriptedBroker = attrs.field(factory=ScriptedBroker)
    item: Item = attrs.field(factory=lambda: Item("o", Kind.LEGS, Priority.LOOK_UP, "o"))
    legs: dict[str, OrderState] = attrs.field(factory=lambda: dict(LEGS))

    def shows(self, *legs: BrokerOrder, status: OrderStatus | None = OrderStatus.CANCELED) -> None:
        self.broker.orders["b"] = attrs.evolve(THERE, legs=legs, status=status)

    def ask(self) -> Done:
        return run_story(lambda: find_legs(self.broker, self.entry, self.legs.get, self.item, PACE))


def named(done: Done) -> list[str]:
    return [one.broker_order_id for one in done.commands if isinstance(one, cmd.RecordReport)]


def test_legs_that_are_told_are_recorded_and_nobody_asks_again() -> None:
    asking = Asking(ENTRY)
    asking.shows(LOSS, PROFIT)
    done = asking.ask()
    assert (named(done), done.retry_in_s, done.alert) == (["b1", "b2"], None, None)
    assert [type(one) for one in done.commands] == [cmd.RecordReport] * 2


def test_legs_that_are_missing_are_asked_for_ever_less_often() -> None:
    asking = Asking(ENTRY)
    asking.shows(PROFIT, status=OrderStatus.NEW)
    assert [asking.ask().retry_in_s for _ in range(5)] == [2.0, 4.0, 6.0, 7.0, 7.0]
    assert asking.item.lookups == 0, "the order still works"
    assert named(asking.ask()) == ["b1"]


def test_a_question_without_an_answer_is_asked_again_and_proves_nothing() -> None:
    asking = Asking(OVER)
    for trouble in (UNREACHABLE, ProtocolError("garbled")):
        asking.broker.trouble["order"] = trouble
        for _ in range(4):
            done = asking.ask()
            assert done == Done(retry_in_s=min(2.0 * asking.item.asked, 7.0))
    assert asking.item.lookups == 0


@pytest.mark.parametrize("hidden", [True, False])
def test_legs_that_the_broker_does_not_show_so_often_after_the_end_are_withdrawn(hidden: bool) -> None:
    asking = Asking(OVER)
    if not hidden:
        asking.shows()
    assert [asking.ask() for _ in range(2)] == [Done(retry_in_s=2.0), Done(retry_in_s=4.0)]
    withdrawn: list[cmd.Command] = [cmd.WithdrawOrder(order_id, ABSENT) for order_id in LEGS]
    assert asking.ask() == Done(withdrawn), "nothing was bought, so nothing is unprotected"


def test_only_the_leg_that_is_not_shown_is_withdrawn() -> None:
    asking = Asking(FILLED)
    asking.shows(PROFIT)
    asking.ask()
    asking.ask()
    done = asking.ask()
    assert done.commands[1:] == [cmd.WithdrawOrder(leg_order_id("o", "stop_loss"), ABSENT)]
    assert named(done) == ["b1"]
    assert done.retry_in_s is None
    assert done.alert == ("unprotected", f"{ABSENT}: what it bought or sold has no protection there")


@pytest.mark.parametrize("status", [OrderStatus.NEW, None])
def test_what_is_shown_while_the_order_works_there_says_nothing(status: OrderStatus | None) -> None:
    asking = Asking(OVER)
    asking.shows()
    asking.ask()
    asking.ask()
    asking.shows(status=status)
    assert (asking.ask().retry_in_s, asking.item.lookups) == (6.0, 0)
    asking.shows()
    assert [bool(asking.ask().commands) for _ in range(3)] == [False, False, True], "it is counted anew"


def test_once_no_leg_is_missing_nothing_is_counted() -> None:
    asking = Asking(OVER)
    asking.ask()
    asking.ask()
    asking.legs.clear()
    assert asking.ask() == Done()
    assert asking.item.lookups == 0


# --- open orders ----------------------------------------------------------------------------------------------------


def test_a_list_that_cannot_be_read_whole_says_nothing_of_what_works() -> None:
    class Garbled(ScriptedBroker):
        async def orders_since(self, since: Any) -> OrderPage:
            page = await super().orders_since(since)
            return attrs.evolve(page, unreadable=(UnknownReport("garbled", "{}"),))

    with pytest.raises(ProtocolError, match="1 orders cannot be read"):
        run_story(lambda: count_open(Garbled(), []))


def test_what_may_be_there_without_a_name_counts_and_is_not_asked_for() -> None:
    broker = ScriptedBroker()
    nameless = order(ev.OrderSubmitted("o", 1, "lease"))
    assert run_story(lambda: count_open(broker, [nameless])) == 1
    assert broker.count("order") == 0
    known = evolve(nameless, taken())
    assert run_story(lambda: count_open(broker, [known])) == 1, "the broker says that there is none: nobody knows"
    broker.orders["b"] = THERE
    broker.submitted_at["b"] = NOON
    assert run_story(lambda: count_open(broker, [known])) == 0
