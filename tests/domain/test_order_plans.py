"""What an order, its legs and its replacement begin with, and which orders nothing can take the place of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.domain.orders import LATER, NOON, order, part, taken
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.identity import client_order_id, leg_order_id
from tradecore.domain.order import OrderState
from tradecore.domain.order_plan import plan, plan_legs, replacement
from tradecore.domain.terms import StopLoss, TakeProfit, body_hash
from tradecore.domain.values import Leg, OrderClass, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import InputError, ReplaceRefused

D = Decimal
PLACE = cmd.PlaceOrder(
    "o", "main", "AAA", Side.BUY, D(10), OrderType.LIMIT, D(100), TimeInForce.GTC, "s", LATER,
    reference_price=D(99), extended_hours=False, decision_id="d", purpose=Purpose.CLOSE,
)  # fmt: skip
BRACKET = attrs.evolve(
    PLACE, order_class=OrderClass.BRACKET, take_profit=TakeProfit(D(110)), stop_loss=StopLoss(D(90), D(89))
)
SAME = (
    "order_id", "account", "symbol", "side", "quantity", "order_type", "limit_price", "time_in_force", "strategy",
    "reference_price", "extended_hours", "decision_id", "notional", "stop_price", "trail_price", "trail_percent",
    "order_class", "take_profit", "stop_loss", "purpose",
)  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [
        PLACE,
        BRACKET,
        attrs.evolve(PLACE, quantity=None, notional=D(50), order_type=OrderType.MARKET, limit_price=None,
                     time_in_force=TimeInForce.DAY),
        attrs.evolve(PLACE, order_type=OrderType.STOP, limit_price=None, stop_price=D(101)),
        attrs.evolve(PLACE, order_type=OrderType.TRAILING_STOP, limit_price=None, trail_price=D(1)),
        attrs.evolve(PLACE, order_type=OrderType.TRAILING_STOP, limit_price=None, trail_percent=D(1)),
    ],
)  # fmt: skip
def test_an_order_is_planned_as_it_was_asked_for_and_queued_with_the_hash_of_that(wanted: cmd.PlaceOrder) -> None:
    planned, queued = plan(wanted, "c", "t")
    assert isinstance(planned, ev.OrderPlanned)
    assert {name: getattr(planned, name) for name in SAME} == {name: getattr(wanted, name) for name in SAME}
    assert (planned.client_order_id, planned.trade_id, planned.parent_order_id, planned.leg) == ("c", "t", None, None)
    assert queued == ev.OrderQueued("o", body_hash(planned), LATER)


def test_terms_that_no_broker_takes_are_not_planned() -> None:
    with pytest.raises(InputError):
        plan(attrs.evolve(PLACE, quantity=D(0)), "c", "t")


def test_an_order_of_a_decision_that_is_made_with_it_names_that_decision() -> None:
    proposal = cmd.Proposal("d9", "s", "AAA", Side.BUY, D(10), D(99), NOON, "why")
    (planned, _) = plan(attrs.evolve(PLACE, proposal=proposal, decision_id=None), "c", "t")
    assert isinstance(planned, ev.OrderPlanned)
    assert planned.decision_id == "d9"


def test_legs_are_of_the_other_side_and_protect() -> None:
    (planned, _) = plan(BRACKET, "c", "t")
    assert isinstance(planned, ev.OrderPlanned)
    profit, loss = plan_legs(planned, "0a1b2c3d")
    for leg, which in ((profit, Leg.TAKE_PROFIT), (loss, Leg.STOP_LOSS)):
        assert leg.order_id == leg_order_id("o", which.value)
        assert leg.client_order_id == client_order_id(leg.order_id, "0a1b2c3d")
        assert (leg.side, leg.quantity, leg.leg, leg.parent_order_id) == (Side.SELL, D(10), which, "o")
        assert (leg.order_class, leg.take_profit, leg.stop_loss) == (OrderClass.SIMPLE, None, None)
        assert (leg.purpose, leg.trade_id, leg.time_in_force) == (Purpose.PROTECT, "t", TimeInForce.GTC)
    assert (profit.order_type, profit.limit_price, profit.stop_price) == (OrderType.LIMIT, D(110), None)
    assert (loss.order_type, loss.limit_price, loss.stop_price) == (OrderType.STOP_LIMIT, D(89), D(90))


def test_the_leg_of_an_oco_is_of_its_own_side() -> None:
    oco = attrs.evolve(
        PLACE, side=Side.SELL, order_class=OrderClass.OCO, take_profit=None, stop_loss=StopLoss(D(90))
    )  # fmt: skip
    (planned, _) = plan(oco, "c", "t")
    assert isinstance(planned, ev.OrderPlanned)
    (loss,) = plan_legs(planned, "0a1b2c3d")
    assert (loss.side, loss.order_type, loss.stop_price, loss.limit_price) == (Side.SELL, OrderType.STOP, D(90), None)


# --- replacements ---------------------------------------------------------------------------------------------------


def limit(*happened: ev.Event, **terms: Any) -> OrderState:
    return order(*happened, **({"order_type": OrderType.LIMIT, "limit_price": D(100)} | terms))


def wanted(**terms: Any) -> cmd.ReplaceOrder:
    return cmd.ReplaceOrder("o", "n", LATER, **terms)


PARENT = {"order_class": OrderClass.BRACKET, "take_profit": TakeProfit(D(110)), "stop_loss": StopLoss(D(90))}
LEG = {"leg": Leg.TAKE_PROFIT, "parent_order_id": "p", "side": Side.SELL}


def test_a_replacement_is_for_what_is_left_on_the_terms_that_changed() -> None:
    planned, queued = replacement(limit(taken(), part("4", "4")), wanted(limit_price=D(101)), "c2")
    assert isinstance(planned, ev.OrderPlanned)
    assert (planned.order_id, planned.client_order_id, planned.replaces) == ("n", "c2", "o")
    assert (planned.quantity, planned.limit_price, planned.side, planned.trade_id) == (D(6), D(101), Side.BUY, "t")
    assert queued == ev.OrderQueued("n", body_hash(planned), LATER)
    (larger, _) = replacement(limit(taken(), part("4", "4")), wanted(quantity=D(8)), "c2")
    assert isinstance(larger, ev.OrderPlanned)
    assert larger.quantity == 8


def test_what_the_broker_counts_as_filled_is_not_asked_for_again() -> None:
    behind = attrs.evolve(limit(taken(), part("4", "4")), broker_filled_qty=D(7))
    (planned, _) = replacement(behind, wanted(limit_price=D(101)), "c2")
    assert isinstance(planned, ev.OrderPlanned)
    assert planned.quantity == 3


def test_the_legs_of_an_order_stay_with_it() -> None:
    (planned, _) = replacement(limit(taken(), **PARENT), wanted(limit_price=D(89)), "c2")
    assert isinstance(planned, ev.OrderPlanned)
    assert planned.take_profit == TakeProfit(D(110)), "though no bracket at 89 could have this stop"


@pytest.mark.parametrize(
    ("state", "change", "told"),
    [
        (limit(), {"limit_price": D(101)}, "order o is not at the broker yet: cancel it, or wait"),
        (
            limit(taken(), ev.OrderExpired("o", D(0), "")),
            {"limit_price": D(101)},
            "order o is already expired",
        ),
        (
            limit(taken(), ev.ReplaceRequested("o", "x", "why")),
            {"limit_price": D(101)},
            "order o is being replaced by x already",
        ),
        (limit(taken(), ev.CancelRequested("o", "why")), {"limit_price": D(101)}, "order o is being canceled"),
        (
            limit(taken(), quantity=None, notional=D(50)),
            {"limit_price": D(101)},
            "order o is of an amount of money, which cannot be replaced",
        ),
        (limit(taken(), part("10", "10")), {"limit_price": D(101)}, "order o is filled"),
        (
            limit(taken(), part("4", "4"), **LEG),
            {"limit_price": D(101)},
            "order o is a leg that is filled in part, and all of it may be sent again: cancel it",
        ),
        (
            limit(taken(), part("4", "4"), **PARENT),
            {"limit_price": D(101)},
            "order o is filled in part, and its legs may protect only what a replacement fills: cancel what is left",
        ),
        (limit(taken()), {}, "order o has these terms already"),
        (limit(taken()), {"limit_price": D(100), "quantity": D(10)}, "order o has these terms already"),
        (
            limit(taken(), **PARENT),
            {"quantity": D(8)},
            "order o brings legs that were planned for its quantity: cancel it and place another",
        ),
        (
            limit(taken(), **LEG),
            {"quantity": D(8)},
            "order o is a leg: how much it is for follows from its entry",
        ),
    ],
)
def test_what_nothing_can_take_the_place_of(state: OrderState, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ReplaceRefused) as refused:
        replacement(state, wanted(**change), "c2")
    assert str(refused.value) == told


def test_an_oco_that_is_filled_in_part_is_replaced_by_what_is_left() -> None:
    oco = limit(taken(), part("4", "4"), side=Side.SELL, order_class=OrderClass.OCO, stop_loss=StopLoss(D(90)))
    (planned, _) = replacement(oco, wanted(limit_price=D(101)), "c2")
    assert isinstance(planned, ev.OrderPlanned)
    assert planned.quantity == 6


def test_a_replacement_is_refused_for_terms_that_no_broker_takes() -> None:
    with pytest.raises(InputError):
        replacement(limit(taken(at=NOON)), wanted(stop_price=D(90)), "c2")
