"""`python -m tradecore.runner backtest`, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.runner.market import write_csv
from tradecore.settings import load_settings
from tradecore_backtest.runner import Backtest, run_settings

OWN = """
from decimal import Decimal

from tradecore.domain.values import Side
from tradecore.ports.strategy import Idea


class Hold:
    name = "hold"
    warmup_bars = 0

    def observe(self, bar):
        pass

    def on_bar(self, bar, portfolio):
        if portfolio.position(bar.symbol) or portfolio.working(bar.symbol):
            return ()
        return (Idea(bar.symbol, Side.BUY, Decimal(3), "once"),)
"""


def test_settings_name_bars_strategy_and_market(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    write_csv(tmp_path, 60)
    told = {
        "market_data": {"bars": str(tmp_path / "bars.csv"), "symbols": "AAA"},
        "strategy": {"name": f"{tmp_path / 'own.py'}:Hold"},
        "backtest": {"cash": "5000", "fee_per_order": "1", "hours": "any", "tables": str(tmp_path / "out")},
    }
    settings = load_settings(None, told)
    result = run_settings(settings)
    assert (result.bar_count, len(result.fills), result.starting_cash) == (60, 1, Decimal(5000))
    assert result.fills[0].fees == 1
    assert Backtest().run_alone(settings) == 0
    assert "orders 1, fills 1, trades 1" in capsys.readouterr().out
    assert {"report.json", "equity.csv", "trades.csv", "fills.csv"} <= {
        file.name for file in (tmp_path / "out").iterdir()
    }
    assert len((tmp_path / "out" / "fills.csv").read_text().splitlines()) == 2


def test_the_built_in_bars_need_no_option() -> None:
    result = run_settings(load_settings(None, {"market_data": {"days": 1}}))
    assert result.bar_count == 2 * 390
    assert len(result.orders) > 0


def test_from_the_command_line(tmp_path: Path) -> None:
    if "backtest" not in {point.name for point in entry_points(group="tradecore.runners")}:
        pytest.skip("the runner is not installed as an entry point here")
    write_csv(tmp_path, 60)
    command = [sys.executable, "-m", "tradecore.runner", "backtest", "--bars", "bars.csv", "--strategy", "sma"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "120 bars of AAA, BBB" in done.stdout
    assert not list(tmp_path.glob("*.db")), "a backtest keeps no ledger unless it is told to"
