"""What a lost stream missed is told again as events, where the broker has them; and never stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import anyio
import pytest

from tests.alpaca.recorded import update
from tests.alpaca.scripted_http import CLOSE, HANG, Play, Request, reply
from tests.alpaca.scripted_socket import Peer
from tests.alpaca.standing import Standing
from tests.alpaca.streaming import take, telling, welcome
from tradecore.ports.broker import Execution, OrderReport, Report, StreamConnected, StreamLost, UnknownReport
from tradecore_alpaca.broker import AlpacaBroker

pytestmark = pytest.mark.anyio

PART = update("partial_fill", {"status": "partially_filled", "filled_qty": "0.01"}, qty="0.01", execution_id="x1")
MISSED = update("fill", execution_id="x2")["data"]
BUST = update("trade_bust", {"status": "canceled", "filled_qty": "0"}, previous_execution_id="x2")["data"]


def events(*rows: object, more: bytes = b"") -> Play:
    body = b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows)
    return reply(200, body + more, kind="text/event-stream")


def beside_the_clock(play: Play) -> Callable[[Request], Play]:
    """What answers everything but the question for the broker's time."""
    clock = reply(200, {"timestamp": "2026-10-08T16:00:00.5Z", "is_open": True})
    return lambda request: clock if request.path == "/v2/clock" else play


async def tells_and_leaves(peer: Peer) -> None:
    await welcome(peer)
    await peer.say(PART)
    await peer.connection.close(1001)


async def heard(standing: Standing, count: int, *, on: bool = True) -> list[Report]:
    broker = AlpacaBroker(
        standing.client, standing.urls, standing.keys, standing.clock, standing.rng,
        timeouts=standing.timeouts, replay_events=on,
    )  # fmt: skip
    standing.socket.scripts = [tells_and_leaves, telling(update("new", {"status": "new"}))]
    return await take(broker.reports(), count)


async def test_what_was_missed_comes_first_after_the_reconnect(standing: Standing) -> None:
    standing.server.script = beside_the_clock(events({**MISSED, "event_id": "01J"}, BUST))
    connected, part, lost, again, fill, bust, live = await heard(standing, 7)
    assert (connected, again) == (StreamConnected(), StreamConnected())
    assert isinstance(lost, StreamLost)
    assert isinstance(part, OrderReport)
    assert isinstance(fill, OrderReport)
    assert fill.fill is not None
    assert (fill.fill.execution_id, fill.fill.quantity) == ("x2", Decimal("0.057436865"))
    assert isinstance(bust, OrderReport)
    assert bust.fill is not None
    assert bust.fill.execution is Execution.BUST
    assert isinstance(live, OrderReport)
    assert live.event == "new"
    _, request = standing.server.requests
    assert (request.path, request.headers["accept"]) == ("/v2/events/trades", "text/event-stream")
    # By the broker's clock: ours may be slow, and would cut off what was missed.
    assert request.query == {"since": "2026-10-08T15:10:13.098304Z", "until": "2026-10-08T16:00:00.500000Z"}


async def test_it_is_off_unless_wanted(standing: Standing) -> None:
    *_, live = await heard(standing, 5, on=False)
    assert isinstance(live, OrderReport)
    assert standing.server.requests == []


@pytest.mark.parametrize("play", [CLOSE, HANG, reply(404, {"message": "endpoint not found."}), reply(500)])
async def test_without_an_answer_the_stream_goes_on(standing: Standing, play: Play) -> None:
    """The record over REST is read after every connect anyway."""
    standing.server.script = beside_the_clock(play)
    with anyio.fail_after(10):
        *_, again, live = await heard(standing, 5)
    assert again == StreamConnected()
    assert isinstance(live, OrderReport)
    assert len(standing.server.requests) == 2


async def test_what_cannot_be_read_is_told_whole(standing: Standing) -> None:
    dropped = b": you are reading too slowly, dropped 7 messages\n\n: heartbeat\n\ndata: {half\n\n"

    standing.server.script = beside_the_clock(events({"event": "exploded"}, more=dropped))
    *_, unknown, lost_some, half, live = await heard(standing, 8)
    for report, words in ((unknown, "exploded"), (lost_some, "dropped 7"), (half, "{half")):
        assert isinstance(report, UnknownReport)
        assert words in report.raw
    assert isinstance(live, OrderReport)
