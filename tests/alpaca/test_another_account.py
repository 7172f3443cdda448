"""Keys of another account, left over in the environment, trade nothing: the ledger is pinned to the first one."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.judge import Judge
from tests.runner.process import KEYS, LEDGER, run, running, stop, tradecore, write


def config(folder: Path, judge: Judge) -> tuple[str, ...]:
    text = f'ledger = "sqlite:///{LEDGER}"\n[broker]\nname = "alpaca"\nbase_url = "{judge.base_url}"\n'
    return ("--config", write(folder, "runner.toml", text + '[strategy]\nname = "none"\n'))


@pytest.mark.slow
def test_an_order_that_waits_is_not_sent_to_another_account(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    with Judge.start(ours, "--days", "1", "--symbols", "AAA", "--seed", "1") as first:
        with running(tmp_path, *config(tmp_path, first), **KEYS) as runner:
            done = stop(runner, signal.SIGTERM)
        assert done.code == 0, done.err
    placed = tradecore(tmp_path, "place", "AAA", "buy", "1", "--ledger", f"sqlite:///{LEDGER}")
    assert placed.code == 0, placed.err
    with Judge.start(theirs, "--days", "1", "--symbols", "AAA", "--seed", "2") as second:
        done = run(tmp_path, *config(tmp_path, second), **KEYS)
        assert second.ask("/_ctl/orders")["posts"] == {}
        assert second.ask("/_ctl/orders")["orders"] == []
    assert done.code == 1
    assert "belongs to broker account" in done.error
