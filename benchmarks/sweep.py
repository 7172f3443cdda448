"""What a second process brings to a sweep: `python benchmarks/sweep.py [--bars N] [--trials N]`.

The ratio is wall time in one process over wall time in two. Its limit is what the machine gives to two processes that
share nothing: a loop of additions, measured before and after. On a busy machine look at the second figure: how much
processor time a trial costs in two processes over one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs
import pyarrow as pa
from machine import describe, table
from pyarrow import parquet

from tradecore_backtest.market import Hours, MarketModel
from tradecore_sweep import Executor, Grid, Processes, Serial, Study
from tradecore_sweep.study import Trial, Window
from tradecore_sweep.sweeping import inputs_of
from tradecore_sweep.trialling import run_trial

Item = TypeVar("Item")


def spin(count: int) -> float:
    """Processor seconds of a loop that needs nothing but a processor."""
    began, total = time.process_time(), 0
    for number in range(count):
        total += number
    return time.process_time() - began


def limit() -> float:
    """How much faster two processes are than one where nothing is shared."""
    counts = [5_000_000] * 8
    one, _ = measure(Serial(), spin, counts)
    two, _ = measure(Processes(2), spin, counts)
    return one / two


def timed(trial: Trial) -> float:
    """Processor seconds of a trial."""
    began = time.process_time()
    run_trial(trial)
    return time.process_time() - began


def write_bars(file: Path, count: int) -> None:
    """One-minute bars around the clock, a walk in cents."""
    chance = random.Random(1)
    closes, price = array("d"), 100_00
    for _ in range(count):
        price = max(price + chance.randint(-5, 5), 100)
        closes.append(price / 100)
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    minute = dt.timedelta(minutes=1)
    opens = array("d", [closes[0], *closes[:-1]])
    columns = {
        "symbol": pa.array(["AAA"] * count),
        "timestamp": pa.array([start + minute * place for place in range(count)], pa.timestamp("us", tz="UTC")),
        "open": pa.array(opens),
        "high": pa.array(map(max, opens, closes)),
        "low": pa.array(map(min, opens, closes)),
        "close": pa.array(closes),
        "volume": pa.array([1_000_000] * count),
    }
    parquet.write_table(pa.table(columns), file)


def measure(executor: Executor, work: Callable[[Item], float], items: list[Item]) -> tuple[float, float]:
    """Wall seconds, and processor seconds of the work."""
    began = time.perf_counter()
    worked = sum(executor.map_unordered(work, items))
    return time.perf_counter() - began, worked


def main() -> None:
    """Run the same trials in one process and in two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--trials", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bars.parquet"
        write_bars(file, arguments.bars)
        grid = Grid({"fast": list(range(10, 10 + arguments.trials)), "slow": [100], "quantity": [1]})
        study = Study("sma", grid, file, market=attrs.evolve(MarketModel(), hours=Hours.ANY))
        inputs = inputs_of(study)
        trials = [study.trial(parameters, Window(), inputs) for parameters in grid.combinations()]
        timed(trials[0])
        before = limit()
        one, one_work = measure(Serial(), timed, trials)
        two, two_work = measure(Processes(2), timed, trials)
        after = limit()
    rows = [
        ["processes", "wall, s", "processor, s", "bars/s"],
        ["1", f"{one:.2f}", f"{one_work:.2f}", f"{arguments.bars * len(trials) / one:,.0f}"],
        ["2", f"{two:.2f}", f"{two_work:.2f}", f"{arguments.bars * len(trials) / two:,.0f}"],
        ["ratio", f"{one / two:.2f}", f"{one_work / two_work:.2f}", ""],
        ["limit of the machine", f"{before:.2f}, {after:.2f}", "", ""],
    ]
    print(describe("pyarrow"))
    table(f"Sweep: {len(trials)} trials of {arguments.bars:,} bars", rows)


if __name__ == "__main__":
    main()
