"""Small markets as files."""

from __future__ import annotations

from pathlib import Path

from tradecore.domain.values import Bar
from tradecore_bars import seeded_bars

HEADER = "symbol,timestamp,open,high,low,close,volume\n"
SYMBOLS = ("AAA", "BBB")


def some_bars(minutes: int, symbols: tuple[str, ...] = SYMBOLS) -> list[Bar]:
    """The first minutes of the seeded market: averages of two and five bars cross often in it."""
    return list(seeded_bars(symbols, 1, 7))[: minutes * len(symbols)]


def csv_text(bars: list[Bar]) -> str:
    """Bars as CSV."""
    return HEADER + "".join(
        f"{b.symbol},{b.start.isoformat()},{b.open},{b.high},{b.low},{b.close},{b.volume}\n" for b in bars
    )


def write_csv(folder: Path, minutes: int, name: str = "bars.csv", symbols: tuple[str, ...] = SYMBOLS) -> str:
    """Write the first minutes of the seeded market; returns the file's name."""
    (folder / name).write_text(csv_text(some_bars(minutes, symbols)), encoding="utf-8")
    return name
