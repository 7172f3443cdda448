"""What a measurement was made on: printed above every table."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version


def describe(*packages: str) -> str:
    """Machine and versions on one line."""
    parts = [f"{os.cpu_count()} cores", platform.machine(), f"Python {platform.python_version()}"]
    parts.append(f"SQLite {sqlite3.sqlite_version}")
    parts += [f"{name} {version(name)}" for name in packages]
    return " · ".join(parts)


def in_turn(rounds: int, *works: Callable[[], float]) -> list[float]:
    """Medians of several works, run in turn so that a drifting machine hits all alike; the first round is a warm-up."""
    results: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for result, work in zip(results, works, strict=True):
            figure = work()
            if number:
                result.append(figure)
    return [statistics.median(result) for result in results]


def table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a Markdown table."""
    sys.stdout.write(f"\n### {title}\n\n")
    for number, row in enumerate(rows):
        sys.stdout.write("| " + " | ".join(row) + " |\n")
        if number == 0:
            sys.stdout.write("|" + "---|" * len(row) + "\n")
