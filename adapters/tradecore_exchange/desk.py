"""An order together with those it belongs to: what becomes of one decides what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradecore_exchange.blotter import Blotter, Fee
from tradecore_exchange.orders import Order
from tradecore_exchange.words import ASKED, Role

_TOO_LATE = "TOO_LATE_TO_CANCEL"


class Desk:
    """Fills and ends of orders, with their consequences.

    The legs of an entry are held until it is completely filled; then its take-profit works, and its stop-loss, still
    held, is watched. Whichever trades ends the other. `activated` are the legs that came to the market and have not yet
    met it.
    """

    def __init__(self, blotter: Blotter) -> None:
        self.blotter = blotter
        self.activated: list[Order] = []

    def group(self, order: Order) -> list[Order]:
        """The order's parent (or itself) and all legs of it."""
        if not order.is_complex:
            return [order]
        by_id = self.blotter.book.by_id
        root = order if order.parent_id is None else by_id[order.parent_id]
        return [root, *(by_id[leg_id] for leg_id in root.leg_ids)]

    def watched_stop(self, order: Order) -> Order | None:
        """The stop-loss that is watched beside a working take-profit."""
        if order.role is not Role.TAKE_PROFIT or not order.works:
            return None
        return next((one for one in self.group(order) if one.role is Role.STOP_LOSS and one.is_held), None)

    def is_watched(self, order: Order) -> bool:
        """True for a held stop-loss whose take-profit works."""
        return (
            order.is_held
            and order.role is Role.STOP_LOSS
            and any(one.role is Role.TAKE_PROFIT and one.works for one in self.group(order))
        )

    def fill(self, order: Order, qty: Decimal, price: Decimal, fee: Fee) -> None:
        """The order trades. A cancel that waited is too late for a filled order, a replacement for any."""
        asked = order.status if order.status in ASKED else ""
        successor = self.blotter.book.successor(order)
        self.blotter.fill(order, qty, price, fee)
        if asked and (asked == "pending_replace" or order.status == "filled"):
            self.blotter.deny(order, asked, _TOO_LATE)
            if successor is not None:
                self.blotter.reject(successor)
        if order.is_complex:
            self._after_fill(order, qty)

    def cancel(self, order: Order, reason: str | None = None) -> None:
        """The order is canceled, and what belongs to it."""
        self._end(order, lambda one: self.blotter.cancel(one, reason))

    def expire(self, order: Order) -> None:
        """The order's time is over, and that of what belongs to it."""
        self._end(order, self.blotter.expire)

    def reject(self, order: Order) -> None:
        """The market does not take the order; what belongs to it is canceled."""
        self.blotter.reject(order)
        for other in self.group(order):
            if other.is_open:
                self._end_one(other, self.blotter.cancel)

    def elect(self, stop: Order) -> None:
        """A stop is reached: it goes to the market, if need be in the place of its take-profit."""
        stop.triggered = True
        if not stop.is_held:
            self.blotter.keep(stop)
            return
        for other in self.group(stop):
            if other is not stop and other.is_open:
                self._end_one(other, self.blotter.cancel)
        self._bring(stop)

    def succeed(self, old: Order, new: Order) -> None:
        """The old order gives way to the new one, also among those it belongs to."""
        self.blotter.replace(old, new)
        by_id = self.blotter.book.by_id
        for leg_id in old.leg_ids:
            by_id[leg_id].parent_id = new.id
            self.blotter.keep(by_id[leg_id])
            if by_id[leg_id].is_held and new.qty is not None:
                self._resize(by_id[leg_id], new.qty)
        if old.parent_id is not None:
            root = by_id[old.parent_id]
            root.leg_ids = tuple(new.id if leg_id == old.id else leg_id for leg_id in root.leg_ids)
            self.blotter.keep(root)

    def _after_fill(self, order: Order, qty: Decimal) -> None:
        others = [one for one in self.group(order) if one is not order and one.is_open]
        if order.role is Role.ENTRY:
            if order.status == "filled":
                self._activate(order, others)
            return
        for other in others:
            if order.status == "filled":
                self._end_one(other, self.blotter.cancel)
            elif other.qty is not None:
                self._resize(other, other.qty - qty)

    def _activate(self, entry: Order, legs: list[Order]) -> None:
        """The legs are for what the entry filled, or for less where a part of that was closed in the meantime.

        With nothing left to close they end for the quantity that they were entered with.
        """
        size = min(entry.filled_qty, self._free_qty(entry))
        for leg in legs:
            if size <= 0:
                self._end_one(leg, self.blotter.cancel)
                continue
            self._resize(leg, size)
            if leg.role is Role.TAKE_PROFIT or len(legs) == 1:
                self._bring(leg)
                self.activated.append(leg)

    def _bring(self, leg: Order) -> None:
        """A held leg comes to the market; what was asked about it is still to be decided."""
        if leg.status == "held":
            self.blotter.move(leg, "new")
        else:
            leg.before = "new"
            self.blotter.keep(leg)

    def _resize(self, leg: Order, qty: Decimal) -> None:
        """A leg, and what stands by to replace it, is for another quantity."""
        for one in (leg, self.blotter.book.successor(leg)):
            if one is not None:
                one.qty = qty
                self.blotter.keep(one)

    def _free_qty(self, entry: Order) -> Decimal:
        """What is held on the side of an entry and promised to no order."""
        blotter = self.blotter
        others = blotter.book.open_of(entry.symbol)
        promised = sum((blotter.book.promised(one) for one in others if one.side is not entry.side), Decimal(0))
        return blotter.account.position_qty(entry.symbol) * entry.side.sign - promised

    def _end(self, order: Order, how: Callable[[Order], None]) -> None:
        self._end_one(order, how)
        for other in self.group(order):
            if other.is_open:
                self._end_one(other, how)

    def _end_one(self, order: Order, how: Callable[[Order], None]) -> None:
        successor = self.blotter.book.successor(order)
        how(order)
        if successor is not None:
            self.blotter.reject(successor)
