"""Several processes that read little of what others record: what they write is as if one had written it all."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import NOON, CountingIds, Desk, StillClock
from tests.ledger.revisions import Told, tell
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import OrderAdopted, OrderPlanned, TradeProposed
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Side, TimeInForce
from tradecore.errors import InputError, InvariantViolated, RefusedError, WrongVersion
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.verify import verify

LATER = NOON + dt.timedelta(hours=1)
_DEEDS = (
    "place", "place", "send", "answer", "fill", "fill", "cancel", "end", "replace", "bust", "lose", "withdraw", "kill",
    "correct", "bracket", "adopt", "close", "lower", "read", "read",
)  # fmt: skip
_LEGS: Any = {
    "order_class": OrderClass.BRACKET, "take_profit": TakeProfit(Decimal(110)), "stop_loss": StopLoss(Decimal(90)),
}  # fmt: skip
Step = tuple[int, str, int, int]
"""Which process does what, with which of the orders, and how much."""


def steps() -> st.SearchStrategy[list[Step]]:
    return st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(_DEEDS), st.integers(0, 3), st.integers(1, 4)),
        min_size=4, max_size=30,
    )  # fmt: skip


def do(desk: Desk, told: list[Told], step: Step) -> None:
    """One deed; what the ledger refuses is no deed."""
    _, deed, which, much = step
    match deed:
        case "place":
            desk.place(("buy", "sell")[much % 2], str(much + 2), strategy=("a", "b")[which % 2])
        case "bracket":
            desk.place("buy", str(much + 2), limit="100", strategy="a", **_LEGS)
        case "close":
            strategy = (None, "a", "b", "external")[which]
            desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", LATER, strategy, Decimal(100)))
        case "adopt":
            adopt(desk, much)
        case "lower":
            desk.limits(max_position_qty=Decimal(4 * much))
        case "kill":
            desk.give(cmd.RequestKill("main", "enough"))
        case "read" if which == 0:  # one of the three reads, now and then, and then not everything
            desk.ledger.refresh(streams.account("main"))
        case _:
            orders = orders_of(desk)
            if orders:
                do_to(desk, told, deed, orders[-1 - which % len(orders)], much)


def orders_of(desk: Desk) -> list[str]:
    """All orders, in the order of the log; the desk need not have read of them."""
    events = (one.event for one in desk.ledger.journal.read(0, 10_000))
    return [event.order_id for event in events if isinstance(event, OrderPlanned | OrderAdopted)]


def adopt(desk: Desk, much: int) -> None:
    """An order of others is seen at the broker."""
    order_id = desk.ids.order_id()
    desk.give(
        cmd.AdoptOrder(
            order_id, "main", f"theirs-{order_id}", f"b-{order_id}", "SPY", Side.BUY, Decimal(much), None,
            OrderType.MARKET, None, None, TimeInForce.DAY, Decimal(100), OrderStatus.NEW, NOON, "{}",
        )
    )  # fmt: skip


def do_to(desk: Desk, told: list[Told], deed: str, order_id: str, much: int) -> None:
    """One deed that concerns an order."""
    match deed:
        case "send":
            if desk.order(order_id).leg is None:  # the broker makes legs by itself
                desk.send(order_id)
        case "answer":
            desk.answer(order_id)
        case "cancel":
            desk.give(cmd.CancelOrder(order_id, "enough"))
        case "end":
            state = desk.order(order_id)
            desk.report(order_id, "canceled", filled=str(state.filled_qty), at=9)
        case "replace":
            desk.give(cmd.ReplaceOrder(order_id, desk.ids.order_id(), LATER, quantity=Decimal(much)))
        case "lose":
            desk.give(cmd.RecordUnknown(order_id, "no answer"))
        case "read":
            desk.ledger.refresh(streams.order(order_id))
        case "withdraw":
            desk.give(cmd.WithdrawOrder(order_id, "nothing there"))
        case "fill":
            before = [one for one in told if one.order_id == order_id and one.revises is None]
            total = sum((int(one.quantity) for one in before), much)
            one = Told(order_id, f"x{len(told)}", str(much), str(98 + much), str(total), second=len(told))
            tell(desk, one)
            told.append(one)
        case _:
            mine = [one for one in told if one.order_id == order_id and not one.busts and one.revises is None]
            if mine:
                one = mine[-1]
                busts = deed == "bust"
                revision = Told(
                    order_id, f"r{len(told)}", one.quantity if busts else str(much), one.price, "0",
                    revises=one.name, busts=busts, second=50 + len(told),
                )  # fmt: skip
                tell(desk, revision)
                told.append(revision)


@settings(max_examples=200, deadline=None)
@given(steps())
def test_whoever_did_not_read_what_the_others_wrote_writes_nothing_that_does_not_fit(story: list[Step]) -> None:
    journal, clock, ids = open_journal("memory:"), StillClock(), CountingIds()
    desks = [Desk(Ledger(journal, clock, ids), clock, ids) for _ in range(3)]
    desks[0].pin()
    told: list[Told] = []
    for step in story:
        try:
            do(desks[step[0]], told, step)
        except (InputError, RefusedError, InvariantViolated, WrongVersion):
            continue
    end = Desk(Ledger(journal, clock, ids), clock, ids)
    events = [one.event for one in journal.read(0, 10_000)]
    orders = [end.order(order_id) for order_id in orders_of(end)]
    live = {order.order_id for order in orders if not order.is_settled and order.status is not OrderStatus.PLANNED}
    legs = {order.order_id for order in orders if order.leg is not None}
    assert set(end.account.reservations) == live - legs
    trades = [end.ledger.trade(event.trade_id) for event in events if isinstance(event, TradeProposed)]
    working = {order_id for state in trades if state is not None for order_id in state.working_orders}
    assert working - legs == live - legs
    states = [state for state in trades if state is not None]
    held = {state.trade_id: state.position.quantity for state in states if state.position.quantity}
    assert held == {one.trade_id: one.quantity for one in end.account.holdings.values()}
    assert verify(journal).findings == ()
