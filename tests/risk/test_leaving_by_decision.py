"""A decision to leave a trade whose legs work at the broker: by a saga, which withdraws them first, and only once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_approvals import grant
from tests.risk.test_exits import plan, state_of
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import (
    DecisionExecuted,
    Event,
    ExitFired,
    ExitRaised,
    ExitsArmed,
    OrderPlanned,
    SagaStarted,
)
from tradecore.domain.exit_plan import ExitRule, Rung
from tradecore.domain.identity import closing_order_id, derived_id, leg_order_id
from tradecore.domain.limits import Action
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, Purpose, Side
from tradecore.errors import CloseRefused
from tradecore.leaving import arm

D = Decimal
LEGS = ("take_profit", "stop_loss")


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    return desk


def bracketed(desk: Desk, **terms: Any) -> str:
    """Ten units, bought with a target and a stop that work at the broker."""
    entry = desk.place(
        "buy", "10", order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(D(120)), stop_loss=StopLoss(D(90)), **terms,
    )  # fmt: skip
    desk.send(entry)
    desk.answer(entry, "new")
    desk.fill(entry, "10", "100")
    for leg in LEGS:
        desk.report(leg_order_id(entry, leg), "new")
    return entry


def decide(desk: Desk, quantity: str = "10", decision: str = "d-1", **other: Any) -> str:
    """An agent's decision to sell; the id of the order that it wants."""
    price: Decimal | None = other.pop("price", D("1E+2"))
    proposal = cmd.Proposal(
        decision, "test", "SPY", Side.SELL, D(quantity), price, desk.clock.now(), "enough", D("0.9"),
        deliberated=other.pop("deliberated", True),
    )  # fmt: skip
    terms: dict[str, Any] = {"purpose": Purpose.CLOSE, "proposal": proposal, "reference_price": price}
    return desk.place("sell", quantity, **(terms | other))


def test_legs_are_withdrawn_first_by_a_saga_that_the_decision_names(desk: Desk) -> None:
    trade = desk.trade_of(bracketed(desk)).trade_id
    order = decide(desk)
    assert desk.ledger.order(order) is None
    (saga,) = found(desk, SagaStarted)
    assert (saga.saga_id, saga.kind, saga.account) == (derived_id("exit", trade, "1"), "position_close", "main")
    assert saga.terms == {
        "trade_id": trade, "reason": "decision d-1", "decision_id": "d-1", "reference_price": "100",
    }  # fmt: skip
    assert saga.deadline == desk.clock.now() + dt.timedelta(seconds=60)
    (executed,) = found(desk, DecisionExecuted)
    assert executed.order_id == closing_order_id(saga.saga_id)
    assert found(desk, ExitFired) == [], "no exits were planned"


def test_a_decision_without_a_price_names_none(desk: Desk) -> None:
    bracketed(desk)
    decide(desk, price=None)
    (saga,) = found(desk, SagaStarted)
    assert "reference_price" not in saga.terms


def test_planned_exits_know_that_a_decision_was_faster(desk: Desk) -> None:
    trade = desk.trade_of(bracketed(desk, exits=plan(stop_loss="0.1"))).trade_id
    decide(desk)
    assert found(desk, ExitFired) == [ExitFired(trade, ExitRule.DECISION, D(10), "decision d-1", D(10), 0)]


def test_after_a_part_was_left_the_next_exit_has_the_next_number_and_the_same_beginning(desk: Desk) -> None:
    entry = bracketed(desk, exits=plan(stop_loss="0.1", ladder=(Rung(D("0.05"), D("0.5")),)))
    trade = desk.trade_of(entry).trade_id
    desk.give(cmd.FireExit(trade, ExitRule.TAKE_PROFIT, D(4), "seen", 0, 1))
    part = found(desk, OrderPlanned)[-1].order_id
    desk.send(part)
    desk.answer(part)
    desk.fill(part, "4", "105")
    decide(desk, "6")
    (saga,) = found(desk, SagaStarted)
    assert saga.saga_id == derived_id("exit", trade, "2")
    assert found(desk, ExitFired)[1:] == [ExitFired(trade, ExitRule.DECISION, D(6), "decision d-1", D(10), 0)]


@pytest.mark.parametrize(
    "other", [{"quantity": "4"}, {"deliberated": False}, {"purpose": Purpose.TRADE}, {"proposal": None}]
)
def test_a_part_and_what_no_agent_decided_to_close_is_an_order_like_any(desk: Desk, other: dict[str, Any]) -> None:
    bracketed(desk)
    order = decide(desk, **other)
    assert desk.order(order).status is OrderStatus.QUEUED
    assert found(desk, SagaStarted) == []


def test_without_legs_there_is_nothing_to_withdraw(desk: Desk) -> None:
    desk.done("buy", "10", "100")
    desk.live("buy", "1", limit="90")
    assert desk.order(decide(desk)).status is OrderStatus.QUEUED
    assert found(desk, SagaStarted) == []


def test_legs_that_have_ended_hold_nothing_back(desk: Desk) -> None:
    entry = bracketed(desk)
    for leg in LEGS:
        desk.report(leg_order_id(entry, leg), "canceled", at=1)
    assert desk.order(decide(desk)).status is OrderStatus.QUEUED


def test_a_leg_whose_fills_are_missing_is_waited_for(desk: Desk) -> None:
    """It ended in part filled, and how much is left is not known yet: an order for all of it would sell too much."""
    entry = bracketed(desk)
    stop, target = (leg_order_id(entry, leg) for leg in reversed(LEGS))
    desk.report(target, "canceled", at=1)
    desk.report(stop, "canceled", "2", at=1)
    assert desk.order(stop).status.is_terminal
    decide(desk)
    assert len(found(desk, SagaStarted)) == 1


