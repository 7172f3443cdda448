"""An order is posted exactly once, whatever the answer; and the answer is told as what it proves, no more."""

from __future__ import annotations

import json
import socket as sockets
import traceback
from decimal import Decimal

import anyio.lowlevel
import attrs
import httpx
import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import CLOSE, DRIP, HANG, RESET, Play, reply
from tests.alpaca.standing import KEY_ID, REQUEST, SECRET, Standing
from tradecore.domain.values import OrderStatus
from tradecore.errors import AlreadyExists, BrokerError, BrokerRefused, BrokerUnauthorized, NotSent, OutcomeUnknown
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.http import Timeouts
from tradecore_alpaca.urls import Urls

pytestmark = pytest.mark.anyio

HTML = b"<html><body>nginx</body></html>"

REFUSED = [
    (403, 40310000, "insufficient buying power", {"buying_power": "1", "cost_basis": "2"}),
    (403, 40310000, "insufficient qty available for order (requested: 2, available: 1)", {"available": "1"}),
    (403, 40310000, 'asset "OCGN" is not fractionable', {}),
    (403, 40310000, "account is not allowed to short", {}),
    (403, 40310000, "potential wash trade detected. use complex orders", {"existing_order_id": "x"}),
    (403, 40310100, "trade denied due to pattern day trading protection", {}),
    (422, 40010001, "notional must be >= 1.00", {}),
    (422, 40010001, "client_order_id must be no more than 128 characters", {}),
    (422, 42210000, "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria", {}),
    (422, 42210000, "fractional orders must be DAY orders", {}),
    (404, 40410000, "asset not found for XYZ", {}),
    (400, 40010000, "request body format is invalid", {}),
]

