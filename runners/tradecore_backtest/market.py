"""The market that a backtest assumes: when and at what price orders fill, and what everything costs."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import attrs

from tradecore.errors import InputError


class FillAt(enum.StrEnum):
    """Which price of the bar after the decision a market order gets."""

    OPEN = "open"
    CLOSE = "close"


class Hours(enum.StrEnum):
    """Which bars count: those of New York's regular session (crypto: all), or all."""

    REGULAR = "regular"
    ANY = "any"


@attrs.frozen
class CorporateAction:
    """What happens to a symbol before the first bar of `date` (New York).

    `ratio` is how many shares one becomes (1: no split), `dividend` cash per share in account currency, as of the
    shares before the split.
    """

    symbol: str
    date: dt.date
    ratio: Decimal = Decimal(1)
    dividend: Decimal = Decimal(0)


@attrs.frozen
class MarketModel:
    """Assumptions; the defaults are those of the embedded exchange, so the same bars give the same fills.

    `slippage_bps` (hundredths of a percent) and `slippage` (currency per unit) make market and stop orders worse, to a
    whole price step away from the trader; limit orders never trade beyond their limit. `volume_share` limits what all
    orders together take of one bar's volume (None: no limit). Fees: per unit, per order (with its first fill), and in
    hundredths of a percent of the value; the sum rounded half up to a cent when `fee_cents`. `borrow_rate` is per year
    (0.03: 3 %) on the value of what is short, charged per calendar day at the day's first bar. `multiplier` times
    equity may be held; `shorting` allows positions below zero.
    """

    fill_at: FillAt = FillAt.OPEN
    hours: Hours = Hours.REGULAR
    slippage_bps: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    volume_share: Decimal | None = None
    fee_per_unit: Decimal = Decimal(0)
    fee_per_order: Decimal = Decimal(0)
    fee_bps: Decimal = Decimal(0)
    fee_cents: bool = False
    borrow_rate: Decimal = Decimal(0)
    multiplier: int = 4
    shorting: bool = True
    actions: tuple[CorporateAction, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Raises `InputError` for what cannot be meant."""
        for field in ("slippage_bps", "slippage", "fee_per_unit", "fee_per_order", "fee_bps", "borrow_rate"):
            number = getattr(self, field)
            if not (isinstance(number, Decimal) and number.is_finite() and number >= 0):
                raise InputError(f"market.{field}", number, "a Decimal of zero or more")
        share = self.volume_share
        if share is not None and not 0 < share <= 1:
            raise InputError("market.volume_share", share, "a share above 0, at most 1, or None")
        if self.multiplier < 1:
            raise InputError("market.multiplier", self.multiplier, "1 or more")
