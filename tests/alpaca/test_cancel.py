"""A cancel is asked for exactly once; the answer says whether it was taken."""

from __future__ import annotations

import pytest

from tests.alpaca.scripted_http import CLOSE, HANG, RESET, Play, reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerRefused, BrokerUnauthorized, InputError, NotSent, OutcomeUnknown

pytestmark = pytest.mark.anyio

ID = "f1a08ee3-8b15-4d31-b04b-944f30a06604"


@pytest.mark.parametrize("play", [reply(204), reply(200), reply(200, b"{}"), reply(207, [{"id": ID, "status": 200}])])
async def test_taken(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    await standing.broker.cancel(ID)
    assert [(request.method, request.target) for request in standing.server.requests] == [
        ("DELETE", f"/v2/orders/{ID}")
    ]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, 40410000, f"order not found for {ID}"),
        (422, 42210000, 'order is already in "filled" state'),
        (422, 42210000, "order pending cancel"),
    ],
)
async def test_refused(standing: Standing, status: int, code: int, message: str) -> None:
    standing.server.replies = [reply(status, {"code": code, "message": message})]
    with pytest.raises(BrokerRefused) as caught:
        await standing.broker.cancel(ID)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, message)
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    "play",
    [
        HANG,
        CLOSE,
        RESET,
        reply(200, b"<html>", kind="text/html"),
        reply(404, b"<html>"),
        reply(302, headers={"location": "/"}),
        reply(408),
        reply(500),
        reply(504, {"message": "gateway timeout"}),
    ],
)
async def test_unknown(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown):
        await standing.broker.cancel(ID)
    assert len(standing.server.requests) == 1


async def test_rate_limited_was_not_sent(standing: Standing) -> None:
    standing.server.replies = [reply(429, {"code": 42910000, "message": "rate limit exceeded"}, {"retry-after": "2"})]
    with pytest.raises(NotSent) as caught:
        await standing.broker.cancel(ID)
    assert caught.value.retry_after_s == 2.0


async def test_wrong_keys(standing: Standing) -> None:
    standing.server.replies = [reply(401, {"message": "unauthorized."})]
    with pytest.raises(BrokerUnauthorized):
        await standing.broker.cancel(ID)


@pytest.mark.parametrize("order_id", ["", "/", "..", ".", "a/b", "a?b", "a%2Fb", "ü", " ", "a\n", "-"])
async def test_an_id_that_would_change_the_path_is_not_sent(standing: Standing, order_id: str) -> None:
    """`DELETE /v2/orders/` cancels every order of the account."""
    with pytest.raises(InputError):
        await standing.broker.cancel(order_id)
    assert standing.server.requests == []
