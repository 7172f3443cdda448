"""The stream of reports: it signs in, tells every message or parks it, and always comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anyio
import pytest
import structlog.testing

from tests.alpaca.recorded import AUTHORIZED, LISTENING, ORDER, UNAUTHORIZED, update
from tests.alpaca.scripted_socket import Peer, scripted_socket
from tests.alpaca.standing import KEY_ID, SECRET, Standing
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnauthorized
from tradecore.ports.broker import OrderReport, Report, StreamConnected, UnknownReport

pytestmark = pytest.mark.anyio

PATIENCE_S = 5.0


async def welcome(peer: Peer) -> None:
    await peer.hear()
    await peer.say(AUTHORIZED, binary=True)
    await peer.hear()
    await peer.say(LISTENING, binary=True)


def telling(*messages: object, binary: bool = False) -> Any:
    async def script(peer: Peer) -> None:
        await welcome(peer)
        await peer.say(*messages, binary=binary)
        await peer.stay()

    return script


async def take(reports: AsyncIterator[Report], count: int) -> list[Report]:
    """The first reports; the stream is closed after them."""
    taken = []
    with anyio.fail_after(PATIENCE_S):
        async for report in reports:
            taken.append(report)
            if len(taken) == count:
                break
        await reports.aclose()  # type: ignore[attr-defined]
    return taken


async def test_signs_in_as_the_protocol_says(standing: Standing) -> None:
    standing.socket.scripts = [telling()]
    assert await take(standing.broker.reports(), 1) == [StreamConnected()]
    assert standing.socket.peers[0].heard == [
        {"action": "authenticate", "data": {"key_id": KEY_ID, "secret_key": SECRET}},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
    ]


@pytest.mark.parametrize("binary", [True, False])
async def test_a_fill_is_told_with_its_order(standing: Standing, binary: bool) -> None:
    standing.socket.scripts = [telling(update("fill"), binary=binary)]
    connected, report = await take(standing.broker.reports(), 2)
    assert connected == StreamConnected()
    assert isinstance(report, OrderReport)
    assert (report.event, report.order.status) == ("fill", OrderStatus.FILLED)
    assert json.loads(report.order.raw) == ORDER
    fill = report.fill
    assert fill is not None
    assert (fill.source, fill.execution_id) == ("stream", "0b6ce4b6-0000-4000-8000-000000000001")
    assert (fill.client_order_id, fill.broker_order_id) == ("tc-1", ORDER["id"])
    assert (fill.quantity, fill.price, fill.fees) == (Decimal("0.057436865"), Decimal("86.878"), Decimal(0))
    assert fill.cumulative_qty == Decimal("0.057436865")
    assert json.loads(fill.raw) == update("fill")


async def test_other_events_tell_no_fill(standing: Standing) -> None:
    """`new` has an execution id of its own; a quantity and a price do not make it a fill."""
    events = ["pending_new", "accepted", "new", "canceled", "order_cancel_rejected", "restated", "held", "replaced"]
    standing.socket.scripts = [telling(*(update(event, {"status": "new"}) for event in events))]
    _, *reports = await take(standing.broker.reports(), 1 + len(events))
    assert [(report.event, report.fill) for report in reports if isinstance(report, OrderReport)] == [
        (event, None) for event in events
    ]


PARKED: dict[str, object] = {
    "unknown event": update("exploded"),
    "unknown status": update("fill", {"status": "accepted_for_bidding"}),
    "bust": update("trade_bust"),
    "correction": update("trade_correct"),
    "unknown side": update("new", {"side": ""}),
    "fill without execution id": update("fill", execution_id=None),
    "fill without time": update("fill", timestamp=None),
    "fill without price": update("fill", price=None),
    "fill of NaN": update("partial_fill", qty="NaN"),
    "fill beyond the total": update("fill", qty="2"),
    "order missing": {"stream": "trade_updates", "data": {"event": "fill"}},
    "other stream": {"stream": "gossip", "data": {}},
    "no frame": {"hello": 1},
    "not JSON": "garbage",
    "not text": b"\xff\xfe\x00",
    "empty": b"",
    "list": [1],
    "too deep": "[" * 50_000,
}


@pytest.mark.parametrize("message", PARKED.values(), ids=PARKED.keys())
async def test_what_cannot_be_read_is_parked_whole_and_the_stream_goes_on(standing: Standing, message: object) -> None:
    standing.socket.scripts = [telling(message, update("fill"))]
    _, parked, after = await take(standing.broker.reports(), 3)
    assert isinstance(parked, UnknownReport)
    assert parked.reason
    if isinstance(message, dict | list):
        assert json.loads(parked.raw) == message
    elif isinstance(message, str):
        assert parked.raw == message
    assert isinstance(after, OrderReport)
    assert len(standing.socket.peers) == 1


async def test_a_repeated_message_is_told_again(standing: Standing) -> None:
    """Removing repeats is the inbox's work, by what was filled, not by what was said."""
    standing.socket.scripts = [telling(update("fill"), update("fill"))]
    _, first, second = await take(standing.broker.reports(), 3)
    assert first == second


async def test_messages_between_sign_in_and_listening_are_kept(standing: Standing) -> None:
    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(AUTHORIZED)
        await peer.hear()
        await peer.say(update("fill"), "garbage", LISTENING)
        await peer.stay()

    standing.socket.scripts = [script]
    connected, fill, garbage = await take(standing.broker.reports(), 3)
    assert connected == StreamConnected()
    assert isinstance(fill, OrderReport)
    assert isinstance(garbage, UnknownReport)


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
    assert await take(standing.broker.reports(), 1) == [StreamConnected()]
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
    reports = await take(standing.broker.reports(), 6)
    kinds = [type(report).__name__ for report in reports]
    assert kinds == ["StreamConnected", "OrderReport"] * 3
    assert standing.slept == [pytest.approx(0.2), pytest.approx(0.4)]


async def test_waits_longer_each_time_but_not_for_ever(standing: Standing) -> None:
    standing.socket.scripts = [leaves_at_once] * 9 + [telling()]
    await take(standing.broker.reports(), 1)
    assert standing.slept == [pytest.approx(wait) for wait in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10)]


@pytest.mark.parametrize(("status", "wait_s"), [(404, 0.2), (403, 0.2), (500, 0.2), (429, 30.0)])
async def test_refused_at_the_door(standing: Standing, status: int, wait_s: float) -> None:
    """429 means that the broker still sees our last connection: it takes a while to forget it."""
    standing.socket.refusals = [(status, {})]
    standing.socket.scripts = [telling()]
    assert await take(standing.broker.reports(), 1) == [StreamConnected()]
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
    """A ping every 5 s, and 5 s for its answer: alpaca-py takes up to 190 s."""

    async def mute(peer: Peer) -> None:
        await welcome(peer)
        peer.connection.transport.pause_reading()
        await standing.socket.left.wait()

    standing.socket.scripts = [mute, telling()]
    taken = []
    reports = standing.broker.reports()
    with anyio.fail_after(15.0):
        async for report in reports:
            taken.append(report)
            if len(taken) == 2:
                break
    standing.socket.left.set()
    standing.socket.peers[0].connection.transport.abort()
    await reports.aclose()  # type: ignore[attr-defined]
    assert taken == [StreamConnected(), StreamConnected()]


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
