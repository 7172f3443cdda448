"""Brokers, accounts and ledgers that are not what they should be: exit code 1, one line, nothing traded."""

from __future__ import annotations

import contextlib
import http.server
import socket
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.crash.judge import Judge
from tests.runner.market import write_csv
from tests.runner.process import KEYS, LEDGER, names, orders, run, write

WRONG_KEYS = {"APCA_API_KEY_ID": "wrong", "APCA_API_SECRET_KEY": "wrong"}
BROKERS = ["alpaca", "exchange"]


def attach(folder: Path, url: str, broker: str = "exchange", more: str = "") -> tuple[str, ...]:
    text = f'[broker]\nname = "{broker}"\nbase_url = "{url}"\n{more}\n[strategy]\nname = "none"\n'
    return ("--config", write(folder, "runner.toml", text))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("broker", BROKERS)
def test_a_closed_port_ends_the_run_in_time(broker: str, tmp_path: Path) -> None:
    options = attach(tmp_path, f"http://127.0.0.1:{closed_port()}", broker, "unreachable_after_s = 1")
    began = time.monotonic()
    done = run(tmp_path, *options, **KEYS)
    assert time.monotonic() - began < 10
    assert done.code == 1
    assert "127.0.0.1" in done.error
    assert "broker.base_url" in done.error
    assert orders(tmp_path) == []


@pytest.mark.parametrize("broker", BROKERS)
def test_wrong_keys_end_the_run(broker: str, tmp_path: Path) -> None:
    with Judge.start(tmp_path, "--days", "1") as judge:
        done = run(tmp_path, *attach(tmp_path, judge.base_url, broker), **WRONG_KEYS)
    assert done.code == 1
    assert "does not accept" in done.error
    assert "APCA_API_KEY_ID" in done.error
    assert orders(tmp_path) == []


class _Stranger(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"hello": "world"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_is_no_exchange_ends_the_run(tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = run(tmp_path, *attach(tmp_path, f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
        thread.join()
    assert done.code == 1
    assert "broker.base_url: no exchange answers" in done.error


@pytest.mark.slow
def test_a_ledger_of_another_account_is_refused_naming_both(tmp_path: Path) -> None:
    accounts = []
    for number, seed in enumerate(("1", "2")):
        folder = tmp_path / seed
        folder.mkdir()
        bars = write_csv(folder, 2)
        with Judge.start(folder, "--bars", str(folder / bars), "--seed", seed) as judge:
            accounts.append(judge.ask("/v2/account")["id"])
            done = run(tmp_path, *attach(tmp_path, judge.base_url))
        assert done.code == number, done.err
    assert [account for account in accounts if account not in done.error] == []
    assert "another --ledger" in done.error
    assert accounts[0] != accounts[1]


@pytest.mark.parametrize("content", [b"garbage" * 999, b""], ids=["garbage", "an empty file"])
def test_a_file_that_is_no_ledger_is_refused_and_kept(content: bytes, tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(content)
    done = run(tmp_path)
    assert done.code == 1
    assert LEDGER in done.error
    assert "another --ledger" in done.error
    assert (tmp_path / LEDGER).read_bytes() == content
    assert "tradecore.exchange.db" not in names(tmp_path)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path, "--bars", write_csv(tmp_path, 2)).code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / LEDGER)) as database, database:
        database.execute("UPDATE tradecore_meta SET value = '99' WHERE key = 'schema'")
    done = run(tmp_path, "--bars", "bars.csv")
    assert done.code == 1
    assert "schema 99" in done.error
    assert "update tradecore" in done.error
