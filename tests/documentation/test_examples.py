"""Every example runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("alpaca_py_against_the_exchange.py", "filled 10"),
        ("own_strategy.py", "agree"),
        ("one_decision.py", "insufficient"),
        ("foreign_agents.py", "executed"),
    ],
)
def test_an_example_runs_and_prints_what_it_says(script: str, expected: str, tmp_path: Path) -> None:
    if "alpaca" in script:
        pytest.importorskip("alpaca")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert list(tmp_path.iterdir()) == []