UNKNOWN = {
    "hang after the request was read": HANG,
    "connection closed": CLOSE,
    "connection reset": RESET,
    "answer that drips for ever": DRIP,
    "answer cut short": Play(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", then="close"),
    "not even HTTP": Play(b"SSH-2.0-OpenSSH_9.2\r\n", then="close"),
    "garbled compression": reply(200, b"\x00\x01", {"content-encoding": "gzip"}),
    "200 empty": reply(200),
    "204 empty": reply(204),
    "200 garbage": reply(200, b"OK"),
    "200 HTML": reply(200, HTML, kind="text/html"),
    "200 null": reply(200, b"null"),
    "200 list": reply(200, [ORDER]),
    "200 not UTF-8": reply(200, b'{"id":"\xff\xfe"}'),
    "200 with another order": reply(200, {**ORDER, "client_order_id": "tc-2"}),
    "200 without an id": reply(200, {key: value for key, value in ORDER.items() if key != "id"}),
    "200 with NaN": reply(200, {**ORDER, "qty": "NaN"}),
    "200 nested too deep": reply(200, b"[" * 100_000),
    "302 redirect": reply(302, headers={"location": "/v2/elsewhere"}),
    "307 redirect": reply(307, headers={"location": "/v2/elsewhere"}),
    "408": reply(408, {"message": "request timeout"}),
    "409": reply(409, {"code": 40910000, "message": "conflict"}),
    "403 of a gateway": reply(403, HTML),
    "404 of a gateway": reply(404, HTML),
    "422 without words": reply(422, b"{}"),
    "500 with a code": reply(500, {"code": 50010000, "message": "internal server error occurred"}),
    "502 HTML": reply(502, HTML, kind="text/html"),
    "503 empty": reply(503),
    "500 with the words of a duplicate": reply(500, {"message": "client_order_id must be unique"}),
    "504": reply(504, {"message": "gateway timeout"}),
    "599": reply(599),
}


async def test_sends_exact_text_and_signs_it(standing: Standing) -> None:
    standing.server.replies = [reply(200, {**ORDER, "status": "pending_new"})]
    order = await standing.broker.submit(REQUEST)
    (request,) = standing.server.requests
    assert (request.method, request.target) == ("POST", "/v2/orders")
    assert json.loads(request.body) == {
        "symbol": "KO",
        "qty": "1.5",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "limit_price": "100",
        "extended_hours": False,
        "client_order_id": "tc-1",
    }
    assert request.headers["apca-api-key-id"] == KEY_ID
    assert request.headers["apca-api-secret-key"] == SECRET
    assert request.headers["content-type"] == "application/json"
    assert (order.client_order_id, order.status) == ("tc-1", OrderStatus.PENDING_NEW)


async def test_a_market_order_has_no_price(standing: Standing) -> None:
    standing.server.replies = [reply(201, ORDER)]
    await standing.broker.submit(attrs.evolve(REQUEST, limit_price=None, quantity=Decimal("0.000000001")))
    body = json.loads(standing.server.requests[0].body)
    assert "limit_price" not in body
    assert body["qty"] == "0.000000001"


@pytest.mark.parametrize(("status", "code", "message", "extras"), REFUSED, ids=[row[2][:30] for row in REFUSED])
async def test_refusal_in_the_brokers_words(
    standing: Standing, status: int, code: int, message: str, extras: dict[str, str]
) -> None:
    standing.server.replies = [reply(status, {"code": code, "message": message, **extras})]
    with pytest.raises(BrokerRefused) as caught:
        await standing.broker.submit(REQUEST)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, message)
    assert json.loads(caught.value.raw) == {"code": code, "message": message, **extras}
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize("play", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_everything_in_doubt_is_unknown(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown) as caught:
        await standing.broker.submit(REQUEST)
    assert type(caught.value) is OutcomeUnknown
    assert [request.method for request in standing.server.requests] == ["POST"]
    assert standing.slept == []


@pytest.mark.parametrize(
    "message",
    ["client_order_id must be unique", "client order id already exists", "duplicate client_order_id: duplicate"],
)
async def test_a_duplicate_id_is_an_order_that_exists(standing: Standing, message: str) -> None:
    standing.server.replies = [reply(422, {"code": 40010001, "message": message})]
    with pytest.raises(AlreadyExists, match="duplicate client_order_id"):
        await standing.broker.submit(REQUEST)
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Thu, 08 Oct 2026 15:10:23 GMT"}, 5.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": "1791472248"}, 30.0),
        ({"x-ratelimit-reset": "1"}, 0.0),
        ({"retry-after": "3", "x-ratelimit-reset": "1791472248"}, 3.0),
        ({"retry-after": "99999999"}, 120.0),
    ],
)
async def test_a_rate_limit_was_not_sent(standing: Standing, headers: dict[str, str], seconds: float | None) -> None:
    standing.server.replies = [reply(429, {"code": 42910000, "message": "rate limit exceeded"}, headers)]
    with pytest.raises(NotSent) as caught:
        await standing.broker.submit(REQUEST)
    assert caught.value.retry_after_s == seconds
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    "play",
    [
        reply(429),
        reply(429, HTML, kind="text/html"),
        reply(429, {}),
        reply(429, {"message": "rate limit exceeded"}),
        reply(429, {"message": "too many requests", "code": 429}),
        reply(429, {"code": 40310000, "message": "insufficient buying power"}),
        reply(429, {"code": "42910000", "message": "rate limit exceeded"}),
        reply(429, b'[{"code":42910000}]'),
        reply(503, {"code": 42910000, "message": "rate limit exceeded"}),
    ],
)
async def test_a_rate_limit_that_is_not_the_brokers_proves_nothing(standing: Standing, play: Play) -> None:
    """A gateway may count what it has passed on already."""
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown):
        await standing.broker.submit(REQUEST)
    assert len(standing.server.requests) == 1


