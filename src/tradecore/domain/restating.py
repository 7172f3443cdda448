"""Positions restated: a fill undone or done otherwise, a split. Pure arithmetic; cost and profit stay exact.

What is kept through every change: cash + cost of the lots - realised profit. A bust is exact when the lot that the fill
opened is still whole and when the lots that it closed can come back. Where later fills have closed units of a busted
lot, what they closed never existed: those units are bought or sold back at the busted fill's own price, which closes
the next lots first in first out, or opens one of the other sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from tradecore.domain.events import ClosedLot, OpenLot
from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.values import ZERO, minus, plus, rounded_down_to_nine, times


@attrs.frozen
class Restated:
    """The position after a change that is no fill, and the profit that the change realised (before fees)."""

    after: Position
    gross_pnl: Decimal


def position_of(lots: Sequence[Lot | OpenLot]) -> Position:
    """A position of these lots, oldest first."""
    total = ZERO
    for lot in lots:
        total = plus(total, lot.quantity)
    return Position(tuple(Lot(lot.opened_by, lot.quantity, lot.price) for lot in lots), total)


def open_lots(position: Position) -> tuple[OpenLot, ...]:
    """The lots of a position, as events tell them."""
    return tuple(OpenLot(lot.opened_by, lot.quantity, lot.price) for lot in position.lots)


def undo_fill(
    position: Position, fill: str, signed_qty: Decimal, price: Decimal, closed: Sequence[ClosedLot]
) -> Restated:
    """Take back what a fill did: its own lot goes, the lots that it closed come back."""
    opened, gross = signed_qty, ZERO
    for lot in closed:
        opened = plus(opened, lot.quantity)
        gross = minus(gross, times(lot.quantity, minus(price, lot.entry_price)))
    rest, missing = _take_lot(position, fill, price, opened)
    if missing:
        step = apply_fill(rest, fill, -missing, price)
        rest, gross = step.after, plus(gross, step.gross_pnl)
    for lot in reversed(closed):
        back = _put_back(rest, lot)
        rest, gross = back.after, plus(gross, back.gross_pnl)
    return Restated(rest, gross)


def correct_in_place(position: Position, fill: str, before: Decimal, signed_qty: Decimal, price: Decimal) -> Position:
    """The position with the lot of a fill as it should have been; `before` must be all of that lot."""
    lots = [
        attrs.evolve(lot, quantity=signed_qty, price=price) if lot.opened_by == fill else lot for lot in position.lots
    ]
    assert holds_whole(position, fill, before), "only a lot that is whole is corrected in place"
    return position_of(lots)


def holds_whole(position: Position, fill: str, signed_qty: Decimal) -> bool:
    """Whether the only lot of a fill is still there, all of it."""
    return [lot.quantity for lot in position.lots if lot.opened_by == fill] == [signed_qty]


def _take_lot(position: Position, fill: str, price: Decimal, opened: Decimal) -> tuple[Position, Decimal]:
    """The position without what a fill opened, and how much of that is there no more."""
    left, kept = opened, []
    for lot in position.lots:
        if left and lot.opened_by == fill and lot.price == price and (lot.quantity > 0) == (opened > 0):
            part = lot.quantity if abs(lot.quantity) <= abs(left) else left
            left = minus(left, part)
            if part == lot.quantity:
                continue
            lot = attrs.evolve(lot, quantity=minus(lot.quantity, part))  # noqa: PLW2901
        kept.append(lot)
    return position_of(kept), left


def _put_back(position: Position, lot: ClosedLot) -> Restated:
    """The position with a lot that was closed and is not: in front, or against lots of the other sign."""
    if position.lots and (position.lots[0].quantity > 0) != (lot.quantity > 0):
        step = apply_fill(position, lot.opened_by, lot.quantity, lot.entry_price)
        return Restated(step.after, step.gross_pnl)
    lots = list(position.lots)
    for place, known in enumerate(lots):
        if (known.opened_by, known.price) == (lot.opened_by, lot.entry_price):
            lots[place] = attrs.evolve(known, quantity=plus(known.quantity, lot.quantity))
            return Restated(position_of(lots), ZERO)
    return Restated(position_of([Lot(lot.opened_by, lot.quantity, lot.entry_price), *lots]), ZERO)


def split_position(position: Position, activity: str, change: Decimal) -> Restated:
    """The position with `change` more units (or fewer) at the same cost, every lot in proportion.

    Where the change does not fit what is held (it was sold at the new price before the split was told), the units come
    in, or go, at no cost as a lot of their own.
    """
    after = plus(position.quantity, change)
    if not position.quantity or not after or (after > 0) != (position.quantity > 0):
        step = apply_fill(position, activity, change, ZERO)
        return Restated(step.after, step.gross_pnl)
    lots: list[Lot] = []
    left = after
    for number, lot in enumerate(position.lots, start=1):
        share = left
        if number < len(position.lots):
            share = rounded_down_to_nine(times(lot.quantity, after), position.quantity)
        left = minus(left, share)
        lots += _at_same_cost(lot, share)
    return Restated(position_of(lots), ZERO)


def _at_same_cost(lot: Lot, quantity: Decimal) -> list[Lot]:
    """The lot with another quantity and exactly the cost that it had: one price, or two that are 1e-9 apart."""
    if not quantity:
        return []
    cost = times(lot.quantity, lot.price)
    price = rounded_down_to_nine(cost, quantity)
    residue = minus(cost, times(quantity, price))
    dearer = times(residue, Decimal(10**9))
    lots = [Lot(lot.opened_by, minus(quantity, dearer), price)]
    if dearer:
        lots.append(Lot(lot.opened_by, dearer, plus(price, Decimal("1e-9"))))
    return [part for part in lots if part.quantity]
