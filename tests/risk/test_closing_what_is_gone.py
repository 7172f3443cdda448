"""What legs at the broker sold, or may have sold, is sold again neither by an agent nor by a person who says yes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_approvals import grant
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderQueued, SagaStarted
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, Purpose, Side
from tradecore.errors import CloseRefused

D = Decimal


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    return desk


def bracketed(desk: Desk) -> tuple[str, str]:
    """Ten units are bought; the ids of the target and the stop that work at the broker."""
    entry = desk.place(
        "buy", "10", order_class=OrderClass.BRACKET, take_profit=TakeProfit(D(120)), stop_loss=StopLoss(D(90))
    )
    desk.send(entry)
    desk.answer(entry, "new")
    desk.fill(entry, "10", "100")
    legs = leg_order_id(entry, "take_profit"), leg_order_id(entry, "stop_loss")
    for leg in legs:
        desk.report(leg, "new")
    return legs


def decide(desk: Desk, approval: str | None = None) -> str:
    """An agent's decision to sell all of it; the id of the order that it wants."""
    proposal = cmd.Proposal(
        "d-1", "test", "SPY", Side.SELL, D(10), D(100), desk.clock.now(), "enough", D("0.9"), deliberated=True
    )
    return desk.place("sell", "10", purpose=Purpose.CLOSE, proposal=proposal, approval=approval)


def test_a_leg_whose_fills_are_missing_is_waited_for(desk: Desk) -> None:
    """It ended filled in part, and how much is left is not known yet: an order for all of it would sell too much."""
    target, stop = bracketed(desk)
    desk.report(target, "canceled", at=1)
    desk.report(stop, "canceled", "2", at=1)
    assert desk.order(stop).status.is_terminal
    decide(desk)
    assert len(found(desk, SagaStarted)) == 1


@pytest.mark.parametrize("sold", ["10", "4"])
def test_a_yes_does_not_sell_what_was_sold_meanwhile(desk: Desk, sold: str) -> None:
    target, _ = bracketed(desk)
    order = decide(desk, approval="agents are asked about")
    desk.fill(target, sold, "120")
    before = len(found(desk, OrderQueued))
    with pytest.raises(CloseRefused, match="in the account by now"):
        grant(desk, order)
    assert desk.order(order).awaits_approval
    assert len(found(desk, OrderQueued)) == before


def test_a_yes_does_not_close_what_was_sold_elsewhere(desk: Desk) -> None:
    desk.done("buy", "10", "100")
    order = decide(desk, approval="agents are asked about")
    desk.done("sell", "10", "100", strategy="external")
    with pytest.raises(CloseRefused, match="in the account by now"):
        grant(desk, order)
