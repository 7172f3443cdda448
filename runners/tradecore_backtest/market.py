"""The market that a backtest assumes: when and at what price orders fill, and what everything costs."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal, InvalidOperation

import attrs

from tradecore.domain.values import parse_word
from tradecore.errors import InputError


class FillAt(enum.StrEnum):
    """Which price of the bar after the decision a market order gets."""

    OPEN = "open"
    CLOSE = "close"


class Hours(enum.StrEnum):
    """Which bars count: those of New York's regular session (crypto: all), or all."""

    REGULAR = "regular"
    ANY = "any"


def _fill_at(raw: FillAt | str) -> FillAt:
    return parse_word("market.fill_at", raw, FillAt)


def _hours(raw: Hours | str) -> Hours:
    return parse_word("market.hours", raw, Hours)


def _exact(raw: Decimal | int | str) -> Decimal:
    return _decimal(raw)


def _share(raw: Decimal | int | str | None) -> Decimal | None:
    return None if raw is None else _decimal(raw)


def _decimal(raw: object) -> Decimal:
    """Whole numbers and text as they are written; a double is not what somebody wrote."""
    if isinstance(raw, Decimal | int | str) and not isinstance(raw, bool):
        try:
            return Decimal(raw)
        except InvalidOperation:
            pass
    raise InputError("market", raw, "a Decimal, a whole number, or a number as text")


_ZERO = Decimal(0)


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

    fill_at: FillAt = attrs.field(default=FillAt.OPEN, converter=_fill_at)
    hours: Hours = attrs.field(default=Hours.REGULAR, converter=_hours)
    slippage_bps: Decimal = attrs.field(default=_ZERO, converter=_exact)
    slippage: Decimal = attrs.field(default=_ZERO, converter=_exact)
    volume_share: Decimal | None = attrs.field(default=None, converter=_share)
    fee_per_unit: Decimal = attrs.field(default=_ZERO, converter=_exact)
    fee_per_order: Decimal = attrs.field(default=_ZERO, converter=_exact)
    fee_bps: Decimal = attrs.field(default=_ZERO, converter=_exact)
    fee_cents: bool = False
    borrow_rate: Decimal = attrs.field(default=_ZERO, converter=_exact)
    multiplier: int = 4
    shorting: bool = True
    actions: tuple[CorporateAction, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Raises `InputError` for what cannot be meant."""
        for field in ("slippage_bps", "slippage", "fee_per_unit", "fee_per_order", "fee_bps", "borrow_rate"):
            number = getattr(self, field)
            if not (number.is_finite() and number >= 0):
                raise InputError(f"market.{field}", number, "a Decimal of zero or more")
        share = self.volume_share
        if share is not None and not (share.is_finite() and 0 < share <= 1):
            raise InputError("market.volume_share", share, "a Decimal above 0, at most 1, or None")
        if self.multiplier < 1:
            raise InputError("market.multiplier", self.multiplier, "1 or more")
