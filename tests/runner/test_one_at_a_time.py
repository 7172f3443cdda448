"""One runner per ledger."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.runner.process import run, running, stop


def test_a_second_runner_is_refused_at_once_and_told_who_holds_the_ledger(tmp_path: Path) -> None:
    with running(tmp_path, "--speed", "60") as first:
        began = time.monotonic()
        second = run(tmp_path)
        took_s = time.monotonic() - began
        assert second.code == 1
        assert f"(process {first.pid}) already works on this ledger" in second.error
        assert "another --ledger" in second.error
        assert took_s < 5
        assert stop(first, signal.SIGTERM).code == 0


def test_after_a_kill_the_next_runner_starts(tmp_path: Path) -> None:
    with running(tmp_path, "--speed", "60") as first:
        first.kill()
    with running(tmp_path, "--speed", "60") as second:
        done = stop(second, signal.SIGTERM)
    assert done.code == 0, done.err
