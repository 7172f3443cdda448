"""What a kill switch gives: cancel everything, flatten, suspend. Once each, and never believed without proof."""

from __future__ import annotations

import json

import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import CLOSE, HANG, Play, reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerRefused, InputError, NotSent, OutcomeUnknown, RefusalReason

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "play",
    [
        reply(207, [{"id": "a", "status": 200}, {"id": "b", "status": 200}]),
        reply(207, []),
        reply(200, []),
        reply(204),
        # it ended by itself meanwhile, which is as good
        reply(207, [{"id": "a", "status": 422, "body": {"message": 'order is already in "filled" state'}}]),
        reply(207, [{"id": "a", "status": 404, "body": {"message": "order not found"}}]),
    ],
)
async def test_cancel_all_is_taken(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    await standing.broker.cancel_all()
    assert [(request.method, request.target) for request in standing.server.requests] == [("DELETE", "/v2/orders")]


@pytest.mark.parametrize(
    "play",
    [
        reply(207, [{"id": "a", "status": 200}, {"id": "b", "status": 500}]),
        reply(500, {"code": 50010000, "message": "failed to cancel all open orders"}),
        reply(207, b"<html>"),
        reply(207, {"id": "a"}),
        reply(200),
        HANG,
        CLOSE,
    ],
)
async def test_cancel_all_is_not_proven(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown):
        await standing.broker.cancel_all()
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(("symbol", "path"), [("KO", "KO"), ("BTC/USD", "BTCUSD"), ("BRK.B", "BRK.B")])
async def test_close_position(standing: Standing, symbol: str, path: str) -> None:
    standing.server.replies = [reply(200, {**ORDER, "client_order_id": "of-the-broker", "side": "sell"})]
    order = await standing.broker.close_position(symbol)
    assert order.client_order_id == "of-the-broker"
    assert [(request.method, request.target) for request in standing.server.requests] == [
        ("DELETE", f"/v2/positions/{path}")
    ]


async def test_close_position_of_nothing(standing: Standing) -> None:
    standing.server.replies = [reply(404, {"code": 40410000, "message": "position does not exist"})]
    with pytest.raises(BrokerRefused) as caught:
        await standing.broker.close_position("KO")
    assert caught.value.reason is RefusalReason.NOT_FOUND


async def test_close_position_whose_shares_are_promised(standing: Standing) -> None:
    body = {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 10, available: 0)",
        "available": "0",
        "existing_qty": "10",
        "held_for_orders": "10",
        "symbol": "KO",
    }
    standing.server.replies = [reply(403, body)]
    with pytest.raises(BrokerRefused) as caught:
        await standing.broker.close_position("KO")
    assert caught.value.reason is RefusalReason.INSUFFICIENT_QUANTITY
    assert caught.value.details["held_for_orders"] == "10"


@pytest.mark.parametrize("symbol", ["", "/", "..", ".", "a?b", "a%2F", "ü", "-"])
async def test_a_symbol_that_would_change_the_path_is_not_sent(standing: Standing, symbol: str) -> None:
    """`DELETE /v2/positions/` closes every position of the account."""
    with pytest.raises(InputError):
        await standing.broker.close_position(symbol)
    assert standing.server.requests == []


@pytest.mark.parametrize("suspended", [True, False])
async def test_suspend(standing: Standing, suspended: bool) -> None:
    standing.server.replies = [reply(200, {"suspend_trade": suspended, "no_shorting": False})]
    await standing.broker.suspend(suspended=suspended)
    (request,) = standing.server.requests
    assert (request.method, request.target) == ("PATCH", "/v2/account/configurations")
    assert json.loads(request.body) == {"suspend_trade": suspended}


@pytest.mark.parametrize(
    "play", [reply(200, {"suspend_trade": False}), reply(200, {}), reply(200, b"ok"), reply(500), reply(429), CLOSE]
)
async def test_suspend_is_not_believed_without_proof(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown):
        await standing.broker.suspend(suspended=True)


async def test_suspend_rate_limited(standing: Standing) -> None:
    standing.server.replies = [reply(429, {"code": 42910000})]
    with pytest.raises(NotSent):
        await standing.broker.suspend(suspended=True)
