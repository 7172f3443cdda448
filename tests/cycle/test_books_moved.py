"""What an agent decided on books that moved before its order was placed closes or opens as decided, or not at all."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import NOON, Desk
from tests.ledger.revisions import Told, tell
from tradecore.cycle.placing import order_of_decision
from tradecore.domain import commands as cmd
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.values import OrderClass, Purpose
from tradecore.errors import CloseRefused, InputError

D = Decimal
LATER = NOON + dt.timedelta(minutes=1)
DECISION = "0b9c3f57-3f6e-5d4c-9f39-6a3d3f1f6a01"
STOP = ExitPlan(stop_price=D(105))


@pytest.fixture
def desk() -> Desk:
    """A ledger in memory."""
    return Desk.in_memory()


def decided(desk: Desk, *, closes: bool) -> cmd.PlaceOrder:
    """An agent that sells 8, which closes what it holds or opens a short, and the order by what it holds now."""
    made = Judgement(Stance.SELL, "enough", D("0.9"), D("0.05"), stop_price=D(105))
    desk.give(cmd.RequestDecision(DECISION, "single", "main", "SPY", None, NOON, LATER, {}, (), ()))
    desk.give(cmd.ConcludeDecision(DECISION, made))
    desk.give(cmd.ValidateDecision(DECISION, Stance.SELL, "", D("0.9"), None, D(8), D(100), None, closes))
    state = desk.ledger.deliberation(DECISION)
    assert state is not None
    return order_of_decision(state, (), LATER, desk.account.held("single", "SPY"), STOP)


def bought(desk: Desk, qty: str) -> str:
    order_id = desk.live("buy", qty, strategy="single")
    tell(desk, Told(order_id, "x1", qty, "100", qty))
    return order_id


def test_what_was_to_be_closed_and_was_busted_is_not_sold_short(desk: Desk) -> None:
    desk.pin()
    order_id = bought(desk, "8")
    tell(desk, Told(order_id, "b1", "8", "100", "0", revises="x1", busts=True, second=5))
    order = decided(desk, closes=True)
    assert (order.purpose, order.order_class, order.exits) == (Purpose.CLOSE, OrderClass.SIMPLE, None)
    with pytest.raises(CloseRefused):
        desk.give(order)
    assert desk.account.reservations == {}


def test_what_was_to_open_a_short_sells_nothing_that_is_held_by_now(desk: Desk) -> None:
    desk.pin()
    bought(desk, "3")
    order = decided(desk, closes=False)
    assert order.purpose is Purpose.TRADE
    with pytest.raises(InputError, match="decision_id"):
        desk.give(order)
    assert desk.account.reservations == {}


def test_it_closes_what_is_still_held(desk: Desk) -> None:
    desk.pin()
    bought(desk, "8")
    order = decided(desk, closes=True)
    desk.give(order)
    assert desk.order(order.order_id).purpose is Purpose.CLOSE
