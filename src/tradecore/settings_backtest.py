"""`[backtest]`: what a backtest assumes of its market; see `tradecore_backtest.market.MarketModel` for the meanings."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class BacktestSettings(BaseModel):
    """`[backtest]`: cash in account currency, and how orders fill. `factors` is a file of splits and dividends,
    `quotes` one of what orders trade against, `sheet` a tear sheet to write, `tables` a directory for figures and
    tables. Trades and quotes make bars of `bar_seconds`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cash: Decimal = Field(Decimal(100_000), gt=0)
    fill_at: Literal["open", "close"] = "open"
    hours: Literal["regular", "any"] = "regular"
    slippage_bps: Decimal = Field(Decimal(0), ge=0)
    slippage: Decimal = Field(Decimal(0), ge=0)
    volume_share: Decimal | None = Field(None, gt=0, le=1)
    fee_per_unit: Decimal = Field(Decimal(0), ge=0)
    fee_per_order: Decimal = Field(Decimal(0), ge=0)
    fee_bps: Decimal = Field(Decimal(0), ge=0)
    fee_cents: bool = False
    borrow_rate: Decimal = Field(Decimal(0), ge=0)
    multiplier: int = Field(4, ge=1)
    shorting: bool = True
    factors: str = ""
    quotes: str = ""
    bar_seconds: int = Field(60, ge=1, le=86_400)
    sheet: str = ""
    tables: str = ""
