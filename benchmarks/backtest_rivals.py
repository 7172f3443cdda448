"""The same crossover over the same bars here and elsewhere: `python benchmarks/backtest_rivals.py --python PATH`.

PATH is an interpreter that has some of `backtesting`, `vectorbt` and `backtrader`; one that it does not have is left
out. Each engine runs in a process of its own, over bars that it has in memory in the shape it likes best; CPU seconds
of the run alone. What the others compile at their first call is not counted. Every order here is an order with its
gate, fills and trade; vectorbt has none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path

from machine import describe, table

from backtest import measure, walk
from tradecore.domain.nanos import NANO

_ENGINES = {"backtesting": 1, "vectorbt": 1, "backtrader": 10}
"""By which the number of bars is divided: some take minutes for a million."""

_RIVAL = """
import json, sys, time
from importlib.metadata import version
import numpy as np, pandas as pd

name, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = np.fromfile(path, dtype="f8").reshape(4, -1)[:, :count]
index = pd.date_range("2020-01-01", periods=count, freq="min")
bars = pd.DataFrame(dict(zip(("Open", "High", "Low", "Close"), rows)), index=index).assign(Volume=100_000.0)


def backtesting():
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover

    def mean(values, length):
        return pd.Series(values).rolling(length).mean()

    class Cross(Strategy):
        def init(self):
            self.fast, self.slow = (self.I(mean, self.data.Close, length) for length in (20, 100))

        def next(self):
            if crossover(self.fast, self.slow):
                self.buy(size=10)
            elif crossover(self.slow, self.fast) and self.position:
                self.position.close()

    test = Backtest(bars, Cross, cash=10_000_000, commission=0)
    begun = time.process_time()
    told = test.run()
    return time.process_time() - begun, 2 * int(told["# Trades"])


def vectorbt():
    import vectorbt as vbt

    def run(close):
        fast, slow = (vbt.MA.run(close, length) for length in (20, 100))
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        return vbt.Portfolio.from_signals(close, entries, exits, size=10, init_cash=10_000_000, freq="1min")

    run(bars.Close.iloc[:1000]).total_return()
    begun = time.process_time()
    held = run(bars.Close)
    held.total_return()
    return time.process_time() - begun, int(held.orders.count())


def backtrader():
    import backtrader as bt

    class Cross(bt.Strategy):
        made = 0

        def __init__(self):
            fast, slow = (bt.ind.SMA(self.data.close, period=length) for length in (20, 100))
            self.cross = bt.ind.CrossOver(fast, slow)

        def next(self):
            if self.cross > 0:
                self.buy(size=10)
            elif self.cross < 0 and self.position:
                self.close()
            else:
                return
            Cross.made += 1

    engine = bt.Cerebro(stdstats=False)
    engine.adddata(bt.feeds.PandasData(dataname=bars))
    engine.addstrategy(Cross)
    engine.broker.setcash(10_000_000)
    begun = time.process_time()
    engine.run()
    return time.process_time() - begun, Cross.made


seconds, orders = globals()[name]()
print(json.dumps([version(name), seconds, orders]))
"""


def written(count: int, path: Path) -> None:
    """The bars of every engine: opens, highs, lows and closes, one behind the other, as doubles."""
    columns = walk(count)
    with path.open("wb") as file:
        for column in (columns.opens, columns.highs, columns.lows, columns.closes):
            for first in range(0, count, 100_000):
                array("d", (number / NANO for number in column[first : first + 100_000])).tofile(file)


def main() -> None:
    """One row an engine, and how many times as many bars a second of CPU are run over here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--python", required=True, help="an interpreter that has the other engines")
    told = parser.parse_args()
    sys.stdout.write(describe("attrs", "msgspec") + "\n")
    ours = measure("sma", told.bars, with_ledger=False)
    rate = float(ours[5].replace(",", ""))
    rows = [["engine", "bars", "orders", "CPU s", "bars per CPU s", "tradecore is faster by"]]
    rows.append(["tradecore", ours[1], ours[2], ours[4], ours[5], ""])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars"
        written(told.bars, path)
        for name, part in _ENGINES.items():
            count = told.bars // part
            command = [told.python, "-c", _RIVAL, name, str(path), str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                rows.append([name, "", "", "", "", done.stderr.strip().rpartition("\n")[2]])
                continue
            release, seconds, orders = json.loads(done.stdout.strip().rpartition("\n")[2])
            times = f"{rate * seconds / count:.1f} times"
            figures = [f"{count:,}", f"{orders:,}", f"{seconds:.2f}", f"{count / seconds:,.0f}", times]
            rows.append([f"{name} {release}", *figures])
    table("SMA(20/100) over seeded minute bars", rows)


if __name__ == "__main__":
    main()
