"""What is written for every type, class and time in force: exact text, nothing that was not asked for."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alpaca.standing import REQUEST
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderType, Side, TimeInForce
from tradecore.ports.broker import ReplaceRequest
from tradecore_alpaca.bodies import order_body, replace_body

ALWAYS: dict[str, Any] = {
    "symbol": "KO",
    "side": "buy",
    "time_in_force": "day",
    "extended_hours": False,
    "client_order_id": "tc-1",
}
BARE = attrs.evolve(REQUEST, quantity=Decimal(2), limit_price=None, order_type=OrderType.MARKET)


def written(**changes: Any) -> dict[str, Any]:
    """The body, without what every order says; that is checked here."""
    body: dict[str, Any] = json.loads(order_body(attrs.evolve(BARE, **changes)))
    expected = dict(ALWAYS)
    expected.update({name: changes[name] for name in ("side", "time_in_force", "extended_hours") if name in changes})
    assert {name: body.pop(name) for name in ALWAYS} == expected
    return body


D = Decimal
TYPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"type": "market", "qty": "2"}),
    ({"order_type": OrderType.LIMIT, "limit_price": D("87.10")}, {"type": "limit", "qty": "2", "limit_price": "87.1"}),
    ({"order_type": OrderType.STOP, "stop_price": D(90)}, {"type": "stop", "qty": "2", "stop_price": "90"}),
    (
        {"order_type": OrderType.STOP_LIMIT, "stop_price": D(90), "limit_price": D("90.05")},
        {"type": "stop_limit", "qty": "2", "stop_price": "90", "limit_price": "90.05"},
    ),
    (
        {"order_type": OrderType.TRAILING_STOP, "trail_price": D("1.5"), "side": Side.SELL},
        {"type": "trailing_stop", "qty": "2", "trail_price": "1.5"},
    ),
    (
        {"order_type": OrderType.TRAILING_STOP, "trail_percent": D("0.5"), "time_in_force": TimeInForce.GTC},
        {"type": "trailing_stop", "qty": "2", "trail_percent": "0.5"},
    ),
    ({"quantity": None, "notional": D("5.00")}, {"type": "market", "notional": "5"}),
    ({"quantity": D("1E-9")}, {"type": "market", "qty": "0.000000001"}),
    ({"quantity": D("1234567.123456789")}, {"type": "market", "qty": "1234567.123456789"}),
]


@pytest.mark.parametrize(("changes", "expected"), TYPES)
def test_types_and_sizes(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert written(**changes) == expected


@pytest.mark.parametrize("force", list(TimeInForce))
def test_times_in_force(force: TimeInForce) -> None:
    assert written(time_in_force=force) == {"type": "market", "qty": "2"}


def test_extended_hours() -> None:
    limit = {"order_type": OrderType.LIMIT, "limit_price": D(87)}
    assert written(extended_hours=True, **limit) == {"type": "limit", "qty": "2", "limit_price": "87"}


CLASSES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {
            "order_class": OrderClass.BRACKET,
            "take_profit": TakeProfit(D("95.50")),
            "stop_loss": StopLoss(D(80), D("79.9")),
        },
        {
            "type": "market",
            "order_class": "bracket",
            "take_profit": {"limit_price": "95.5"},
            "stop_loss": {"stop_price": "80", "limit_price": "79.9"},
        },
    ),
    (
        {"order_class": OrderClass.OTO, "stop_loss": StopLoss(D(80))},
        {"type": "market", "order_class": "oto", "stop_loss": {"stop_price": "80"}},
    ),
    (
        {"order_class": OrderClass.OTO, "take_profit": TakeProfit(D(99))},
        {"type": "market", "order_class": "oto", "take_profit": {"limit_price": "99"}},
    ),
    (  # our OCO is its own take-profit; Alpaca wants that price in the leg and no limit beside it
        {
            "order_class": OrderClass.OCO,
            "side": Side.SELL,
            "order_type": OrderType.LIMIT,
            "limit_price": D(99),
            "stop_loss": StopLoss(D(80)),
        },
        {
            "type": "limit",
            "order_class": "oco",
            "take_profit": {"limit_price": "99"},
            "stop_loss": {"stop_price": "80"},
        },
    ),
]


@pytest.mark.parametrize(("changes", "expected"), CLASSES)
def test_classes(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert written(**changes) == {"qty": "2", **expected}


def test_a_replacement_says_only_what_changes() -> None:
    nothing = ReplaceRequest("tc-2", None, None, None, None, None)
    assert json.loads(replace_body(nothing)) == {"client_order_id": "tc-2"}
    everything = ReplaceRequest("tc-2", D("3.0"), D("87.10"), D(90), D("1.5"), TimeInForce.GTC)
    assert json.loads(replace_body(everything)) == {
        "client_order_id": "tc-2",
        "qty": "3",
        "limit_price": "87.1",
        "stop_price": "90",
        "trail": "1.5",
        "time_in_force": "gtc",
    }


@given(st.decimals(min_value="1e-9", max_value="1e12", places=9))
def test_a_number_travels_exactly_and_as_text(number: Decimal) -> None:
    told = json.loads(order_body(attrs.evolve(BARE, quantity=number)))["qty"]
    assert isinstance(told, str)
    assert "e" not in told.lower()
    assert Decimal(told) == number
