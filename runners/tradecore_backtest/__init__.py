"""Backtests: the strategy that will run, on a historical clock, through the same aggregates, gate and outbox states."""

from tradecore_backtest.api import backtest, open_bars
from tradecore_backtest.factors import read_factors
from tradecore_backtest.market import CorporateAction, FillAt, Hours, MarketModel
from tradecore_backtest.parquet import read_parquet, table_of_arrow
from tradecore_backtest.result import BacktestConfig, BacktestResult, Provenance
from tradecore_backtest.rows import EquityCurve, FillRow, OrderRow, TradeRow
from tradecore_backtest.table import BarTable, table_of

__all__ = [
    "BacktestConfig",
    "BacktestResult",
    "BarTable",
    "CorporateAction",
    "EquityCurve",
    "FillAt",
    "FillRow",
    "Hours",
    "MarketModel",
    "OrderRow",
    "Provenance",
    "TradeRow",
    "backtest",
    "open_bars",
    "read_factors",
    "read_parquet",
    "table_of",
    "table_of_arrow",
]
