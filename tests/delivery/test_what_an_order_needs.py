"""What an order needs from the broker at each place of its life, and how urgent that is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.domain.orders import LATER, NOON, order, planned, taken
from tradecore.domain import events as ev
from tradecore.domain.identity import leg_order_id
from tradecore.domain.order import OrderState, evolve
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import ZERO, Leg, OrderClass, OrderStatus, Purpose
from tradecore.domain.work import CANCEL_ATTEMPTS, Work
from tradecore.outbox.needs import Kind, Priority, missing_legs, needs, priority

SENT = ev.OrderSubmitted("o", 1, "lease")
WANTED = ev.CancelRequested("o", "enough")
GONE = ev.OrderCanceled("o", "gone", ZERO, "")
SPENT = (ev.CancelSubmitted("o", CANCEL_ATTEMPTS, "lease"), ev.CancelAnswered("o", False, "no"))
BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET, "take_profit": TakeProfit(Decimal(110)), "stop_loss": StopLoss(Decimal(90)),
}  # fmt: skip


def leg(which: Leg, *happened: ev.Event) -> OrderState:
    state = planned(order_id=leg_order_id("o", which.value), leg=which, parent_order_id="o")
    for event in happened:
        state = evolve(state, event)
    return state


def legs(*states: OrderState) -> dict[str, OrderState]:
    return {state.order_id: state for state in states}


BOTH = legs(leg(Leg.TAKE_PROFIT), leg(Leg.STOP_LOSS))


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (order(), Kind.SUBMIT),
        (order(replaces="x"), Kind.REPLACE),
        (order(SENT), Kind.RESOLVE),
        (order(SENT, replaces="x"), Kind.RESOLVE),
        (order(SENT, ev.OrderNotSent("o", 1, "no")), Kind.SUBMIT),
        (order(SENT, ev.OrderOutcomeUnknown("o", 1, "cut", False)), Kind.RESOLVE),
        (order(GONE), None),
        (order(ev.OrderDead("o", Work.SUBMIT, 5, "no")), None),
        (order(ev.OrderHalted("o", "two for one", "{}")), None),
        (order(SENT, ev.OrderHalted("o", "two for one", "{}")), None),
        (evolve(planned(), ev.ApprovalRequested("o", ("r",), "large", LATER)), None),
        (leg(Leg.STOP_LOSS), None),
        (order(leg=Leg.STOP_LOSS, parent_order_id="p", replaces="x"), Kind.REPLACE),
        (order(taken()), None),
        (order(taken(), WANTED), Kind.CANCEL),
        (order(taken(), WANTED, *SPENT), None),
        (order(taken(), WANTED, GONE), None),
        (order(WANTED), Kind.SUBMIT),
    ],
)
def test_what_an_order_needs(state: OrderState, kind: Kind | None) -> None:
    assert needs(state, BOTH.get) is kind


def test_legs_are_asked_for_while_one_is_missing() -> None:
    whole = order(taken(), **BRACKET)
    there = ev.OrderAccepted("l", "b-l", OrderStatus.HELD, NOON, True, "{}")
    assert needs(whole, BOTH.get) is Kind.LEGS
    assert missing_legs(whole, BOTH.get) == list(BOTH.values())
    one = legs(leg(Leg.TAKE_PROFIT, there), leg(Leg.STOP_LOSS))
    assert missing_legs(whole, one.get) == [one[leg_order_id("o", "stop_loss")]]
    assert needs(whole, one.get) is Kind.LEGS
    over = legs(leg(Leg.TAKE_PROFIT, there), leg(Leg.STOP_LOSS, GONE))
    assert needs(whole, over.get) is None
    assert needs(whole, legs().get) is None, "none was planned"
    assert needs(order(taken()), BOTH.get) is None
    assert needs(order(taken(), WANTED, **BRACKET), BOTH.get) is Kind.CANCEL
    assert needs(order(taken(), GONE, **BRACKET), BOTH.get) is Kind.LEGS, "they may live on"
    assert needs(order(taken(), replaces="x", **BRACKET), BOTH.get) is None, "they stay with what it replaced"


@pytest.mark.parametrize(
    ("kind", "purpose", "expected"),
    [
        (Kind.KILL, Purpose.TRADE, Priority.KILL),
        (Kind.CANCEL, Purpose.TRADE, Priority.CANCEL),
        (Kind.RESOLVE, Purpose.CLOSE, Priority.LOOK_UP),
        (Kind.LEGS, Purpose.CLOSE, Priority.LOOK_UP),
        (Kind.SUBMIT, Purpose.CLOSE, Priority.CLOSE),
        (Kind.REPLACE, Purpose.PROTECT, Priority.PROTECT),
        (Kind.SUBMIT, Purpose.TRADE, Priority.TRADE),
    ],
)
def test_what_takes_risk_away_is_more_urgent(kind: Kind, purpose: Purpose, expected: Priority) -> None:
    assert priority(kind, order(purpose=purpose)) is expected
