"""Cycles on a market that moves by itself: the runner asks its agent on time, and ends when it is told to."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.cycle.test_crash import think
from tests.runner.process import rows, running, stop, tradecore, until, write
from tradecore.testing.model_server import ModelServer

LEDGER = "ledger.db"
SETTINGS = """ledger = "sqlite:///{ledger}"
[broker]
name = "alpaca"
base_url = "{exchange}"
[market_data]
symbols = ["AAA"]
[agent]
name = "single"
[cycle]
every_s = 0.5
mode = "autonomous"
[models.providers.local]
base_url = "{models}"
[models.catalogue.small]
provider = "local"
model = "small"
input_per_million = 1
output_per_million = 4
[models.chains]
default = ["small"]
"""
KEYS = {"APCA_API_KEY_ID": "exchange-key", "APCA_API_SECRET_KEY": "exchange-secret"}


def resolved(folder: Path) -> int:
    return len(rows(folder, "outcomes", LEDGER))


def is_quiet(folder: Path) -> bool:
    """No cycle is at work, and no order works."""
    open_orders = [row for row in rows(folder, "orders", LEDGER) if row["status"] not in ("filled", "canceled")]
    return not open_orders and all(row["status"] != "live" for row in rows(folder, "cycles", LEDGER))


@pytest.mark.slow
def test_an_agent_trades_a_live_market_until_sigterm(tmp_path: Path) -> None:
    arguments = ("--speed", "300", "--days", "2", "--symbols", "AAA", "--seed", "7")
    with Judge.start(tmp_path, *arguments) as judge, ModelServer(think) as models:
        config = write(
            tmp_path, "agent.toml", SETTINGS.format(ledger=LEDGER, exchange=judge.base_url, models=models.url)
        )
        with running(tmp_path, "--config", config, ledger=LEDGER, **KEYS) as runner:
            until(lambda: resolved(tmp_path) >= 2, "two outcomes")
            paused = tradecore(tmp_path, "cycles", "pause", "--reason", "a test", "--ledger", f"sqlite:///{LEDGER}")
            assert paused.code == 0, paused.err
            until(lambda: is_quiet(tmp_path), "the end of what was open")
            done = stop(runner, signal.SIGTERM)
        assert done.code == 0, done.err
        assert_nothing_lost_or_doubled(judge, tmp_path)
        for heard in models.requests:
            assert all(key not in str(heard.body) for key in KEYS.values())
    statuses = {row["status"] for row in rows(tmp_path, "cycles", LEDGER)}
    assert "ok" in statuses
    assert statuses <= {"ok", "partly", "failed", "skipped", "live"}
    assert tradecore(tmp_path, "verify", "--ledger", f"sqlite:///{LEDGER}").code == 0
