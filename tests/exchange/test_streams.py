"""The two streams, spoken to plainly."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.exchange.play import JSON, PATIENCE_S, Play, events, received
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET


def unpacked(socket: ClientConnection) -> JSON:
    """The next frame, which must be MessagePack."""
    frame = socket.recv(timeout=PATIENCE_S)
    assert isinstance(frame, bytes)
    return msgspec.msgpack.decode(frame)


def test_updates_come_in_the_order_of_the_protocol_and_in_binary_frames(play: Play) -> None:
    with play.trades() as socket:
        order_id = play.post().json()["id"]
        play.advance()
        frame = socket.recv(timeout=PATIENCE_S)
        assert isinstance(frame, bytes)
        first = json.loads(frame)
        assert first["stream"] == "trade_updates"
        assert (first["data"]["event"], first["data"]["execution_id"]) == ("pending_new", None)
        assert received(socket)["data"]["event"] == "new"
        fill = received(socket)["data"]
        assert (fill["event"], fill["order"]["id"], fill["order"]["status"]) == ("fill", order_id, "filled")
        assert (fill["qty"], fill["position_qty"]) == ("10", "10")
        assert fill["execution_id"] == play.judge()["executions"][0]["execution_id"]


def test_both_shapes_of_authentication_are_understood(play: Play) -> None:
    keys = {"key_id": DEFAULT_KEY, "secret_key": DEFAULT_SECRET}
    with connect(play.server.stream_url, proxy=None) as socket:
        socket.send(json.dumps({"action": "authenticate", "data": keys}))
        assert received(socket) == {
            "stream": "authorization",
            "data": {"action": "authenticate", "status": "authorized"},
        }


@pytest.mark.parametrize(
    "message",
    [{"action": "auth", "key": "no", "secret": "no"}, {"action": "authenticate", "data": None}, {"action": "listen"}],
)
def test_wrong_keys_are_unauthorized(play: Play, message: dict[str, object]) -> None:
    with connect(play.server.stream_url, proxy=None) as socket:
        socket.send(json.dumps(message))
        assert received(socket)["data"]["status"] == "unauthorized"


def test_listening_to_nothing_stops_the_updates(play: Play) -> None:
    with play.trades() as socket:
        socket.send(json.dumps({"action": "listen", "data": {"streams": []}}))
        assert received(socket)["data"]["streams"] == []
        play.post()
        socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        assert received(socket)["stream"] == "listening"


def test_several_connections_hear_the_same(play: Play) -> None:
    with play.trades() as one, play.trades() as two:
        play.post()
        assert events(one, 2) == events(two, 2) == ["pending_new", "new"]


def test_text_frames_are_sent_to_who_asks_for_them(play: Play) -> None:
    with connect(play.server.stream_url + "?frames=text", proxy=None) as socket:
        socket.send(json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
        assert isinstance(socket.recv(timeout=PATIENCE_S), str)


def test_senseless_frames_do_not_end_the_connection(play: Play) -> None:
    with play.trades() as socket:
        for frame in ("{", b"\xc1\xff", "[]", "5"):
            socket.send(frame)
        play.post()
        assert events(socket, 2) == ["pending_new", "new"]


def test_a_json_client_of_the_data_stream_gets_json(play: Play) -> None:
    with connect(play.server.data_stream_url, proxy=None) as socket:
        assert received(socket) == [{"T": "success", "msg": "connected"}]
        socket.send(json.dumps({"action": "subscribe", "bars": ["*"]}))
        assert received(socket)[0]["code"] == 401
        socket.send(json.dumps({"action": "auth", "key": "no", "secret": "no"}))
        assert received(socket)[0]["code"] == 402
        socket.send(json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
        assert received(socket) == [{"T": "success", "msg": "authenticated"}]
        socket.send(json.dumps({"action": "subscribe", "bars": ["*"], "quotes": ["AAPL"]}))
        subscription = received(socket)[0]
        assert (subscription["T"], subscription["bars"], subscription["quotes"]) == ("subscription", ["*"], ["AAPL"])
        play.advance()
        bars = received(socket)
        assert next((bar["T"], bar["S"], bar["t"]) for bar in bars) == ("b", "AAPL", "2024-01-02T14:30:00Z")
        assert {"o", "h", "l", "c", "v", "n", "vw"} <= bars[0].keys()


def test_a_msgpack_client_gets_timestamps_and_may_send_in_fragments(play: Play) -> None:
    headers = {"Content-Type": "application/msgpack"}
    with connect(play.server.data_stream_url, proxy=None, additional_headers=headers) as socket:
        assert unpacked(socket)[0]["msg"] == "connected"
        socket.send(msgspec.msgpack.encode({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
        assert unpacked(socket)[0]["msg"] == "authenticated"
        wish = msgspec.msgpack.encode({"action": "subscribe", "bars": ["MSFT"]})
        socket.send([wish[:5], wish[5:]])
        assert unpacked(socket)[0]["bars"] == ["MSFT"]
        play.advance()
        (bar,) = unpacked(socket)
        assert bar["t"] == dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)
