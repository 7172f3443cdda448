"""Orders that belong together: legs at every depth, replacements in both directions."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import reply
from tests.alpaca.standing import Standing
from tradecore.domain.values import OrderStatus
from tradecore.errors import ProtocolError
from tradecore_alpaca.order_json import decode_order

pytestmark = pytest.mark.anyio

STOP: dict[str, Any] = {
    **ORDER, "id": "stop", "client_order_id": "s", "status": "held", "type": "stop", "side": "sell",
    "order_class": "bracket", "qty": "2", "notional": None, "stop_price": "80", "filled_qty": "0",
}  # fmt: skip
PROFIT = {**STOP, "id": "profit", "client_order_id": "p", "status": "new", "type": "limit", "limit_price": "95.5"}
BRACKET = {**ORDER, "qty": "2", "notional": None, "order_class": "bracket", "legs": [PROFIT, STOP]}


async def test_the_parent_is_asked_for_with_its_legs(standing: Standing) -> None:
    """`held` legs are missing from lists, so the parent tells of them."""
    standing.server.replies = [reply(200, BRACKET)]
    order = await standing.broker.order(BRACKET["id"])
    assert standing.server.requests[0].query == {"nested": "true"}
    assert order is not None
    assert order.order_class == "bracket"
    profit, stop = order.legs
    assert (profit.broker_order_id, profit.status, profit.limit_price) == ("profit", OrderStatus.NEW, Decimal("95.5"))
    assert (stop.broker_order_id, stop.status, stop.stop_price) == ("stop", OrderStatus.HELD, Decimal(80))
    assert json.loads(stop.raw) == STOP


def test_legs_of_legs() -> None:
    """An OTO whose leg is an OCO nests twice."""
    inner = {**PROFIT, "order_class": "oco", "legs": [STOP]}
    order = decode_order(json.dumps({**ORDER, "order_class": "oto", "legs": [inner]}).encode())
    assert order.legs[0].legs[0].broker_order_id == "stop"


@pytest.mark.parametrize("legs", [None, []])
def test_no_legs(legs: object) -> None:
    assert decode_order(json.dumps({**ORDER, "legs": legs}).encode()).legs == ()


@pytest.mark.parametrize("leg", [None, "stop", {**STOP, "id": ""}, {**STOP, "side": ""}])
def test_a_strange_leg_hides_nothing(leg: object) -> None:
    """An order without its stop would look like one that was never protected."""
    with pytest.raises(ProtocolError):
        decode_order(json.dumps({**BRACKET, "legs": [PROFIT, leg]}).encode())


def test_replaced_orders_name_each_other() -> None:
    old = decode_order(json.dumps({**ORDER, "status": "replaced", "replaced_by": "new"}).encode())
    new = decode_order(json.dumps({**ORDER, "id": "new", "replaces": ORDER["id"]}).encode())
    assert (old.replaced_by, old.replaces) == ("new", None)
    assert (new.replaces, new.replaced_by) == (old.broker_order_id, None)
