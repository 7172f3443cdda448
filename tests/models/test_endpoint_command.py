"""The endpoint as a program: a foreign client is configured, run, and replayed without a model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.models.stage import TRACE
from tradecore.testing.model_acts import Say
from tradecore.testing.model_server import ModelServer
from tradecore_openai_endpoint.__main__ import main

TOKEN = "a-token-for-the-bull-0001"
SETTINGS = """
ledger = "sqlite:///{folder}/ledger.db"
[models.providers.local]
base_url = "{url}"
[models.catalogue.small]
provider = "local"
model = "small"
input_per_million = 0.15
output_per_million = 0.6
[models.chains]
default = ["small"]
"""


@contextmanager
def endpoint(config: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """The program while it serves: its URL and its run."""
    command = [sys.executable, "-m", "tradecore_openai_endpoint", "--config", str(config), "--port", "0"]
    environment = {**os.environ, "BULL_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [*command, "--agent", "bull=BULL_TOKEN", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url, run = process.stdout.readline().split()
        yield url, run
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def ask(url: str, text: str) -> tuple[int, str]:
    headers = {"authorization": f"Bearer {TOKEN}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    body = {"model": "trader", "messages": [{"role": "user", "content": text}]}
    response = httpx.post(f"{url}/chat/completions", json=body, headers=headers, trust_env=False, timeout=30)
    return response.status_code, response.json()["choices"][0]["message"]["content"] if response.is_success else ""


def test_a_run_is_recorded_and_replayed_by_name(server: ModelServer, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(SETTINGS.format(folder=tmp_path, url=server.url), encoding="utf-8")
    server.script("small", Say("one"), Say("two"))
    with endpoint(config) as (url, run):
        live = [ask(url, "a"), ask(url, "a")]
    with endpoint(config, "--replay", run) as (url, replayed):
        assert replayed == run
        assert [ask(url, "a"), ask(url, "a")] == live == [(200, "one"), (200, "two")]
        assert ask(url, "b") == (404, "")
    assert server.count("small") == 2


@pytest.mark.parametrize("agent", ["bull", "bull=", "=BULL", "bull=A_VARIABLE_THAT_NOBODY_SET"])
def test_an_agent_without_a_token_is_refused(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--agent", agent]) == 2
    assert agent in capsys.readouterr().err