@pytest.mark.parametrize(
    "play",
    [
        reply(401, {"message": "unauthorized."}),
        reply(401, HTML, kind="text/html"),
        reply(401, {"code": 40110000, "message": "request is not authorized"}),
        reply(403, {"message": "forbidden."}),
    ],
)
async def test_wrong_keys(standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    with pytest.raises(BrokerUnauthorized):
        await standing.broker.submit(REQUEST)
    assert len(standing.server.requests) == 1


def _broker_at(standing: Standing, base_url: str, client: httpx.AsyncClient | None = None) -> AlpacaBroker:
    urls = Urls(base_url, "ws://127.0.0.1:1/stream", base_url, "ws://127.0.0.1:1/v2/iex", "iex", paper=True)
    return AlpacaBroker(
        client or standing.client, urls, standing.keys, standing.clock, standing.rng, timeouts=Timeouts(0.2, 0.3)
    )


async def test_connection_refused_was_not_sent(standing: Standing) -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port meanwhile
        with pytest.raises(NotSent, match="ConnectError"):
            await _broker_at(standing, f"http://127.0.0.1:{unused.getsockname()[1]}").submit(REQUEST)


async def test_a_server_that_takes_no_connection_was_not_sent_to(standing: Standing) -> None:
    with sockets.socket() as full, sockets.socket() as first, sockets.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(NotSent, match="ConnectTimeout"):
            await _broker_at(standing, f"http://127.0.0.1:{full.getsockname()[1]}").submit(REQUEST)


async def test_no_tls_was_not_sent(standing: Standing) -> None:
    standing.server.replies = [reply(400)]
    with pytest.raises(NotSent):
        await _broker_at(standing, f"https://127.0.0.1:{standing.server.port}").submit(REQUEST)
    assert standing.server.requests == []


async def test_no_free_connection_was_not_sent(standing: Standing) -> None:
    standing.server.replies = [HANG]
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as narrow, anyio.create_task_group() as tasks:
        slow = Timeouts(0.2, 30.0)
        holder = AlpacaBroker(narrow, standing.urls, standing.keys, standing.clock, standing.rng, timeouts=slow)
        tasks.start_soon(holder.account)
        while not standing.server.requests:
            await anyio.lowlevel.checkpoint()
        with pytest.raises(NotSent, match="PoolTimeout"):
            await _broker_at(standing, standing.server.url, narrow).submit(REQUEST)
        tasks.cancel_scope.cancel()
    assert standing.server.seen("POST") == 0


async def test_a_misconfigured_client_still_follows_nothing(standing: Standing) -> None:
    """The injected client may follow redirects by default; an instruction is never sent along."""
    standing.server.replies = [reply(307, headers={"location": "/v2/orders"})]
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as eager:
        with pytest.raises(OutcomeUnknown):
            await _broker_at(standing, standing.server.url, eager).submit(REQUEST)
    assert standing.server.seen("POST") == 1


async def test_any_failure_of_a_transport_is_unknown(standing: Standing) -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise RuntimeError("the transport has a bug")

    async with httpx.AsyncClient(transport=Broken()) as client:
        with pytest.raises(OutcomeUnknown, match="has a bug"):
            await _broker_at(standing, standing.server.url, client).submit(REQUEST)


@pytest.mark.parametrize(
    "play", [CLOSE, HANG, reply(500, SECRET.encode()), reply(422, {"message": f"bad header {SECRET} of {KEY_ID}"})]
)
async def test_no_error_tells_the_keys(standing: Standing, play: Play) -> None:
    """Not in the text, not in the traceback's values, not in what is chained to it."""
    standing.server.replies = [play]
    with pytest.raises(BrokerError) as caught:
        await standing.broker.submit(REQUEST)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.__traceback__ is not None
    ours = error.__traceback__.tb_next  # without this test's own frame, which knows the keys
    shown = "".join(traceback.TracebackException(type(error), error, ours, capture_locals=True).format())
    for key in (KEY_ID, SECRET):
        assert key not in shown
        assert key not in repr(vars(error))
        assert key not in repr(attrs.asdict(standing.keys))
