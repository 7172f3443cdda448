"""Figures of a run from its equity curve and trades: pure, in the standard library, each formula with its source.

Ratios are doubles, money is `Decimal`. What a formula cannot say is `NotDefined`, with the reason.
"""

from __future__ import annotations

from tradecore.metrics.curve import Curve, Sample
from tradecore.metrics.dealing import ClosedTrade, Dealt, TradeFigures
from tradecore.metrics.drawdown import Drawdown
from tradecore.metrics.figure import Figure, NotDefined, Unit, Value
from tradecore.metrics.overfitting import deflated_sharpe, overfitting_probability, probabilistic_sharpe
from tradecore.metrics.report import Report, measure
from tradecore.metrics.year import Market, market_of

__all__ = [
    "ClosedTrade",
    "Curve",
    "Dealt",
    "Drawdown",
    "Figure",
    "Market",
    "NotDefined",
    "Report",
    "Sample",
    "TradeFigures",
    "Unit",
    "Value",
    "deflated_sharpe",
    "market_of",
    "measure",
    "overfitting_probability",
    "probabilistic_sharpe",
]
