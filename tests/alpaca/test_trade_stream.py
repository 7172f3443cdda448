"""The stream of reports: it signs in, loses nothing unseen, and always comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import anyio
import pytest
import structlog.testing

from tests.alpaca.recorded import AUTHORIZED, LISTENING, UNAUTHORIZED, update
from tests.alpaca.scripted_http import CLOSE, HANG, Play, reply
from tests.alpaca.scripted_socket import Peer, scripted_socket
from tests.alpaca.standing import KEY_ID, SECRET, Standing
from tests.alpaca.streaming import PATIENCE_S, take, telling, welcome
from tradecore.errors import BrokerUnauthorized
from tradecore.ports.broker import OrderReport, StreamConnected, StreamLost

pytestmark = pytest.mark.anyio


async def test_signs_in_as_the_protocol_says(standing: Standing) -> None:
    standing.socket.scripts = [telling()]
    assert await take(standing.broker.reports(), 1) == [StreamConnected()]
    assert standing.socket.peers[0].heard == [
        {"action": "authenticate", "data": {"key_id": KEY_ID, "secret_key": SECRET}},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
    ]


async def test_a_slow_reader_loses_nothing(standing: Standing) -> None:
    """Far more than the queue holds: the server is held up, and every message comes, in order."""
    count = 3_000

    async def flood(peer: Peer) -> None:
        await welcome(peer)
        for number in range(count):
            await peer.say(update("new", {"status": "new", "client_order_id": f"tc-{number}"}))
        await peer.stay()

    standing.socket.scripts = [flood]
    reports = standing.broker.reports()
    assert await anext(reports) == StreamConnected()
    await anyio.sleep(0.5)
    with anyio.fail_after(30):
        told = [await anext(reports) for _ in range(count)]
    await reports.aclose()  # type: ignore[attr-defined]
    assert [one.order.client_order_id for one in told if isinstance(one, OrderReport)] == [
        f"tc-{number}" for number in range(count)
    ]


async def test_a_server_that_gives_up_a_slow_reader_shows_as_a_loss(standing: Standing) -> None:
    """What it had not sent is gone: the reader hears of the loss after what did arrive, and reads again."""

    async def impatient(peer: Peer) -> None:
        await welcome(peer)
        await peer.say(*(update("new", {"status": "new", "client_order_id": f"tc-{n}"}) for n in range(50)))
        await peer.connection.close(1008, "slow client")

    standing.socket.scripts = [impatient, telling()]
    reports = standing.broker.reports()
    assert await anext(reports) == StreamConnected()
    await anyio.sleep(0.2)
    with anyio.fail_after(PATIENCE_S):
        told = [await anext(reports) for _ in range(52)]
    await reports.aclose()  # type: ignore[attr-defined]
    assert all(isinstance(report, OrderReport) for report in told[:50])
    assert isinstance(told[50], StreamLost)
    assert "1008" in told[50].reason
    assert told[51] == StreamConnected()


async def test_silence_at_the_door_asks_whether_the_keys_are_good(standing: Standing) -> None:
    """A server that never answers a sign-in is the only sign that keys were withdrawn: REST tells."""
    standing.socket.scripts = [silent]
    standing.server.replies = [reply(401, {"message": "unauthorized."})]
    with pytest.raises(BrokerUnauthorized):
        await take(standing.broker.reports(), 2)
    assert [request.path for request in standing.server.requests] == ["/v2/account"]


@pytest.mark.parametrize("play", [CLOSE, HANG, reply(500), reply(200, {})])
async def test_a_probe_that_proves_nothing_does_not_stop_the_stream(standing: Standing, play: Play) -> None:
    standing.socket.scripts = [silent, telling()]
    standing.server.replies = [play]
    assert (await take(standing.broker.reports(), 2))[1] == StreamConnected()
    assert len(standing.server.requests) == 1


async def test_keys_refused(standing: Standing) -> None:
    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(UNAUTHORIZED)
        await peer.stay()

    standing.socket.scripts = [script]
    with pytest.raises(BrokerUnauthorized) as caught:
        await take(standing.broker.reports(), 1)
    assert SECRET not in repr(caught.value)
    assert len(standing.socket.peers) == 1


async def test_keys_refused_at_the_door(standing: Standing) -> None:
    standing.socket.refusals = [(401, {})]
    with pytest.raises(BrokerUnauthorized):
        await take(standing.broker.reports(), 1)


async def test_keys_withdrawn_later(standing: Standing) -> None:
    standing.socket.scripts = [telling(LISTENING, AUTHORIZED, UNAUTHORIZED)]
    with pytest.raises(BrokerUnauthorized):
        await take(standing.broker.reports(), 2)


async def silent(peer: Peer) -> None:
    await peer.stay()


async def deaf_after_authorization(peer: Peer) -> None:
    await peer.hear()
    await peer.say(AUTHORIZED)
    await peer.stay()


async def greeting(peer: Peer) -> None:
    await peer.say({"hello": "there"})
    await peer.stay()


async def garbage_for_an_answer(peer: Peer) -> None:
    await peer.hear()
    await peer.say("garbage")
    await peer.stay()


async def odd_word(peer: Peer) -> None:
    await peer.hear()
    await peer.say({"stream": "authorization", "data": {"status": "perhaps"}})
    await peer.stay()


async def listening_to_something_else(peer: Peer) -> None:
    await peer.hear()
    await peer.say(AUTHORIZED)
    await peer.hear()
    await peer.say({"stream": "listening", "data": {"streams": []}})
    await peer.stay()


async def leaves_at_once(peer: Peer) -> None:
    peer.connection.transport.abort()


async def says_goodbye(peer: Peer) -> None:
    await peer.hear()
    await peer.connection.close(1001)


@pytest.mark.parametrize(
    "bad",
    [
        silent,
        deaf_after_authorization,
        greeting,
        garbage_for_an_answer,
        odd_word,
        listening_to_something_else,
        leaves_at_once,
        says_goodbye,
    ],
)
async def test_a_failed_sign_in_is_tried_again(standing: Standing, bad: Any) -> None:
    standing.socket.scripts = [bad, telling()]
    lost, connected = await take(standing.broker.reports(), 2)
    assert isinstance(lost, StreamLost)
    assert connected == StreamConnected()
    assert len(standing.socket.peers) == 2
    assert standing.slept == [pytest.approx(0.2)]


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_connects_again_and_says_so(standing: Standing, how: str) -> None:
    async def script(peer: Peer) -> None:
        await welcome(peer)
        await peer.say(update("new", {"status": "new"}))
        if how == "close":
            await peer.connection.close(1001)
        else:
            await asyncio.sleep(0)
            peer.connection.transport.close()

    standing.socket.scripts = [script, script, telling(update("fill"))]
    reports = await take(standing.broker.reports(), 8)
    kinds = [type(report).__name__ for report in reports]
    assert kinds == ["StreamConnected", "OrderReport", "StreamLost"] * 2 + ["StreamConnected", "OrderReport"]
    assert standing.slept == [pytest.approx(0.2), pytest.approx(0.4)]


async def test_waits_longer_each_time_but_not_for_ever(standing: Standing) -> None:
    standing.socket.scripts = [leaves_at_once] * 9 + [telling()]
    await take(standing.broker.reports(), 2)
    assert standing.slept == [pytest.approx(wait) for wait in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10)]


@pytest.mark.parametrize(("status", "wait_s"), [(404, 0.2), (403, 0.2), (500, 0.2), (429, 30.0)])
async def test_refused_at_the_door(standing: Standing, status: int, wait_s: float) -> None:
    """429 means that the broker still sees our last connection: it takes a while to forget it."""
    standing.socket.refusals = [(status, {})]
    standing.socket.scripts = [telling()]
    lost, connected = await take(standing.broker.reports(), 2)
    assert isinstance(lost, StreamLost)  # who was never connected must know that it hears nothing
    assert connected == StreamConnected()
    assert standing.slept == [pytest.approx(wait_s)]


async def test_a_redirect_is_not_followed(standing: Standing) -> None:
    """Another host would get the keys in the first message."""
    async with scripted_socket() as elsewhere:
        elsewhere.scripts = [silent]
        standing.socket.refusals = [(302, {"location": elsewhere.url})]
        standing.socket.scripts = [telling()]
        await take(standing.broker.reports(), 1)
        assert elsewhere.upgrades == 0


async def test_no_proxy_is_taken_from_the_environment(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    standing.socket.scripts = [telling()]
    assert await take(standing.broker.reports(), 1) == [StreamConnected()]
    assert standing.slept == []


@pytest.mark.parametrize("how", ["task", "scope", "aclose"])
async def test_leaving_closes_the_socket_at_once(standing: Standing, how: str) -> None:
    standing.socket.scripts = [telling()]
    connected = asyncio.Event()
    reports = standing.broker.reports()

    async def read() -> None:
        async for _ in reports:
            connected.set()

    with anyio.fail_after(PATIENCE_S):
        if how == "task":
            task = asyncio.create_task(read())
            await connected.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        elif how == "scope":
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await connected.wait()
                tasks.cancel_scope.cancel()
        else:
            await anext(reports)
            await reports.aclose()  # type: ignore[attr-defined]
        await standing.socket.left.wait()


async def test_a_peer_that_does_not_take_the_goodbye_holds_nobody_up(standing: Standing) -> None:
    async def mute(peer: Peer) -> None:
        await welcome(peer)
        peer.connection.transport.pause_reading()
        await standing.socket.left.wait()
        peer.connection.transport.abort()

    standing.socket.scripts = [mute]
    reports = standing.broker.reports()
    await anext(reports)
    with anyio.fail_after(2.0):
        await reports.aclose()  # type: ignore[attr-defined]
    standing.socket.left.set()


@pytest.mark.slow
async def test_a_mute_peer_is_noticed(standing: Standing) -> None:
    """A ping every 3 s, and 4 s for its answer: alpaca-py takes up to 190 s."""

    async def mute(peer: Peer) -> None:
        await welcome(peer)
        peer.connection.transport.pause_reading()
        await standing.socket.left.wait()

    standing.socket.scripts = [mute, telling()]
    reports = standing.broker.reports()
    with anyio.fail_after(15.0):
        taken = [await anext(reports) for _ in range(3)]
    standing.socket.left.set()
    standing.socket.peers[0].connection.transport.abort()
    await reports.aclose()  # type: ignore[attr-defined]
    assert [type(report) for report in taken] == [StreamConnected, StreamLost, StreamConnected]


async def test_no_log_tells_the_keys(standing: Standing, caplog: pytest.LogCaptureFixture) -> None:
    """Even at the level where the WebSocket and HTTP libraries print every message."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.DEBUG)
    logging.getLogger("websockets.client").setLevel(logging.DEBUG)
    standing.socket.scripts = [leaves_at_once, telling(f"echo {SECRET} {KEY_ID}")]
    with structlog.testing.capture_logs() as logged:
        _, parked = await take(standing.broker.reports(), 2)
    from_the_client = [record for record in caplog.records if record.name != "websockets.server"]
    shown = repr([record.getMessage() for record in from_the_client]) + repr(logged) + repr(parked)
    assert logged
    for key in (KEY_ID, SECRET):
        assert key not in shown
