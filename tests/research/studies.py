"""A small study: a year and a half of seeded daily bars in a file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.research.curves import sessions
from tradecore_sweep import Grid, Study

FAST, SLOW = [2, 3, 5, 8], [5, 10]


def write_bars(file: Path, seed: int = 1, count: int = 380) -> None:
    """Daily bars of two symbols, to the cent."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    chance = random.Random(seed)
    rows: list[dict[str, object]] = []
    for symbol in ("AAA", "BBB"):
        price = 10_000
        for at in sessions(count):
            close = max(price + chance.randint(-150, 155), 100)
            low, high = min(price, close) - chance.randint(0, 50), max(price, close) + chance.randint(0, 50)
            cents = {"open": price, "high": high, "low": low, "close": close}
            prices = {name: value / 100 for name, value in cents.items()}
            rows.append({"symbol": symbol, "date": at.date(), **prices, "volume": 1_000_000})
            price = close
    parquet.write_table(pa.Table.from_pylist(rows), file)


def study(folder: Path, seed: int = 0, sample: int | None = None) -> Study:
    """Eight combinations of a crossover, of which the strategy refuses two: 8 over 5, and 5 over 5."""
    file = folder / "bars.parquet"
    if not file.exists():
        write_bars(file)
    return Study("sma", Grid({"fast": FAST, "slow": SLOW, "quantity": [50]}, sample, seed), file)
