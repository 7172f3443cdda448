"""The server as a thread, as a process, and without a port."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.exchange.play import KEYS, PATIENCE_S, Play, events, order, small_floor
from tradecore_exchange import ExchangeServer, Serving, create_app
from tradecore_exchange.instants import MINUTE_NS
from tradecore_exchange.pacing import pause_s


def test_stopping_ends_open_websockets_and_hanging_requests() -> None:
    with ExchangeServer(small_floor()) as server, Play(server) as play, play.trades() as socket:
        play.arm("hang", after_accept=True)
        failed = threading.Event()

        def hang() -> None:
            with pytest.raises(httpx.TransportError):
                httpx.post(f"{server.base_url}/v2/orders", json=order(), headers=KEYS, trust_env=False, timeout=None)
            failed.set()

        waiting = threading.Thread(target=hang)
        waiting.start()
        while not play.judge()["orders"]:
            pass
        server.stop()
        assert events(socket, 2) == ["pending_new", "new"]
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=PATIENCE_S)
        assert failed.wait(PATIENCE_S)
        waiting.join(PATIENCE_S)


def test_stopping_twice_does_nothing() -> None:
    server = ExchangeServer(small_floor()).start()
    server.stop()
    server.stop()


def test_a_taken_port_is_an_error_at_the_start() -> None:
    with ExchangeServer(small_floor()) as server, pytest.raises(OSError, match="in use"):
        ExchangeServer(small_floor(), port=server.port).start()


def test_the_application_runs_without_a_port() -> None:
    async def ask() -> None:
        transport = httpx.ASGITransport(create_app(small_floor()))
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange", headers=KEYS) as client:
            assert (await client.post("/v2/orders", json=order())).json()["status"] == "pending_new"
            assert (await client.post("/_ctl/advance")).json()["orders_changed"] == 1
            await client.post("/_ctl/faults", json={"kind": "reset"})
            with pytest.raises(ConnectionResetError):
                await client.post("/v2/orders", json=order())

    anyio.run(ask)


def test_the_control_api_is_for_this_machine_only() -> None:
    async def ask() -> None:
        transport = httpx.ASGITransport(create_app(small_floor()), client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange", headers=KEYS) as client:
            assert (await client.get("/_ctl/state")).status_code == 403
            assert (await client.get("/v2/account")).status_code == 200

    anyio.run(ask)


def test_an_enforced_rate_limit_answers_429() -> None:
    async def ask() -> None:
        app = create_app(small_floor(), serving=Serving(rate_limit_per_minute=2, rate_limit_enforced=True))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange", headers=KEYS) as client:
            answers = [await client.get("/v2/account") for _ in range(6)]
            limited = [answer for answer in answers if answer.status_code == 429]
            # A window may end in the middle of this; two of them cannot let six through.
            assert len(limited) >= 2
            assert limited[0].json()["code"] == 42910000
            assert limited[0].headers["x-ratelimit-remaining"] == "0"

    anyio.run(ask)


def test_a_market_with_a_speed_moves_by_itself() -> None:
    with ExchangeServer(small_floor(), speed=1e9) as server, Play(server) as play:
        while not play.get("/_ctl/state")["done"]:
            pass


def test_a_minute_of_the_market_takes_its_share_of_the_speed_and_a_night_no_more() -> None:
    assert pause_s(0, MINUTE_NS, 60.0) == 1.0
    assert pause_s(0, 900 * MINUTE_NS, 60.0) == 1.0
    assert pause_s(MINUTE_NS, 0, 60.0) == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bars", "nowhere.csv"], "a file that exists"),
        (["--symbols", "aapl"], "capital letters"),
        (["--speed", "0"], "above zero"),
        (["--cash", "much"], "not a number"),
        (["--state", "/nowhere/at/all.db"], "cannot open"),
    ],
)
def test_the_command_refuses_in_one_line(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "tradecore_exchange", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]


def test_the_command_serves_a_file_of_bars(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bars") / "bars.csv"
    rows = "".join(f"IBM,2024-01-02T14:3{minute}:00Z,10,10,10,10,5\n" for minute in range(3))
    path.write_text("symbol,timestamp,open,high,low,close,volume\n" + rows, encoding="utf-8")
    command = [sys.executable, "-m", "tradecore_exchange", "--bars", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        state = httpx.get(said["base_url"] + "/_ctl/state", headers=KEYS, trust_env=False).json()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert (state["symbols"], state["steps_total"]) == (["IBM"], 3)
