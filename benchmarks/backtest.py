"""How fast a backtest is: `python benchmarks/backtest.py [--bars 1000000] [--long] [--ledger] [--stream N ...]`.

The same seeded minute bars for all: a crossover of averages (an order in about 70 bars), an order every five bars, and
a strategy that does nothing. Twice as many orders show whether the cost grows with them, ten times as many bars whether
a bar costs the same. CPU time stands beside the time that passed: the machine may be shared.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from machine import describe, table
from pyarrow import parquet

from tradecore.domain.limits import Limits
from tradecore.domain.nanos import NANO
from tradecore.domain.values import Bar, Side
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.strategies.glancing import Glancing
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.columns import Columns
from tradecore_backtest.desk import Desk
from tradecore_backtest.market import Hours, MarketModel
from tradecore_backtest.parquet import open_parquet
from tradecore_backtest.pocket import Pocket
from tradecore_backtest.run import Run, Terms
from tradecore_backtest.table import BarTable

_CENT = NANO // 100
_MINUTE = 60 * NANO
_START = 1_577_836_800 * NANO
_GROUP = 500_000


class Nothing(Glancing):
    """Never asked."""

    name = "nothing"
    warmup_bars = 0

    def glance(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        """Nothing to do."""
        return False


class Often(Glancing):
    """In and out, an order every `every` bars."""

    name = "often"
    warmup_bars = 0

    def __init__(self, every: int = 5) -> None:
        self._every, self._seen, self._quantity = every, 0, Decimal(10)

    def glance(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        """Count."""
        self._seen += 1
        return not self._seen % self._every

    def propose(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """The other side of what is held."""
        side = Side.SELL if portfolio.position(bar.symbol) else Side.BUY
        return (Idea(bar.symbol, side, self._quantity, "every few bars"),)


STRATEGIES = {"nothing": Nothing, "sma": lambda: SmaCrossover(20, 100, 10), "often": Often}


def market(count: int) -> BarTable:
    """A walk in whole cents, the same for every run."""
    return BarTable({"AAA": walk(count)}, bar_ns=_MINUTE)


def walk(count: int) -> Columns:
    """Its columns."""
    chance, price = random.Random(7), 10_000
    columns = [array("q") for _ in range(5)]
    for _ in range(count):
        before, price = price, max(500, price + chance.randint(-10, 10))
        high, low = max(before, price) + chance.randint(0, 3), min(before, price) - chance.randint(0, 3)
        for column, number in zip(columns, (before, high, low, price, 100_000), strict=True):
            column.append(number * _CENT)
    starts = array("q", range(_START, _START + count * _MINUTE, _MINUTE))
    return Columns(starts, *columns)


def written(count: int, path: Path) -> Path:
    """The same market as a file, written piece by piece."""
    chance, price, at = random.Random(7), 10_000, _START // 1000
    kinds = {"symbol": pa.string(), "timestamp": pa.timestamp("us", tz="UTC")}
    schema = pa.schema({**kinds, **dict.fromkeys(("open", "high", "low", "close", "volume"), pa.float64())})
    with parquet.ParquetWriter(path, schema) as file:
        for first in range(0, count, _GROUP):
            size = min(_GROUP, count - first)
            columns = [array("d") for _ in range(4)]
            for _ in range(size):
                before, price = price, max(500, price + chance.randint(-10, 10))
                high, low = max(before, price) + chance.randint(0, 3), min(before, price) - chance.randint(0, 3)
                for column, number in zip(columns, (before, high, low, price), strict=True):
                    column.append(number / 100)
            begin, step = at + first * (_MINUTE // 1000), _MINUTE // 1000
            times = pa.array(range(begin, begin + size * step, step), pa.int64()).cast(kinds["timestamp"])
            rows = [["AAA"] * size, times, *columns, [100_000.0] * size]
            file.write_table(pa.table(dict(zip(schema.names, rows, strict=True)), schema))
    return path


def measure(name: str, count: int, *, with_ledger: bool, file: str | None = None) -> list[str]:
    """One run: figures as text. From a file, reading it is counted too."""
    strategy = STRATEGIES[name]()
    opening = time.process_time()
    bars = open_parquet(Path(file)) if file else market(count)
    opening = time.process_time() - opening if file else 0.0
    pocket = Pocket(strategy.name, "main")
    terms = Terms(Decimal(10_000_000), Limits(), MarketModel(hours=Hours.ANY), _MINUTE)
    run = Run(bars, strategy, pocket, terms)
    wall, cpu = time.perf_counter(), time.process_time()
    run.go()
    cpu, wall = time.process_time() - cpu + opening, time.perf_counter() - wall
    orders, peak = run.venue.tickets, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    ledger = ""
    if with_ledger:
        began = time.process_time()
        desk = Desk("main", "0a1b2c3d")
        pocket.play(DeskBooks(desk, "main", strategy.name))
        ledger = f"{(time.process_time() - began) / max(1, orders) * 1e6:.0f}"
    label = f"{name}, from a file" if file else name
    return [label, f"{count:,}", f"{orders:,}", f"{wall:.2f}", f"{cpu:.2f}", f"{count / cpu:,.0f}", f"{peak}", ledger]


def main() -> None:
    """Each measurement in a process of its own, so that memory is its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--long", action="store_true", help="ten times as many bars, too")
    parser.add_argument("--ledger", action="store_true", help="also have the domain decide every step")
    parser.add_argument("--stream", nargs="*", type=int, default=[], help="numbers of bars that are read from a file")
    parser.add_argument("--file", help="with --one: where the bars are")
    parser.add_argument("--one", nargs=2, metavar=("STRATEGY", "BARS"), help="one measurement, as a line")
    told = parser.parse_args()
    if told.one:
        figures = measure(told.one[0], int(told.one[1]), with_ledger=told.ledger, file=told.file)
        sys.stdout.write("|".join(figures))
        return
    sys.stdout.write(describe("attrs", "msgspec") + "\n")
    wanted = (
        []
        if told.stream
        else [("nothing", told.bars), ("sma", told.bars // 100), ("sma", told.bars), ("often", told.bars)]
    )
    wanted += [] if told.stream else [("often", 2 * told.bars)]
    wanted += [("sma", 10 * told.bars)] if told.long else []
    rows = [["strategy", "bars", "orders", "wall s", "CPU s", "bars per CPU s", "peak MB", "ledger, µs per order"]]
    for name, count in wanted:
        command = [sys.executable, __file__, "--one", name, str(count), *(["--ledger"] if told.ledger else [])]
        rows.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("|"))
    for count in told.stream:
        with tempfile.TemporaryDirectory() as folder:
            file = str(written(count, Path(folder) / "bars.parquet"))
            for name in ("nothing", "sma"):
                command = [sys.executable, __file__, "--one", name, str(count), "--file", file]
                rows.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("|"))
    table("Backtests over seeded minute bars", rows)


if __name__ == "__main__":
    main()
