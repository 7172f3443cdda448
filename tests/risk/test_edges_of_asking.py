"""What the gate is asked: everything that is known of an order, of its replacement, and of one that waited."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.test_wired import found, refusal
from tradecore.domain import commands as cmd
from tradecore.domain.commands import Proposal
from tradecore.domain.events import ApprovalRequested, OrderPlanned
from tradecore.domain.gate.figures import Ask
from tradecore.domain.limits import Hours
from tradecore.domain.listing import Listing
from tradecore.domain.values import OrderType, Purpose, Side
from tradecore.gating import Occasion, gate_again, gate_order, gate_replacement

D = Decimal
HERE = Occasion("0a1b2c3d", NOON, "cli:somebody")
UNLENT = Listing(True, whole_only=True, not_lent=True)
TERMS: dict[str, Any] = {
    "symbol": "SPY", "side": Side.BUY, "quantity": D(10), "purpose": Purpose.TRADE, "strategy": "test",
    "at": NOON, "session": Hours.REGULAR,
}  # fmt: skip


def proposal(**changes: Any) -> Proposal:
    told = Proposal("d", "test", "SPY", Side.BUY, D(10), D(10), NOON - dt.timedelta(seconds=3), "why", D("0.7"))
    return attrs.evolve(told, **changes)


def placing(**terms: Any) -> cmd.PlaceOrder:
    told: dict[str, Any] = {
        "order_id": "o", "account": "main", "symbol": "SPY", "side": Side.BUY, "quantity": D(10),
        "order_type": OrderType.LIMIT, "limit_price": D(11), "time_in_force": "day", "strategy": "test",
        "not_after": NOON,
    }  # fmt: skip
    return cmd.PlaceOrder(**told | terms)


def test_a_new_order_is_told_in_full() -> None:
    command = placing(
        proposal=proposal(), reference_price=D(10), tradable=True, volatility=D("0.02"), approval="an agent asks"
    )
    asked = gate_order(Desk.in_memory().account, command, HERE).ask
    assert asked == Ask(
        **TERMS,
        actor="cli:somebody",
        limit_price=D(11),
        reference_price=D(10),
        price_at=NOON - dt.timedelta(seconds=3),
        confidence=D("0.7"),
        is_decision=True,
        tradable=True,
        volatility=D("0.02"),
        approval="an agent asks",
    )


def test_an_order_by_hand_is_no_decision_and_its_price_is_of_no_known_age() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "1", "12")
    asked = gate_order(desk.account, placing(), HERE).ask
    assert asked == Ask(**TERMS, actor="cli:somebody", limit_price=D(11), reference_price=D(12))
    assert gate_order(desk.account, placing(proposal=proposal()), HERE).ask.price_at is None, "nobody said a price"


@pytest.mark.parametrize(
    ("terms", "reference"),
    [
        ({"stop_price": D(13), "limit_price": None, "order_type": OrderType.STOP}, "13"),
        ({"stop_price": D(9), "limit_price": None, "order_type": OrderType.STOP}, "12"),
        ({"stop_price": D(13), "order_type": OrderType.STOP_LIMIT}, "12"),
    ],
)
def test_a_stop_counts_where_no_limit_bounds_the_price(terms: dict[str, Any], reference: str) -> None:
    asked = gate_order(Desk.in_memory().account, placing(reference_price=D(12), **terms), HERE).ask
    assert asked.reference_price == D(reference)


def test_a_replacement_is_told_in_full() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "1", "12")
    old = desk.order(desk.live("buy", "5", limit="10"))
    planned = [event for event in found(desk, OrderPlanned) if event.order_id == old.order_id][-1]
    new = msgspec.structs.replace(planned, order_id="new", quantity=D(10), limit_price=D(11))
    gated = gate_replacement(desk.account, old, new, UNLENT, HERE)
    assert gated.ask == Ask(
        **TERMS,
        actor="cli:somebody",
        limit_price=D(11),
        reference_price=D(12),
        tradable=True,
        whole_only=True,
        not_lent=True,
        repeat_is_meant=True,
    )


def test_an_order_that_waited_is_told_as_whoever_placed_it() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "1", "12")
    desk.limits(approve_all=True)
    waiting = desk.order(desk.place("buy", "10", limit="11"))
    asked = gate_again(desk.account, waiting, UNLENT, HERE).ask
    assert asked == Ask(
        **TERMS,
        actor="test",
        limit_price=D(11),
        reference_price=D(12),
        tradable=True,
        whole_only=True,
        not_lent=True,
        repeat_is_meant=True,
    )


def test_an_amount_of_money_that_waited_is_told_as_one() -> None:
    desk = Desk.in_memory()
    desk.limits(approve_all=True)
    amount: dict[str, Any] = {"quantity": None, "notional": D(100), "reference_price": D(10)}
    waiting = desk.order(desk.place("buy", "1", **amount))
    assert gate_again(desk.account, waiting, UNLENT, HERE).ask.by_amount


# --- and what follows from it ---------------------------------------------------------------------------------------


def test_the_ledger_asks_for_all_of_it() -> None:
    desk = Desk.in_memory()
    desk.limits(min_confidence=D("0.6"), must_be_tradable=True, max_price_age_s=D(5))
    known: dict[str, Any] = {"reference_price": D(10), "tradable": True, "limit": "10"}
    assert refusal(desk, "buy", "10", proposal=proposal(decision_id="a"), **known) is None
    assert refusal(desk, "buy", "10", proposal=proposal(decision_id="b", confidence=D("0.5")), **known) is not None
    old = proposal(decision_id="c", data_as_of=NOON - dt.timedelta(seconds=6))
    assert refusal(desk, "buy", "10", proposal=old, **known) == "max_price_age_s"
    assert refusal(desk, "buy", "10", proposal=proposal(decision_id="d"), **known | {"tradable": False}) is not None


def test_who_waits_says_for_which_limits() -> None:
    desk = Desk.in_memory()
    desk.limits(approve_all=True)
    desk.place("buy", "1")
    (asked,) = found(desk, ApprovalRequested)
    assert asked.rules == ("approve_all",)
