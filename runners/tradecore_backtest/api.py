"""`backtest`: one call from bars and a strategy to a result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from decimal import Decimal

from tradecore.domain.limits import Limits
from tradecore.domain.values import Bar
from tradecore.ports.strategy import Strategy
from tradecore_backtest.market import MarketModel
from tradecore_backtest.result import BacktestResult

def backtest(
    bars: str | os.PathLike[str] | Iterable[Bar],
    strategy: Strategy | str,
    symbols: Sequence[str] | None = None,
    cash: Decimal | int | str = 100_000,
    *,
    market: MarketModel = MarketModel(),
    limits: Limits = Limits(),
    journal: str = "memory:",
    account: str = "main",
    warmup: bool = False,
) -> BacktestResult:
    ...