def test_nothing_is_left_twice(desk: Desk) -> None:
    bracketed(desk, exits=plan(stop_loss="0.1"))
    decide(desk)
    with pytest.raises(CloseRefused, match="is being left already"):
        decide(desk, decision="d-2")
    assert len(found(desk, SagaStarted)) == len(found(desk, ExitFired)) == 1


def test_what_a_working_order_closes_in_part_is_not_left_beside_it(desk: Desk) -> None:
    bracketed(desk)
    decide(desk, "4")
    with pytest.raises(CloseRefused, match="of SPY is being left already"):
        decide(desk, "6", decision="d-2")


def test_a_close_that_waits_for_a_person_keeps_no_exit_from_firing(desk: Desk) -> None:
    entry = desk.done("buy", "10", "100", exits=plan(stop_loss="0.1"))
    desk.limits(max_order_qty=D(5), actions={"max_order_qty": Action.APPROVE})
    waiting = desk.order(desk.place("sell", "11", purpose=Purpose.CLOSE))
    assert waiting.awaits_approval
    trade = desk.trade_of(entry).trade_id
    assert desk.give(cmd.FireExit(trade, ExitRule.STOP_LOSS, D(10), "seen", 0)) != ()


def test_a_yes_to_a_decision_withdraws_the_legs_first(desk: Desk) -> None:
    bracketed(desk)
    order = decide(desk, approval="agents are asked about")
    assert found(desk, SagaStarted) == []
    assert desk.order(order).awaits_approval
    grant(desk, order)
    assert desk.order(order).status is OrderStatus.CANCELED
    (saga,) = found(desk, SagaStarted)
    assert saga.terms["decision_id"] == "d-1"


def test_a_yes_that_comes_after_a_stop_has_begun_to_leave_is_refused(desk: Desk) -> None:
    trade = desk.trade_of(bracketed(desk, exits=plan(stop_loss="0.1", max_holding_s="60"))).trade_id
    order = decide(desk, approval="agents are asked about")
    desk.give(cmd.FireExit(trade, ExitRule.MAX_HOLDING, D(10), "seen", 0))
    with pytest.raises(CloseRefused, match="is being left already"):
        grant(desk, order)
    assert desk.order(order).awaits_approval
    assert len(found(desk, SagaStarted)) == 1


# --- what there is to leave -----------------------------------------------------------------------------------------


def test_a_stop_of_what_is_not_held_is_not_raised(desk: Desk) -> None:
    trade = desk.trade_of(desk.place("buy", "10", exits=plan(trail="0.05", stop_loss="0.1"))).trade_id
    assert desk.give(cmd.RaiseExit(trade, ExitRule.TRAIL, D(99), D(104))) == ()


def test_what_was_sold_elsewhere_is_not_left_again(desk: Desk) -> None:
    entry = desk.done("buy", "10", "100", exits=plan(stop_loss="0.1"))
    desk.done("sell", "10", "100", strategy="external")
    trade = desk.trade_of(entry).trade_id
    assert desk.give(cmd.FireExit(trade, ExitRule.STOP_LOSS, D(10), "seen", 0)) == ()


def test_a_rung_leaves_no_more_than_the_account_has_and_a_stop_leaves_the_whole_trade(desk: Desk) -> None:
    entry = desk.done("buy", "10", "100", exits=plan(stop_loss="0.1", ladder=(Rung(D("0.05"), D("0.5")),)))
    desk.done("sell", "8", "100", strategy="external")
    trade = desk.trade_of(entry).trade_id
    desk.give(cmd.FireExit(trade, ExitRule.TAKE_PROFIT, D(5), "seen", 0, 1))
    part = desk.order(found(desk, OrderPlanned)[-1].order_id)
    assert (part.quantity, part.purpose) == (D(2), Purpose.CLOSE)
    assert found(desk, ExitFired)[-1].quantity == D(2)
    desk.give(cmd.CancelOrder(part.order_id, "not now"))
    assert desk.order(part.order_id).is_settled
    desk.give(cmd.FireExit(trade, ExitRule.STOP_LOSS, D(10), "seen", 1))
    assert found(desk, ExitFired)[-1].quantity == D(10)
    assert len(found(desk, SagaStarted)) == 1


def test_a_raised_stop_stays_with_an_order_that_adds() -> None:
    desk = Desk.in_memory()
    entry = desk.done("buy", "10", "100", exits=plan(trail="0.05"))
    desk.place("buy", "1", exits=plan(trail="0.05"))
    assert found(desk, ExitRaised) == [], "nothing was raised yet"
    trade = desk.trade_of(entry).trade_id
    desk.give(cmd.RaiseExit(trade, ExitRule.TRAIL, D(99), D(104)))
    desk.place("buy", "1", exits=plan(trail="0.04"))
    assert len(found(desk, ExitsArmed)) == 3
    assert found(desk, ExitRaised) == [
        ExitRaised(trade, ExitRule.TRAIL, D(99), D(104)), ExitRaised(trade, ExitRule.TRAIL, D(99), D(99)),
    ]  # fmt: skip


def test_a_stop_from_before_is_not_that_of_what_is_bought_anew() -> None:
    desk = Desk.in_memory()
    order = desk.order(desk.place("buy", "10"))
    command = cmd.PlaceOrder(
        "x", "main", "SPY", Side.BUY, D(10), order.order_type, None, order.time_in_force, "test", desk.clock.now(),
        exits=plan(trail="0.05"),
    )  # fmt: skip
    trade = desk.trade_of(order.order_id)
    (armed,) = arm(command, trade, state_of(plan(trail="0.05"), level=D(99)))
    assert isinstance(armed, ExitsArmed)
