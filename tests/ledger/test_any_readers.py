"""Several processes that never read what the others record: what they write together is as if one had written it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import NOON, CountingIds, Desk, StillClock
from tests.ledger.revisions import Told, tell
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderPlanned, TradeProposed
from tradecore.domain.values import OrderStatus
from tradecore.errors import InputError, InvariantViolated, RefusedError, WrongVersion
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.verify import verify

LATER = NOON + dt.timedelta(hours=1)
_DEEDS = (
    "place", "place", "send", "answer", "fill", "fill", "cancel", "end", "replace", "bust", "lose", "withdraw", "kill",
)  # fmt: skip
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
    if deed == "place":
        desk.place(("buy", "sell")[much % 2], str(much + 2), strategy=("a", "b")[which % 2])
        return
    if deed == "kill":
        desk.give(cmd.RequestKill("main", "enough"))
        return
    planned = [one.event for one in desk.ledger.journal.read(0, 10_000) if isinstance(one.event, OrderPlanned)]
    if not planned:
        return
    order_id = planned[-1 - which % len(planned)].order_id
    match deed:
        case "send":
            desk.send(order_id)
        case "answer":
            desk.answer(order_id)
        case "cancel":
            desk.give(cmd.CancelOrder(order_id, "enough"))
        case "end":
            counted = (Decimal(one.quantity) for one in told if one.order_id == order_id and not one.busts)
            filled = sum(counted, Decimal(0))
            desk.report(order_id, "canceled", filled=str(filled), at=9)
        case "replace":
            desk.give(cmd.ReplaceOrder(order_id, desk.ids.order_id(), LATER, quantity=Decimal(much)))
        case "lose":
            desk.give(cmd.RecordUnknown(order_id, "no answer"))
        case "withdraw":
            desk.give(cmd.WithdrawOrder(order_id, "nothing there"))
        case "fill":
            before = [one for one in told if one.order_id == order_id and not one.busts]
            total = sum((int(one.quantity) for one in before), much)
            one = Told(order_id, f"x{len(told)}", str(much), str(99 + which), str(total), second=len(told))
            tell(desk, one)
            told.append(one)
        case _:
            mine = [one for one in told if one.order_id == order_id and not one.busts]
            if mine:
                one = mine[-1]
                bust = Told(
                    order_id, f"b{len(told)}", one.quantity, one.price, "0", revises=one.name, busts=True,
                    second=50 + len(told),
                )  # fmt: skip
                tell(desk, bust)
                told.append(bust)


@settings(max_examples=150, deadline=None)
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
    orders = [end.order(event.order_id) for event in events if isinstance(event, OrderPlanned)]
    reserved = {order.order_id for order in orders if not order.is_settled and order.status is not OrderStatus.PLANNED}
    assert set(end.account.reservations) == reserved
    trades = [end.ledger.trade(event.trade_id) for event in events if isinstance(event, TradeProposed)]
    working = {order_id for state in trades if state is not None for order_id in state.working_orders}
    assert working == reserved
    states = [state for state in trades if state is not None]
    held = {state.trade_id: state.position.quantity for state in states if state.position.quantity}
    assert held == {one.trade_id: one.quantity for one in end.account.holdings.values()}
    assert verify(journal).findings == ()
