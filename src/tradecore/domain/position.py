"""Positions as lots, first in first out. Pure arithmetic on signed quantities; every amount is exact."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.events import ClosedLot
from tradecore.domain.evolving import changed
from tradecore.domain.values import ZERO, minus, plus, rounded_quotient, times


@attrs.frozen(slots=False)
class Lot:
    """What is left of one fill. `quantity` is signed: above zero is long."""

    opened_by: str
    quantity: Decimal
    price: Decimal


@attrs.frozen(slots=False)
class Position:
    """A position in one symbol: its lots, oldest first, all of one sign."""

    lots: tuple[Lot, ...] = ()
    quantity: Decimal = ZERO

    @property
    def cost(self) -> Decimal:
        """Signed sum of quantity x price over the open lots."""
        total = ZERO
        for lot in self.lots:
            total = plus(total, times(lot.quantity, lot.price))
        return total

    @property
    def average_price(self) -> Decimal | None:
        """Average entry price of the open lots to 9 places, None when flat. For showing, not for booking."""
        return rounded_quotient(self.cost, self.quantity) if self.quantity else None


@attrs.frozen(slots=False)
class PositionStep:
    """What a fill did: the position after it, the lots it closed, and the profit that realised, before fees."""

    after: Position
    closed: tuple[ClosedLot, ...]
    gross_pnl: Decimal


def apply_fill(position: Position, fill: str, signed_qty: Decimal, price: Decimal) -> PositionStep:
    """Apply a fill of `signed_qty` at `price`: close opposite lots first in first out, open a lot with what is left.

    Gross profit is the sum over closed lots of quantity x (exit price - entry price), quantity signed as the lot was.
    """
    lots = list(position.lots)
    left = signed_qty
    closed: list[ClosedLot] = []
    gross = ZERO
    while left and lots and (lots[0].quantity > 0) != (left > 0):
        lot = lots[0]
        part = lot.quantity if abs(lot.quantity) <= abs(left) else -left
        closed.append(ClosedLot(lot.opened_by, part, lot.price))
        gross = plus(gross, times(part, minus(price, lot.price)))
        left = plus(left, part)
        if part == lot.quantity:
            lots.pop(0)
        else:
            lots[0] = changed(lot, quantity=minus(lot.quantity, part))
    if left:
        lots.append(Lot(fill, left, price))
    return PositionStep(Position(tuple(lots), plus(position.quantity, signed_qty)), tuple(closed), gross)
