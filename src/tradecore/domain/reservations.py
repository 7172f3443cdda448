"""Reservations: what every open order can still fill, counted at its worst in the exposure of its symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain.exposure import Exposure
from tradecore.domain.values import ZERO, Side, minus


@attrs.frozen
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


def open_quantity(reservations: Reservations, reservation: Reservation) -> Decimal:
    """What a reservation adds to the others, unsigned."""
    replaced = reservations.get(reservation.replaces) if reservation.replaces else None
    if replaced is None:
        return reservation.quantity
    return max(ZERO, minus(reservation.quantity, replaced.quantity))


def put(
    reservations: Reservations, exposure: Exposure, order_id: str, new: Reservation | None
) -> tuple[dict[str, Reservation], Exposure]:
    """Both after the reservation of an order became `new`, None when it ended."""
    after = dict(reservations)
    old = after.pop(order_id, None)
    if new is not None:
        after[order_id] = new
        replaced = after.get(new.replaces) if new.replaces else None
        if new.replaces is not None and replaced is not None:
            after[new.replaces] = attrs.evolve(replaced, replaced_by=order_id)
        exposure = _recount(after, exposure, order_id)
    elif old is not None:
        exposure = _counted(exposure, old, old.counted.copy_negate())
    follower = old.replaced_by if old is not None else None
    if follower in after:
        exposure = _recount(after, exposure, follower)
    return after, exposure


def _recount(after: dict[str, Reservation], exposure: Exposure, order_id: str) -> Exposure:
    found = after[order_id]
    counts = open_quantity(after, found)
    after[order_id] = attrs.evolve(found, counted=counts)
    return _counted(exposure, found, minus(counts, found.counted))


def _counted(exposure: Exposure, reservation: Reservation, more: Decimal) -> Exposure:
    if not more:
        return exposure
    return exposure.with_book(reservation.symbol, exposure.book(reservation.symbol).open(reservation.side, more))
