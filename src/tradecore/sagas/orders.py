"""What several kinds of sagas do with orders: await them, and withdraw them when the time is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tradecore.domain.commands import CancelOrder
from tradecore.domain.order import OrderState
from tradecore.sagas.contract import Books

PATIENCE = dt.timedelta(seconds=60)
"""How long a withdrawal may take before a person is asked."""


def settled(orders: Iterable[OrderState]) -> bool:
    """Whether every order is finished with all of its fills recorded."""
    return all(order.is_settled for order in orders)


def found(books: Books, order_ids: Iterable[str]) -> list[OrderState]:
    """The orders that exist; one that the gate refused does not."""
    return [order for order_id in order_ids if (order := books.order(order_id)) is not None]


def lineage(books: Books, order: OrderState) -> list[OrderState]:
    """The order and those that took its place one after the other; one that failed to do so is not among them."""
    line = [order]
    while (new_id := line[-1].replaced_by) is not None and (new := books.order(new_id)) is not None:
        line.append(new)
    return line


def withdrawals(orders: Iterable[OrderState], reason: str) -> tuple[CancelOrder, ...]:
    """Cancels for what still works, unless a cancel is under way or the broker has taken one: that may last."""
    wanted = [
        order
        for order in orders
        if not order.status.is_terminal
        and (not order.cancel_requested or (order.cancel_spent and not order.cancel_taken))
    ]
    ids = {order.order_id for order in wanted}  # to cancel an order cancels what is to take its place
    return tuple(CancelOrder(order.order_id, reason) for order in wanted if order.replaces not in ids)
