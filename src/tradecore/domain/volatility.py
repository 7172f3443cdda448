"""How a market swings: the average true range of its bars as a share of the price, kept bar by bar."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.values import ZERO, Bar, plus, rounded_quotient

PERIODS = 14


@attrs.frozen
class Swing:
    """The last close, and the average true range so far (Wilder's; see `sizing.average_true_range`)."""

    close: Decimal | None = None
    average: Decimal = ZERO
    ranges: int = 0

    def after(self, bar: Bar) -> Swing:
        """With one more bar."""
        if self.close is None:
            return Swing(bar.close)
        found = max(bar.high - bar.low, abs(bar.high - self.close), abs(bar.low - self.close))
        weight = min(self.ranges + 1, PERIODS)
        average = rounded_quotient(plus(self.average * (weight - 1), found), Decimal(weight))
        return Swing(bar.close, average, weight)

    @property
    def share(self) -> Decimal | None:
        """The average true range as a share of the last close; None before there are enough bars."""
        if self.ranges < PERIODS or not self.close:
            return None
        return rounded_quotient(self.average, self.close)
