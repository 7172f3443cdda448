"""The strategy that never proposes: its runner only delivers what others record."""

from __future__ import annotations

from tradecore.domain.values import Bar
from tradecore.ports.strategy import Idea, Portfolio


class NoStrategy:
    """Proposes nothing."""

    name = "none"
    warmup_bars = 0

    def observe(self, bar: Bar) -> None:
        """Ignore the bar."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Propose nothing."""
        return ()
