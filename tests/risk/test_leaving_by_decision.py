"""What an agent decides to sell while legs work for it at the broker: one saga leaves the trade, nobody else does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import CountingIds, Desk, StillClock
from tests.risk.test_approvals import ASKS, expire, grant
from tests.risk.test_edges_of_exiting import fire
from tests.risk.test_exits import plan
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import DecisionExecuted, ExitFired, OrderPlanned, SagaStarted
from tradecore.domain.exit_plan import ExitRule
from tradecore.domain.identity import closing_order_id, derived_id, leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, Purpose, Side, TimeInForce
from tradecore.errors import CloseRefused
from tradecore.ledger import Ledger

D = Decimal
STOP = plan(stop_loss="0.02")
DECISION = "decision-1"
AN_AMOUNT: dict[str, Any] = {"notional": D(100), "reference_price": D(100)}


def bracketed(filled: str = "10", side: str = "buy", **terms: Any) -> tuple[Desk, str]:
    """A trade of ten whose stop and target work at the broker; and its entry."""
    desk = Desk.in_memory()
    desk.pin()
    stop, target = (D(98), D(110)) if side == "buy" else (D(102), D(90))
    entry = desk.place(
        side, "10", order_class=OrderClass.BRACKET, stop_loss=StopLoss(stop), take_profit=TakeProfit(target),
        time_in_force=TimeInForce.GTC, **terms,
    )  # fmt: skip
    desk.send(entry)
    desk.answer(entry)
    if filled != "0":
        desk.fill(entry, filled, "100")
        for leg in legs_of(entry):
            desk.report(leg, "new")
    return desk, entry


def legs_of(entry: str) -> tuple[str, str]:
    return leg_order_id(entry, "stop_loss"), leg_order_id(entry, "take_profit")


def decide(
    desk: Desk, quantity: str = "10", *, number: int = 1, side: str = "sell", is_agents: bool = True, **terms: Any
) -> str:
    """An order that carries out a decision, of an agent or of a strategy."""
    price = terms.get("reference_price")
    proposal = cmd.Proposal(
        f"decision-{number}", "test", "SPY", Side(side), D(quantity), price, desk.clock.now(), "enough", D("0.9"),
        deliberated=is_agents,
    )  # fmt: skip
    told: dict[str, Any] = {"purpose": Purpose.CLOSE, "proposal": proposal, **terms}
    if "notional" in terms:
        told["quantity"] = None
    return desk.place(side, quantity, **told)


def sagas(desk: Desk) -> list[SagaStarted]:
    return found(desk, SagaStarted)


def planned(desk: Desk) -> list[str]:
    """The orders that are not legs."""
    return [event.order_id for event in found(desk, OrderPlanned) if event.leg is None]


# --- who is left by a saga ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "closes"), [("buy", "sell"), ("sell", "buy")])
def test_legs_are_withdrawn_before_an_agents_order_closes_the_trade(side: str, closes: str) -> None:
    desk, entry = bracketed(side=side, exits=STOP)
    decide(desk, side=closes, reference_price=D("101.50"))
    (saga,) = sagas(desk)
    trade_id = desk.order(entry).trade_id
    assert planned(desk) == [entry], "the broker would refuse it: the legs hold the units"
    assert (saga.kind, saga.account) == ("position_close", "main")
    assert saga.saga_id == derived_id("exit", trade_id, "1"), "the same name in every release"
    assert saga.terms == {
        "trade_id": trade_id,
        "reason": f"decision {DECISION}",
        "decision_id": DECISION,
        "reference_price": "101.50",
    }
    assert saga.deadline == desk.clock.now() + dt.timedelta(seconds=60)
    (executed,) = found(desk, DecisionExecuted)
    assert executed.order_id == closing_order_id(saga.saga_id), "what was decided leads to the order of the saga"
    (fired,) = found(desk, ExitFired)
    assert fired == ExitFired(trade_id, ExitRule.DECISION, D(10), f"decision {DECISION}", D(10), 0)


def test_a_price_that_nobody_named_is_not_told_to_the_saga() -> None:
    desk, entry = bracketed()
    decide(desk)
    (saga,) = sagas(desk)
    assert "reference_price" not in saga.terms
    assert saga.saga_id == derived_id("exit", desk.order(entry).trade_id, "1")
    assert found(desk, ExitFired) == [], "a trade without a plan has no exits to tell of"


def test_a_very_small_price_is_told_in_digits() -> None:
    desk, _ = bracketed()
    decide(desk, reference_price=D("1E-7"))
    assert sagas(desk)[0].terms["reference_price"] == "0.0000001"


def test_it_is_told_what_was_entered_where_a_part_was_left_before() -> None:
    desk, entry = bracketed(exits=STOP)
    fire(desk, entry, "4", rung=1)
    part = planned(desk)[-1]
    desk.send(part)
    desk.answer(part)
    desk.fill(part, "4", "105")
    decide(desk, "6")
    first, second = found(desk, ExitFired)
    assert (first.entered, first.rung) == (D(10), 1)
    assert (second.rule, second.quantity, second.entered, second.rung) == (ExitRule.DECISION, D(6), D(10), 0)
    assert sagas(desk)[0].saga_id == derived_id("exit", desk.order(entry).trade_id, "2")


@pytest.mark.parametrize(
    ("quantity", "terms"),
    [
        ("9", {}),
        ("10", {"is_agents": False}),
        ("10", {"proposal": None}),
        ("10", {"purpose": Purpose.PROTECT}),
    ],
)
def test_only_an_agents_close_of_all_of_it_is_by_saga(quantity: str, terms: dict[str, Any]) -> None:
    desk, entry = bracketed(exits=STOP)
    order_id = decide(desk, quantity, **terms)
    assert sagas(desk) == []
    assert planned(desk) == [entry, order_id]


def test_without_legs_the_order_closes_by_itself() -> None:
    desk = Desk.in_memory()
    desk.pin()
    entry = desk.done("buy", "10", "100", exits=STOP)
    other = desk.live("sell", "1", limit="120")
    order_id = decide(desk)
    assert sagas(desk) == []
    assert planned(desk) == [entry, other, order_id]


@pytest.mark.parametrize(("filled", "by_saga"), [("0", False), ("2", True)])
def test_legs_that_have_ended_hold_nothing_once_all_of_their_fills_are_known(filled: str, by_saga: bool) -> None:
    desk, entry = bracketed(exits=STOP)
    for leg in legs_of(entry):
        desk.report(leg, "canceled", filled, at=1)
    order_id = decide(desk)
    assert len(sagas(desk)) == by_saga
    assert planned(desk) == ([entry] if by_saga else [entry, order_id])


def test_one_leg_that_works_is_enough() -> None:
    desk, entry = bracketed(exits=STOP)
    desk.report(legs_of(entry)[1], "canceled", at=1)
    desk.live("buy", "1", limit="90")
    decide(desk)
    assert len(sagas(desk)) == 1


def test_nothing_is_left_before_it_is_held() -> None:
    desk, _ = bracketed("0")
    with pytest.raises(CloseRefused):
        decide(desk)
    assert sagas(desk) == []


@pytest.mark.parametrize("quantity", ["10", "0.5"])
def test_a_decision_to_close_by_adding_is_refused(quantity: str) -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", quantity, "100")
    with pytest.raises(CloseRefused, match=f"holds {quantity} SPY"):
        decide(desk, quantity, side="buy")


def test_a_decision_to_close_an_amount_of_money_is_refused() -> None:
    desk, _ = bracketed()
    with pytest.raises(CloseRefused, match="holds 10 SPY"):
        decide(desk, **AN_AMOUNT)


# --- nobody twice ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{}, {"exits": STOP}])
def test_what_is_being_left_by_an_order_is_not_left_again(terms: dict[str, Any]) -> None:
    desk, _ = bracketed(**terms)
    close = desk.place("sell", "4", purpose=Purpose.CLOSE)
    before = desk.names()
    with pytest.raises(CloseRefused, match="is being left already"):
        decide(desk)
    assert desk.names() == before, "all or nothing"
    desk.give(cmd.CancelOrder(close, "not needed"))
    decide(desk)
    assert len(sagas(desk)) == 1


def test_what_is_being_left_by_a_saga_is_not_left_again() -> None:
    desk, entry = bracketed(exits=STOP)
    fire(desk, entry)
    assert len(sagas(desk)) == 1
    with pytest.raises(CloseRefused, match="is being left already"):
        decide(desk)
    assert len(sagas(desk)) == 1


def test_a_decision_that_is_told_again_changes_nothing() -> None:
    desk, _ = bracketed(exits=STOP)
    decide(desk)
    before = desk.names()
    decide(desk)
    assert desk.names() == before


def test_an_exit_of_the_engine_waits_for_the_decision_that_leaves_the_trade() -> None:
    desk, entry = bracketed(exits=STOP)
    decide(desk)
    assert fire(desk, entry, after=1) == ()


# --- a person is asked first ----------------------------------------------------------------------------------------


def asked(**terms: Any) -> tuple[Desk, str, str]:
    """The legs work, and a person is asked whether the trade is to be closed, as another strategy sells, too."""
    desk, entry = bracketed(exits=STOP)
    desk.live("sell", "1", limit="120", strategy="other")
    desk.limits(**ASKS)
    order_id = decide(desk, **terms)
    assert desk.order(order_id).awaits_approval
    assert sagas(desk) == []
    return desk, entry, order_id


def test_a_yes_begins_the_saga_in_the_place_of_the_order() -> None:
    desk, entry, order_id = asked(reference_price=D("101.50"))
    grant(desk, order_id)
    (saga,) = sagas(desk)
    assert saga.terms == {
        "trade_id": desk.order(entry).trade_id,
        "reason": f"decision {DECISION}",
        "decision_id": DECISION,
        "reference_price": "101.50",
    }
    assert desk.order(order_id).status is OrderStatus.CANCELED
    assert order_id not in desk.account.reservations


def test_an_order_that_waits_for_a_person_leaves_nothing() -> None:
    desk, entry, _ = asked()
    assert fire(desk, entry) != ()
    assert len(sagas(desk)) == 1


def test_a_yes_that_comes_when_the_trade_is_being_left_is_refused() -> None:
    desk, entry, order_id = asked()
    fire(desk, entry)
    with pytest.raises(CloseRefused, match="is being left already"):
        grant(desk, order_id)
    assert len(sagas(desk)) == 1


def test_no_answer_leaves_the_trade_as_it_is() -> None:
    desk, _, order_id = asked()
    desk.clock.at += dt.timedelta(hours=1)
    assert expire(desk) == 1
    assert (sagas(desk), desk.order(order_id).status) == ([], OrderStatus.CANCELED)


def test_a_yes_to_what_nobody_decided_lets_the_order_itself_go_on() -> None:
    desk, _, order_id = asked(proposal=None)
    grant(desk, order_id)
    assert sagas(desk) == []
    assert desk.order(order_id).status is OrderStatus.QUEUED


def test_a_yes_to_an_order_that_adds_is_a_yes_to_that_order() -> None:
    desk, _ = bracketed(exits=STOP)
    desk.limits(**ASKS)
    order_id = decide(desk, side="buy", purpose=Purpose.TRADE)
    grant(desk, order_id)
    assert sagas(desk) == []
    assert desk.order(order_id).status is OrderStatus.QUEUED


def test_another_process_goes_on_with_what_was_decided() -> None:
    """Everything that decides is in the journal."""
    desk, entry = bracketed(exits=STOP)
    decide(desk)
    clock, ids = StillClock(), CountingIds()
    clock.at, ids._next = desk.clock.at, desk.ids._next
    again = attrs.evolve(desk, ledger=Ledger(desk.ledger.journal, clock, ids), clock=clock, ids=ids)
    with pytest.raises(CloseRefused, match="is being left already"):
        decide(again, number=2)
    assert fire(again, entry, after=1) == ()
