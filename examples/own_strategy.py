"""A strategy of your own, run against the embedded exchange from Python, without installing it as a plugin.

Run it with `python examples/own_strategy.py`; it uses a ledger in memory and leaves nothing behind.
"""

from __future__ import annotations

from decimal import Decimal

import anyio

from tradecore.domain.values import Bar, Side
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.runner.summary import summarise
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore_daemon.daemon import Daemon


class BuyAndHold:
    """Buys ten of everything at the first bar."""

    name = "buy-and-hold"
    warmup_bars = 0

    def observe(self, bar: Bar) -> None:
        """Nothing to learn from the past."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Buy once."""
        if portfolio.position(bar.symbol) or portfolio.working(bar.symbol):
            return ()
        return (Idea(bar.symbol, Side.BUY, Decimal(10), "the first bar"),)


class Quiet:
    """Shows no progress."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Say nothing."""


async def main() -> None:
    """Replay one day and print what it came to."""
    settings = load_settings(None, {"ledger": "memory:", "market_data": {"days": 1}})
    async with open_session(settings, strategy=BuyAndHold()) as session:
        await Daemon().run(session, Quiet())
        summary = await summarise(session)
        print(summary.orders, f"equity {summary.equity:.2f}", "agree" if not summary.differences else "DISAGREE")


if __name__ == "__main__":
    anyio.run(main)
