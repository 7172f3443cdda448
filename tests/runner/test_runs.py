"""Runs on the embedded exchange: to the end, again, further, in memory, from files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runner.market import some_bars, write_csv
from tests.runner.process import QUICK, Done, cash, fills, names, orders, real_data, run, tradecore, write

AGREE = "agree on every order, fill, position and on cash"


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """An empty directory after `python -m tradecore.runner`."""
    folder = tmp_path_factory.mktemp("first-run")
    return folder, run(folder)


@pytest.fixture
def folder(first_run: tuple[Path, Done], tmp_path: Path) -> Path:
    """A copy of that directory."""
    return shutil.copytree(first_run[0], tmp_path / "copy")


@pytest.mark.slow
def test_without_arguments_it_trades_and_agrees_with_the_exchange(first_run: tuple[Path, Done]) -> None:
    folder, done = first_run
    assert done.code == 0, done.err
    assert AGREE in done.out
    assert done.err == ""
    assert len(fills(folder)) > 10
    assert tradecore(folder, "verify").code == 0


@pytest.mark.slow
def test_a_second_run_repeats_nothing(folder: Path) -> None:
    before = orders(folder), fills(folder), cash(folder)
    done = run(folder)
    assert done.code == 0, done.err
    assert AGREE in done.out
    assert (orders(folder), fills(folder), cash(folder)) == before


@pytest.mark.slow
def test_more_days_go_on_where_fewer_ended(folder: Path) -> None:
    before = fills(folder)
    done = run(folder, "--days", "4")
    assert done.code == 0, done.err
    assert AGREE in done.out
    assert fills(folder)[: len(before)] == before
    assert len(fills(folder)) > len(before)


def test_fewer_days_than_before_are_refused_with_what_to_do(folder: Path) -> None:
    before = orders(folder)
    done = run(folder, "--days", "2")
    assert done.code == 2
    assert "market_data" in done.error
    assert "at least as many days" in done.error
    assert orders(folder) == before


@pytest.mark.slow
def test_a_ledger_in_memory_leaves_no_files(tmp_path: Path) -> None:
    done = run(tmp_path, "--ledger", "memory:", "--days", "1")
    assert done.code == 0, done.err
    assert AGREE in done.out
    assert names(tmp_path) == set()


def test_a_strategy_that_does_nothing_trades_nothing(tmp_path: Path) -> None:
    bars = write_csv(tmp_path, 30)
    done = run(tmp_path, "--strategy", "none", "--bars", bars)
    assert done.code == 0, done.err
    assert (orders(tmp_path), cash(tmp_path)) == ([], ["100000"])


@pytest.mark.slow
def test_csv_and_parquet_of_the_same_bars_give_the_same_fills(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    bars = some_bars(40)
    in_csv, in_parquet = tmp_path / "csv", tmp_path / "parquet"
    in_csv.mkdir()
    in_parquet.mkdir()
    write_csv(in_csv, 40)
    columns = {
        "symbol": [bar.symbol for bar in bars],
        "timestamp": pa.array([bar.start for bar in bars], pa.timestamp("us", tz="UTC")),
        **{name: [float(getattr(bar, name)) for bar in bars] for name in ("open", "high", "low", "close", "volume")},
    }
    parquet.write_table(pa.table(columns), in_parquet / "bars.parquet")
    for folder, name in ((in_csv, "bars.csv"), (in_parquet, "bars.parquet")):
        config = write(folder, "runner.toml", f"[strategy]\n{QUICK}\n")
        done = run(folder, "--config", config, "--bars", name)
        assert done.code == 0, done.err
        assert AGREE in done.out
    assert len(fills(in_csv)) > 5
    assert fills(in_csv) == fills(in_parquet)


@pytest.mark.slow
@pytest.mark.skipif(real_data() is None, reason="no real market data on this machine")
def test_real_bars_end_in_agreement_and_a_second_run_adds_nothing(tmp_path: Path) -> None:
    found = real_data()
    assert found is not None
    bars = str(found / "bars" / "us_equities_minute_trades.parquet")
    arguments = ("--bars", bars, "--symbols", "SPY,IBM,BAC,AIG")
    done = run(tmp_path, *arguments)
    assert done.code == 0, done.err
    assert AGREE in done.out
    traded = orders(tmp_path), fills(tmp_path), cash(tmp_path)
    assert len(traded[1]) > 10
    again = run(tmp_path, *arguments)
    assert again.code == 0, again.err
    assert (orders(tmp_path), fills(tmp_path), cash(tmp_path)) == traded
    assert tradecore(tmp_path, "verify").code == 0
