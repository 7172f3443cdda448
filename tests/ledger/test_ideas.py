"""What a strategy proposes becomes exactly that order, or is refused by the rule that it breaks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea
from tradecore.proposing import order_of

D = Decimal
BAR = Bar("SPY", NOON, D(100), D(101), D(99), D(100), D(1000))
EVERYTHING: dict[str, dict[str, Any]] = {
    "market": {},
    "limit": {"order_type": OrderType.LIMIT, "limit_price": D(99), "time_in_force": TimeInForce.GTC},
    "extended": {"order_type": OrderType.LIMIT, "limit_price": D(99), "extended_hours": True},
    "stop": {"order_type": OrderType.STOP, "stop_price": D(95), "purpose": Purpose.PROTECT},
    "stop limit": {"order_type": OrderType.STOP_LIMIT, "stop_price": D(95), "limit_price": D(94)},
    "trail": {"order_type": OrderType.TRAILING_STOP, "trail_price": D(2)},
    "trail percent": {"order_type": OrderType.TRAILING_STOP, "trail_percent": D(2)},
    "money": {"quantity": None, "notional": D(250)},
    "bracket": {
        "order_class": OrderClass.BRACKET,
        "take_profit": TakeProfit(D(110)),
        "stop_loss": StopLoss(D(90), D(89)),
    },
}


def ordered(**terms: Any) -> Any:
    asked: dict[str, Any] = {"symbol": "SPY", "side": Side.BUY, "quantity": D(10), "reasoning": "test"}
    idea = Idea(**(asked | terms))
    return idea, order_of(idea, BAR, 0, strategy="s", account="main", not_after=NOON)


@pytest.mark.parametrize("terms", EVERYTHING.values(), ids=EVERYTHING.keys())
def test_every_term_of_an_idea_reaches_the_order(terms: dict[str, Any]) -> None:
    idea, order = ordered(**terms)
    for field in attrs.fields(Idea):
        if field.name not in ("reasoning", "confidence"):
            assert getattr(order, field.name) == getattr(idea, field.name)


def test_the_decision_for_an_amount_of_money_tells_what_it_buys_at_the_close() -> None:
    _, order = ordered(quantity=None, notional=D(250))
    assert order.proposal.quantity == D("2.5")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"quantity": None}, "quantity"),
        ({"quantity": D("NaN")}, "quantity"),
        ({"quantity": D(0)}, "quantity"),
        ({"quantity": 0.5}, "quantity"),
        ({"limit_price": D(99)}, "limit_price"),
        ({"order_type": OrderType.LIMIT, "limit_price": D(0)}, "limit_price"),
        ({"take_profit": TakeProfit(D(110))}, "order_class"),
        ({"symbol": "spy"}, "symbol"),
    ],
)
def test_an_idea_that_cannot_be_meant_is_refused_by_its_field(terms: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        ordered(**terms)
    assert caught.value.field == field
