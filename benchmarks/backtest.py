"""How fast a backtest is: `python benchmarks/backtest.py [--bars 1000000] [--long] [--ledger]`.

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
import time
from array import array
from decimal import Decimal

from machine import describe, table

from tradecore.domain.limits import Limits
from tradecore.domain.nanos import NANO
from tradecore.domain.values import Bar, Side
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.strategies.glancing import Glancing
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.columns import BarTable, Columns
from tradecore_backtest.desk import Desk
from tradecore_backtest.market import Hours, MarketModel
from tradecore_backtest.pocket import Pocket
from tradecore_backtest.run import Run, Terms

_CENT = NANO // 100
_MINUTE = 60 * NANO
_START = 1_577_836_800 * NANO


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
    chance, price = random.Random(7), 10_000
    columns = [array("q") for _ in range(5)]
    for _ in range(count):
        before, price = price, max(500, price + chance.randint(-10, 10))
        high, low = max(before, price) + chance.randint(0, 3), min(before, price) - chance.randint(0, 3)
        for column, number in zip(columns, (before, high, low, price, 100_000), strict=True):
            column.append(number * _CENT)
    starts = array("q", range(_START, _START + count * _MINUTE, _MINUTE))
    return BarTable({"AAA": Columns(starts, *columns)}, bar_ns=_MINUTE)


def measure(name: str, count: int, *, with_ledger: bool) -> list[str]:
    """One run: figures as text."""
    bars, strategy = market(count), STRATEGIES[name]()
    pocket = Pocket(strategy.name, "main")
    terms = Terms(Decimal(10_000_000), Limits(), MarketModel(hours=Hours.ANY), _MINUTE)
    run = Run(bars, strategy, pocket, terms)
    wall, cpu = time.perf_counter(), time.process_time()
    run.go()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    orders, peak = run.venue.tickets, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    ledger = ""
    if with_ledger:
        began = time.process_time()
        desk = Desk("main", "0a1b2c3d")
        pocket.play(DeskBooks(desk, "main", strategy.name))
        ledger = f"{(time.process_time() - began) / max(1, orders) * 1e6:.0f}"
    return [name, f"{count:,}", f"{orders:,}", f"{wall:.2f}", f"{cpu:.2f}", f"{count / cpu:,.0f}", f"{peak}", ledger]


def main() -> None:
    """Each measurement in a process of its own, so that memory is its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--long", action="store_true", help="ten times as many bars, too")
    parser.add_argument("--ledger", action="store_true", help="also have the domain decide every step")
    parser.add_argument("--one", nargs=2, metavar=("STRATEGY", "BARS"), help="one measurement, as a line")
    told = parser.parse_args()
    if told.one:
        sys.stdout.write("|".join(measure(told.one[0], int(told.one[1]), with_ledger=told.ledger)))
        return
    sys.stdout.write(describe("attrs", "msgspec") + "\n")
    wanted = [("nothing", told.bars), ("sma", told.bars // 100), ("sma", told.bars), ("often", told.bars)]
    wanted += [("often", 2 * told.bars)] + ([("sma", 10 * told.bars)] if told.long else [])
    rows = [["strategy", "bars", "orders", "wall s", "CPU s", "bars per CPU s", "peak MB", "ledger, µs per order"]]
    for name, count in wanted:
        command = [sys.executable, __file__, "--one", name, str(count), *(["--ledger"] if told.ledger else [])]
        rows.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("|"))
    table("Backtests over seeded minute bars", rows)


if __name__ == "__main__":
    main()
