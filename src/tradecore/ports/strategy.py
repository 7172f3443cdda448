"""A strategy, as a need: it sees bars and positions, and proposes; the domain decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, Purpose, Side, TimeInForce


@attrs.frozen
class Idea:
    """What a strategy proposes at a bar: every term that an order can have.

    `quantity` in units, or None with an amount of money in `notional`; prices in account currency, `trail_percent` in
    percent. Which of them go together is what `tradecore.domain.terms` says.
    """

    symbol: str
    side: Side
    quantity: Decimal | None
    reasoning: str
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    confidence: Decimal | None = None
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    purpose: Purpose = Purpose.TRADE
    exits: ExitPlan | None = None


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
