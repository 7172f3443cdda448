"""SIGINT and SIGTERM at any moment: a quiet end, and a further run that ends as if nothing had happened."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.judge import environment
from tests.runner.market import write_csv
from tests.runner.process import (
    KEYS,
    PATIENCE_S,
    QUICK,
    cash,
    fills,
    orders,
    rows,
    run,
    running,
    start,
    stop,
    tradecore,
    until,
    write,
)

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def prepare(folder: Path) -> tuple[str, ...]:
    """A short market and a strategy that trades it often; returns the options of the run."""
    folder.mkdir(exist_ok=True)
    config = write(folder, "runner.toml", f"[strategy]\n{QUICK}\n")
    return ("--config", config, "--bars", write_csv(folder, 40))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    done = run(folder, *prepare(folder))
    assert done.code == 0, done.err
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("after_orders", [1, 7])
def test_an_interrupted_run_goes_on_to_the_same_orders_fills_and_cash(
    number: signal.Signals, after_orders: int, tmp_path: Path, uninterrupted: Path
) -> None:
    options = prepare(tmp_path)
    with running(tmp_path, *options) as runner:
        until(lambda: len(rows(tmp_path, "orders")) >= after_orders, "orders")
        done = stop(runner, number)
    assert done.code == 0, done.err
    assert done.err == ""
    assert f"told to stop by {number.name}" in done.out
    assert len(orders(tmp_path)) < len(orders(uninterrupted)), "it was interrupted in the middle"
    assert tradecore(tmp_path, "verify").code == 0
    rest = run(tmp_path, *options)
    assert rest.code == 0, rest.err
    assert orders(tmp_path) == orders(uninterrupted)
    assert fills(tmp_path) == fills(uninterrupted)
    assert cash(tmp_path) == cash(uninterrupted)
    assert tradecore(tmp_path, "verify").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_runner_whose_broker_says_nothing_stops_when_told(number: signal.Signals, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        text = f'[broker]\nname = "alpaca"\nbase_url = "{url}"\nunreachable_after_s = 60\n'
        config = write(tmp_path, "runner.toml", text + '[strategy]\nname = "none"\n')
        runner = start(tmp_path, "--config", config, **KEYS)
        deaf.settimeout(PATIENCE_S)
        connection, _ = deaf.accept()
        with connection:
            done = stop(runner, number, within_s=12)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err


INTERRUPTED_IMPORT = """
import sys
from tradecore.runner.__main__ import main

class Interrupting:
    def find_spec(self, name, *_):
        if name == "tradecore.settings":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.exit(main([]))
"""


def test_ctrl_c_during_the_imports_is_quiet(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED_IMPORT]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
