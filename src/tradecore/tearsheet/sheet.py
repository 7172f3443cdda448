"""What a tear sheet shows, wherever it came from: a backtest, a walk-forward, or a live ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from tradecore.metrics import ClosedTrade, Curve, Dealt, Market, Report, measure

Prices = Mapping[str, Sequence[tuple[dt.datetime, Decimal]]]
"""Closing prices by symbol, by time: what the charts of the trades are drawn on."""


@attrs.frozen
class Sheet:
    """The content of a tear sheet. `config` and `provenance` are shown as they are, `notes` at the top."""

    title: str
    currency: str
    curve: Curve
    trades: tuple[ClosedTrade, ...] = ()
    dealt: tuple[Dealt, ...] = ()
    prices: Prices = attrs.field(factory=dict)
    market: Market = Market.US_EQUITIES
    benchmark: Curve | None = None
    risk_free: float = 0.0
    config: Mapping[str, str] = attrs.field(factory=dict)
    config_hash: str | None = None
    provenance: Mapping[str, str] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()

    def report(self) -> Report:
        """Its figures."""
        return measure(
            self.curve,
            self.trades,
            self.dealt,
            market=self.market,
            benchmark=self.benchmark,
            risk_free=self.risk_free,
        )
