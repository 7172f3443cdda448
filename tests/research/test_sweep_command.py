"""`python -m tradecore.runner sweep`: what it prints, what it leaves, and what it refuses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.research.studies import write_bars
from tradecore.settings import load_settings
from tradecore_backtest.runner import Backtest, run_settings
from tradecore_sweep.command import main

GRID = ("--grid", "fast=2,3,8", "--grid", "slow=5:10:5", "--grid", "quantity=50")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_bars(tmp_path / "bars.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sweep_ranks_warns_and_leaves_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bars", "bars.parquet", *GRID, "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "Sharpe" in said
    assert "1 combinations refused" in said
    with (folder / "sweep" / "ranking.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert [float(row["sharpe"]) for row in rows] == sorted((float(row["sharpe"]) for row in rows), reverse=True)
    told = json.loads((folder / "sweep" / "sweep.json").read_text(encoding="utf-8"))
    assert told["best"]["parameters"]["fast"] == rows[0]["fast"]
    assert told["best"]["config_hash"] in (folder / "sweep" / "best.html").read_text(encoding="utf-8")
    assert all(warning.split(":")[0] in " ".join(said.split()) for warning in told["warnings"])


def test_a_walk_forward_leaves_its_steps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--bars", "bars.parquet", *GRID, "--workers", "1", "--train", "240", "--test", "150", "--out", "walk"]
    assert main(words) == 0
    told = json.loads((folder / "walk" / "walk_forward.json").read_text(encoding="utf-8"))
    assert len(told["steps"]) == 3
    assert "window" in capsys.readouterr().out
    assert (folder / "walk" / "walk_forward.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs bars"),
        (["--bars", "bars.parquet", "--grid", "fast"], "write NAME=VALUES"),
        (["--bars", "bars.parquet", "--train", "5"], "needs both"),
        (["--bars", "none.parquet"], "a file that exists"),
        (["--bars", "bars.parquet", "--workers", "0"], "1 or more"),
        (["--bars", "bars.parquet", "--grid", "speed=1", "--workers", "1"], "does not take"),
    ],
)
def test_wrong_words_are_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error


def test_as_a_process_of_its_own(folder: Path) -> None:
    if "sweep" not in {point.name for point in entry_points(group="tradecore.runner_commands")}:
        pytest.skip("the command is not installed as an entry point here")
    command = [sys.executable, "-m", "tradecore.runner", "sweep", "--bars", "bars.parquet", "--grid", "fast=2,3"]
    done = subprocess.run([*command, "--grid", "slow=5"], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((folder / "sweep" / "trials").iterdir())) == 2


def test_a_backtest_writes_its_tear_sheet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "market_data": {"bars": "bars.parquet", "symbols": "AAA"},
        "strategy": {"name": "sma", "parameters": {"fast": 2, "slow": 5, "quantity": 50}},
        "backtest": {"sheet": "run.html"},
    }
    settings = load_settings(None, told)
    assert Backtest().run_alone(settings) == 0
    text = (folder / "run.html").read_text(encoding="utf-8")
    result = run_settings(settings)
    assert result.config_hash in text
    assert result.provenance.digest in text
