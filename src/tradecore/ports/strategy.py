"""A strategy, as a need: it sees bars and positions, and proposes; the domain decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.values import Bar, OrderType, Side


@attrs.frozen
class Idea:
    """What a strategy proposes at a bar. `quantity` in units; `limit_price` only for limit orders."""

    symbol: str
    side: Side
    quantity: Decimal
    reasoning: str
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    confidence: Decimal | None = None


class Portfolio(Protocol):
    """What a strategy may know of its own standing."""

    def position(self, symbol: str) -> Decimal:
        """Signed quantity that this strategy holds."""

    def working(self, symbol: str) -> Decimal:
        """Signed quantity of this strategy's orders that are not finished."""


class Strategy(Protocol):
    """Rules that turn bars into ideas. No clock, no chance, no I/O: the same bars, the same ideas."""

    @property
    def name(self) -> str:
        """The strategy's name on its decisions and trades."""

    @property
    def warmup_bars(self) -> int:
        """How many earlier bars per symbol it wants to see before it may be asked for ideas."""

    def observe(self, bar: Bar) -> None:
        """Take in a bar without proposing: warm-up and bars from outside trading hours."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """Take in a bar and propose."""
