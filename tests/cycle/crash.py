"""A runner whose models are on this machine, killed at the failpoints of a decision; the exchange lives through it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.crash.judge import Judge, environment
from tradecore.testing.model_server import ModelServer

_RUN_S = 120.0
BUY = '{"action": "buy", "confidence": 0.8, "size_fraction": 0.02, "reasoning": "as told"}'
SELL = '{"action": "sell", "confidence": 0.8, "size_fraction": 0, "reasoning": "as told"}'


def config(folder: Path, judge: Judge, models: ModelServer) -> Path:
    """Settings of a runner with the agent `single`, attached to both."""
    path = folder / "agent.toml"
    path.write_text(
        f"""ledger = "sqlite:///{folder / "ledger.db"}"
[broker]
name = "exchange"
base_url = "{judge.base_url}"
[delivery]
not_after_s = 600
visibility_s = 0.2
lookup_interval_s = 0.1
lookups = 2
retry_initial_s = 0.1
retry_jitter_s = 0.05
[agent]
name = "single"
[cycle]
every_s = 300
[models.providers.local]
base_url = "{models.url}"
[models.catalogue.small]
provider = "local"
model = "small"
input_per_million = "1"
output_per_million = "4"
[models.chains]
default = ["small"]
""",
        encoding="utf-8",
    )
    return path


def run_once(folder: Path, settings: Path, failpoints: str = "") -> int:
    """Run until it ends by itself; returns the exit code, negative for the signal that ended it."""
    with (folder / "runner.log").open("a") as log:
        done = subprocess.run(
            [sys.executable, "-m", "tradecore.runner", "--config", str(settings)],
            env=environment(TRADECORE_FAILPOINTS=failpoints),
            stdout=log,
            stderr=log,
            timeout=_RUN_S,
            check=False,
        )
    return done.returncode


def kill_then_finish(folder: Path, settings: Path, failpoint: str, hits: tuple[int, ...]) -> None:
    """Kill once per hit (counted from each start), then run to the end."""
    for hit in hits:
        code = run_once(folder, settings, f"{failpoint}:{hit}:kill")
        assert code == -signal.SIGKILL, (folder / "runner.log").read_text()
    assert run_once(folder, settings) == 0, (folder / "runner.log").read_text()
