"""Questions are repeated a little; a definite answer ends them, and silence is never taken for 'there is none'."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.alpaca.recorded import ACCOUNT, ASSET, ORDER, POSITION
from tests.alpaca.scripted_http import CLOSE, HANG, RESET, Play, reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerUnauthorized, BrokerUnreachable, InputError, ProtocolError
from tradecore.ports.broker import Asset

pytestmark = pytest.mark.anyio

ABSENT = reply(404, {"code": 40410000, "message": "order not found for tc-1"})
PATH = "/v2/orders:by_client_order_id"


async def test_order_by_client_id(standing: Standing) -> None:
    standing.server.replies = [reply(200, ORDER)]
    order = await standing.broker.order_by_client_id("tc-1")
    assert order is not None
    assert order.broker_order_id == ORDER["id"]
    (request,) = standing.server.requests
    assert (request.path, request.query) == (PATH, {"client_order_id": "tc-1"})


async def test_order_by_broker_id(standing: Standing) -> None:
    standing.server.replies = [reply(200, ORDER)]
    order = await standing.broker.order(ORDER["id"])
    assert order is not None
    assert order.client_order_id == "tc-1"
    with pytest.raises(ProtocolError):
        await standing.broker.order("another")
    with pytest.raises(InputError):
        await standing.broker.order("")


async def test_an_order_that_the_broker_does_not_have(standing: Standing) -> None:
    standing.server.replies = [ABSENT]
    assert await standing.broker.order_by_client_id("tc-1") is None
    assert await standing.broker.order("tc-1") is None
    assert len(standing.server.requests) == 2


@pytest.mark.parametrize("body", [b"", b"<html>404</html>", b"{}", b'{"message":"no route"}', b"[]"])
async def test_a_404_of_somebody_else_is_no_proof(standing: Standing, body: bytes) -> None:
    standing.server.replies = [reply(404, body)]
    with pytest.raises(BrokerUnreachable):
        await standing.broker.order_by_client_id("tc-1")
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    "play",
    [
        CLOSE,
        RESET,
        HANG,
        reply(200),
        reply(200, b"OK"),
        reply(200, b'{"id":'),
        reply(408),
        reply(429),
        reply(500, {"code": 50010000, "message": "internal"}),
        reply(502, b"<html>"),
        reply(503),
        reply(504),
    ],
)
async def test_three_attempts_then_unreachable(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(BrokerUnreachable):
        await standing.broker.order_by_client_id("tc-1")
    assert len(standing.server.requests) == 3
    assert standing.slept == [pytest.approx(0.2), pytest.approx(0.4)]


async def test_an_attempt_that_is_answered_ends_it(standing: Standing) -> None:
    standing.server.replies = [CLOSE, reply(503), reply(200, ORDER)]
    assert await standing.broker.order_by_client_id("tc-1") is not None
    assert len(standing.server.requests) == 3


@pytest.mark.parametrize("play", [reply(302, headers={"location": PATH}), reply(400), reply(422), reply(403)])
async def test_a_definite_no_is_not_repeated(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(BrokerUnreachable):
        await standing.broker.order_by_client_id("tc-1")
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    "play",
    [reply(401, {"message": "unauthorized."}), reply(401, b"<html>"), reply(403, {"message": "forbidden."})],
)
async def test_wrong_keys(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    for ask in (standing.broker.account, standing.broker.positions, standing.broker.now):
        with pytest.raises(BrokerUnauthorized):
            await ask()
    assert len(standing.server.requests) == 3


async def test_a_short_rate_limit_is_waited_for(standing: Standing) -> None:
    standing.server.replies = [reply(429, headers={"retry-after": "2"}), reply(200, ACCOUNT)]
    assert (await standing.broker.account()).cash == Decimal("100005.83")
    assert standing.slept == [2.0]


async def test_a_long_rate_limit_is_not(standing: Standing) -> None:
    standing.server.replies = [reply(429, headers={"retry-after": "30"})]
    with pytest.raises(BrokerUnreachable):
        await standing.broker.account()
    assert len(standing.server.requests) == 1


async def test_an_answer_about_another_order_is_an_error(standing: Standing) -> None:
    standing.server.replies = [reply(200, {**ORDER, "client_order_id": "tc-2"})]
    with pytest.raises(ProtocolError):
        await standing.broker.order_by_client_id("tc-1")


async def test_account_positions_assets_and_clock(standing: Standing) -> None:
    broker = standing.broker
    standing.server.replies = [reply(200, ACCOUNT)]
    assert (await broker.account()).paper
    standing.server.replies = [reply(200, [POSITION])]
    assert [position.symbol for position in await broker.positions()] == ["KO"]
    standing.server.replies = [reply(200, [ASSET, {"symbol": "BROKEN"}])]
    assert await broker.assets() == (Asset("KO", tradable=True, fractionable=True, shortable=True),)
    standing.server.replies = [reply(200, {"timestamp": "2026-10-08T11:10:18.123456789-04:00", "is_open": True})]
    assert await broker.now() == dt.datetime(2026, 10, 8, 15, 10, 18, 123456, tzinfo=dt.UTC)
    assert [request.target for request in standing.server.requests] == [
        "/v2/account",
        "/v2/positions",
        "/v2/assets?status=active",
        "/v2/clock",
    ]


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"id":"x","currency":"USD","cash":"NaN","equity":"1"}', b"null"])
async def test_an_account_of_another_form_is_a_protocol_error(standing: Standing, body: bytes) -> None:
    standing.server.replies = [reply(200, body)]
    with pytest.raises(ProtocolError):
        await standing.broker.account()
    assert len(standing.server.requests) == 1
