"""What a runner shows in a terminal: progress while it works, a table at the end."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from tradecore.runner.summary import Summary

_REFRESH_S = 0.1


class Screen:
    """Progress on standard error, so that standard output holds only results."""

    def __init__(self) -> None:
        self._bar = RichProgress(
            TextColumn("[bold]tradecore"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._next = 0.0

    def __enter__(self) -> Screen:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def update(self, done: int, total: int | None, message: str) -> None:
        """Show the state of the work, at most ten times a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REFRESH_S
            self._bar.update(self._task, completed=done, total=total, description=message)


def show_summary(summary: Summary, reason: str, ledger: str) -> None:
    """Print the summary to standard output."""
    table = Table(title=f"tradecore: {reason}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("orders", _counts(summary.orders))
    table.add_row("fills", str(summary.fills))
    table.add_row("trades", _counts(summary.trades))
    table.add_row("open orders", str(summary.open_orders))
    for name, amount in (
        ("realised P&L", summary.realised_pnl),
        ("unrealised P&L", summary.unrealised_pnl),
        ("fees", summary.fees),
        ("cash", summary.cash),
        ("positions", summary.position_value),
        ("equity", summary.equity),
    ):
        table.add_row(name, f"{amount:,.2f} {summary.currency}")
    agree = "agree on every order, fill, position and on cash"
    table.add_row("ledger and broker", agree if not summary.differences else "DISAGREE")
    console = Console(soft_wrap=True)
    console.print(table)
    for difference in summary.differences:
        console.print(f"  {difference}")
    console.print(f"ledger: {ledger}", highlight=False)


def _counts(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    return f"{total} ({', '.join(f'{n} {word}' for word, n in sorted(counts.items()))})" if total else "0"
