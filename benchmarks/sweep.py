"""What a second process brings to a sweep: `python benchmarks/sweep.py [--bars N] [--trials N]`.

Wall time tells it only on a machine that does nothing else, and no more than that gives to two processes that share
nothing: a loop of additions is measured before and after. What the sweep itself is answerable for is processor time:
that of all trials in one process over that of the busier of two, from its first instruction on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
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
from tradecore_sweep.sharing import shared
from tradecore_sweep.study import Trial, Window
from tradecore_sweep.sweeping import inputs_of
from tradecore_sweep.trialling import run_trial
from tradecore_sweep.windowed import table_of

Item = TypeVar("Item")
Result = TypeVar("Result")
Worked = tuple[int, float, float]


def spin(count: int) -> float:
    """Processor seconds of a loop that needs nothing but a processor."""
    began, total = time.process_time(), 0
    for number in range(count):
        total += number
    return time.process_time() - began


def timed(trial: Trial) -> Worked:
    """Which process ran a trial, for how long, and how long that process has worked by now."""
    began = time.process_time()
    run_trial(trial)
    now = time.process_time()
    return os.getpid(), now - began, now


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


def limit() -> float:
    """How much faster two processes are than one where nothing is shared."""
    counts = [5_000_000] * 8
    return wall(Serial(), spin, counts)[0] / wall(Processes(2), spin, counts)[0]


def wall(executor: Executor, work: Callable[[Item], Result], items: list[Item]) -> tuple[float, list[Result]]:
    """Wall seconds, and the results."""
    began = time.perf_counter()
    found = list(executor.map_unordered(work, items))
    return time.perf_counter() - began, found


def main() -> None:
    """Run the same trials in one process and in two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=200_000)
    parser.add_argument("--trials", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bars.parquet"
        write_bars(file, arguments.bars)
        grid = Grid({"fast": list(range(10, 10 + arguments.trials)), "slow": [100], "quantity": [1]})
        study = Study("sma", grid, file, market=attrs.evolve(MarketModel(), hours=Hours.ANY))
        inputs = inputs_of(study)
        with shared(table_of(str(file), None), Path(folder)) as place:
            plain = [study.trial(parameters, Window(), inputs) for parameters in grid.combinations()]
            trials = [attrs.evolve(trial, shared=place) for trial in plain]
            timed(trials[0])
            before = limit()
            one, alone = wall(Serial(), timed, trials)
            two, together = wall(Processes(2), timed, trials)
            after = limit()
    one_work = sum(worked for _, worked, _ in alone)
    busy = {process: max(now for other, _, now in together if other == process) for process, _, _ in together}
    count = arguments.bars * len(trials)
    rows = [
        ["processes", "wall, s", "processor, s", "bars per processor s"],
        ["1", f"{one:.2f}", f"{one_work:.2f}", f"{count / one_work:,.0f}"],
        [
            "2",
            f"{two:.2f}",
            " + ".join(f"{seconds:.2f}" for seconds in busy.values()),
            f"{count / sum(busy.values()):,.0f}",
        ],
        ["ratio", f"{one / two:.2f}", f"{one_work / max(busy.values()):.2f}", ""],
        ["limit of the machine", f"{before:.2f}, {after:.2f}", "", ""],
    ]
    print(describe("pyarrow"), "· load " + ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    table(f"Sweep: {len(trials)} trials of {arguments.bars:,} bars", rows)


if __name__ == "__main__":
    main()
