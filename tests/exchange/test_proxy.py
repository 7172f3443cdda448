"""The proxy: a good wire changes nothing, and every fault of a wire is what a client sees."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from tests.exchange.play import KEYS, PATIENCE_S, Play, events, order, received
from tradecore.errors import InputError
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, FaultProxy, Toxics, wire_by_seed
from tradecore_exchange.frames import FrameCutter


@pytest.fixture
def proxy(play: Play) -> Iterator[FaultProxy]:
    with FaultProxy(play.server.port) as proxy:
        yield proxy


def ask(proxy: FaultProxy, timeout_s: float = PATIENCE_S) -> httpx.Response:
    """One POST of an order through a connection of its own."""
    base_url = f"http://127.0.0.1:{proxy.port}"
    with httpx.Client(base_url=base_url, headers=KEYS, trust_env=False, timeout=timeout_s) as http:
        return http.post("/v2/orders", json=order(client_order_id="one"))


@contextlib.contextmanager
def listening(proxy: FaultProxy) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{proxy.port}/stream"
    with connect(url, proxy=None, ping_interval=None, close_timeout=0.2) as socket:
        socket.send(json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
        socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        assert [received(socket)["stream"] for _ in range(2)] == ["authorization", "listening"]
        yield socket


@pytest.mark.parametrize(
    "toxics",
    [
        Toxics(),
        Toxics(slice_bytes=7),
        Toxics(latency_ms=5, jitter_ms=5),
        Toxics(bytes_per_s=20_000, slice_bytes=200),
        Toxics(reset_after=100_000),
    ],
)
def test_what_only_slows_a_connection_changes_nothing(play: Play, proxy: FaultProxy, toxics: Toxics) -> None:
    proxy.always(up=toxics, down=toxics)
    assert ask(proxy).json()["client_order_id"] == "one"
    with listening(proxy) as socket:
        play.advance()
        assert events(socket, 1) == ["fill"]


def test_a_connection_is_reset_before_anything(play: Play, proxy: FaultProxy) -> None:
    proxy.next(refuse=True)
    with pytest.raises(httpx.TransportError):
        ask(proxy)
    assert play.judge()["orders"] == []
    assert ask(proxy).status_code == 200


@pytest.mark.parametrize("after", [0, 50, 200])
def test_a_request_that_is_cut_is_not_carried_out(play: Play, proxy: FaultProxy, after: int) -> None:
    proxy.next(up=Toxics(reset_after=after))
    with pytest.raises(httpx.TransportError):
        ask(proxy)
    assert play.judge()["orders"] == []


@pytest.mark.parametrize("toxics", [Toxics(reset_after=20), Toxics(close_after=20), Toxics(reset_after=0)])
def test_an_answer_that_is_cut_belongs_to_an_order(play: Play, proxy: FaultProxy, toxics: Toxics) -> None:
    proxy.next(down=toxics)
    with pytest.raises(httpx.TransportError):
        ask(proxy)
    until_posted(play)
    assert [one["client_order_id"] for one in play.judge()["orders"]] == ["one"]


def until_posted(play: Play) -> None:
    until = time.monotonic() + PATIENCE_S
    while not play.judge()["orders"] and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.parametrize(("wire", "orders"), [("up", 0), ("down", 1)])
def test_a_half_open_connection_says_nothing(play: Play, proxy: FaultProxy, wire: str, orders: int) -> None:
    black = Toxics(blackhole_after=0)
    proxy.next(up=black if wire == "up" else Toxics(), down=black if wire == "down" else Toxics())
    with pytest.raises(httpx.ReadTimeout):
        ask(proxy, timeout_s=0.3)
    assert len(play.judge()["orders"]) == orders


def test_a_changed_byte_arrives_changed(proxy: FaultProxy) -> None:
    proxy.next(down=Toxics(corrupt_at=9))
    with pytest.raises(httpx.RemoteProtocolError):
        ask(proxy)


def test_a_frame_is_cut_in_its_middle(play: Play, proxy: FaultProxy) -> None:
    proxy.next(down=Toxics(cut_frame=4))
    with listening(proxy) as socket:
        play.post()
        assert events(socket, 1) == ["pending_new"]
        with pytest.raises(ConnectionClosedError):
            socket.recv(timeout=PATIENCE_S)


def test_everything_can_be_frozen_and_goes_on(play: Play, proxy: FaultProxy) -> None:
    with listening(proxy) as socket:
        proxy.freeze()
        play.post()
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.1)
        assert not socket.ping().wait(0.1)
        proxy.thaw()
        assert events(socket, 2) == ["pending_new", "new"]


def test_everything_can_be_reset(play: Play, proxy: FaultProxy) -> None:
    with listening(proxy) as socket:
        proxy.reset_all()
        with pytest.raises(ConnectionClosedError):
            socket.recv(timeout=PATIENCE_S)
    with listening(proxy) as socket:
        play.post()
        assert events(socket, 1) == ["pending_new"]


def test_the_server_being_gone_is_a_reset() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with FaultProxy(port) as proxy, pytest.raises(httpx.TransportError):
        ask(proxy)


def test_a_seed_gives_every_connection_the_same_again(play: Play) -> None:
    def fates(seed: int) -> list[str]:
        told = []
        with FaultProxy(play.server.port, seed=seed, intensity=0.5) as proxy:
            for _ in range(12):
                try:
                    told.append(str(ask(proxy, timeout_s=0.5).status_code))
                except (httpx.HTTPError, ValueError):
                    told.append("broken")
            assert proxy.wires == [wire_by_seed(seed, number, 0.5) for number in range(1, 13)]
        return told

    ask_first = play.post(client_order_id="one")
    assert ask_first.status_code == 200
    first = fates(3)
    assert fates(3) == first
    assert "broken" in first
    assert set(first) - {"broken"}
    assert len(play.judge()["orders"]) == 1


def test_stopping_ends_half_open_connections(play: Play) -> None:
    proxy = FaultProxy(play.server.port).start()
    proxy.always(down=Toxics(blackhole_after=0))
    failed = threading.Event()

    def wait() -> None:
        with pytest.raises(httpx.TransportError):
            ask(proxy)
        failed.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    until_posted(play)
    proxy.stop()
    proxy.stop()
    assert failed.wait(PATIENCE_S)
    waiting.join()


def test_a_toxic_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="reset_after"):
        Toxics(reset_after=-1)


@given(
    st.lists(st.integers(0, 70_000), min_size=1, max_size=6), st.integers(1, 6), st.integers(1, 50_000), st.booleans()
)
def test_the_cut_is_in_the_middle_of_the_frame_however_the_bytes_come(
    lengths: list[int], number: int, step: int, masked: bool
) -> None:
    stream, middle = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", None
    for place, length in enumerate(lengths, 1):
        flag = 0x80 if masked else 0
        if length < 126:
            stream += bytes([0x82, flag | length])
        elif length < 65_536:
            stream += bytes([0x82, flag | 126]) + length.to_bytes(2)
        else:
            stream += bytes([0x82, flag | 127]) + length.to_bytes(8)
        stream += b"mask" if masked else b""
        if place == number:
            middle = len(stream) + length // 2
        stream += b"x" * length
    cutter, found = FrameCutter(number), None
    for start in range(0, len(stream), step):
        within = cutter.feed(stream[start : start + step])
        if within is not None:
            found = start + within
            break
    assert found == middle
