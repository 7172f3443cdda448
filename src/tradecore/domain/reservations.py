"""Reservations: what every open order can still fill, counted at its worst in the exposure of its symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain.evolving import changed
from tradecore.domain.values import ZERO, Side, minus


@attrs.frozen(slots=False)
class Reservation:
    """An order at the size that can still happen. `quantity` is what is not filled yet, unsigned.

    While the order that it `replaces` is reserved too, only what it adds to that one counts. `counted` is what of it is
    in the exposure, `replaced_by` the order that is to take its place.
    """

    trade_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    replaces: str | None = None
    agent: str = ""
    limit_price: Decimal | None = None
    counted: Decimal = ZERO
    replaced_by: str | None = None


Reservations = Mapping[str, Reservation]

Opened = tuple[str, Side, Decimal]
"""Symbol, side, and how much more can fill; less where it is below zero."""


def open_quantity(reservations: Reservations, reservation: Reservation) -> Decimal:
    """What a reservation adds to the others, unsigned."""
    replaced = reservations.get(reservation.replaces) if reservation.replaces else None
    if replaced is None:
        return reservation.quantity
    return max(ZERO, minus(reservation.quantity, replaced.quantity))


def put(
    reservations: Reservations, order_id: str, new: Reservation | None
) -> tuple[dict[str, Reservation], tuple[Opened, ...]]:
    """After the reservation of an order became `new`, None when it ended; and what that opened in the books."""
    after = dict(reservations)
    old = after.pop(order_id, None)
    opened: list[Opened] = []
    if new is not None:
        after[order_id] = new
        replaced = after.get(new.replaces) if new.replaces else None
        if new.replaces is not None and replaced is not None:
            after[new.replaces] = changed(replaced, replaced_by=order_id)
        _recount(after, opened, order_id)
    elif old is not None and old.counted:
        opened.append((old.symbol, old.side, old.counted.copy_negate()))
    follower = old.replaced_by if old is not None else None
    if follower in after:
        _recount(after, opened, follower)
    return after, tuple(opened)


def _recount(after: dict[str, Reservation], opened: list[Opened], order_id: str) -> None:
    found = after[order_id]
    counts = open_quantity(after, found)
    more = minus(counts, found.counted)
    if more:
        after[order_id] = changed(found, counted=counts)
        opened.append((found.symbol, found.side, more))
