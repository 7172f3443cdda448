"""What an order needs from the broker, as its events tell it: the working set is a fold of the log."""

from __future__ import annotations

import enum
from collections.abc import Callable

from tradecore.domain.identity import leg_order_id
from tradecore.domain.order import OrderState
from tradecore.domain.terms import legs_of
from tradecore.domain.values import OrderClass, OrderStatus, Purpose

Find = Callable[[str], OrderState | None]
"""An order by its id."""


class Kind(enum.Enum):
    """A kind of open work."""

    KILL = "kill"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    LEGS = "legs"
    SUBMIT = "submit"
    REPLACE = "replace"


class Priority(enum.IntEnum):
    """What goes first. Up to `LOOK_UP` a place is kept free: hanging submits must not hold it up."""

    KILL = 1
    CANCEL = 2
    LOOK_UP = 3
    CLOSE = 4
    PROTECT = 5
    TRADE = 6


_OF_KIND = {
    Kind.KILL: Priority.KILL,
    Kind.CANCEL: Priority.CANCEL,
    Kind.RESOLVE: Priority.LOOK_UP,
    Kind.LEGS: Priority.LOOK_UP,
}
_OF_PURPOSE = {Purpose.CLOSE: Priority.CLOSE, Purpose.PROTECT: Priority.PROTECT, Purpose.TRADE: Priority.TRADE}


def priority(kind: Kind, order: OrderState) -> Priority:
    """How urgent the work is: what takes risk away goes before what adds it."""
    return _OF_KIND.get(kind) or _OF_PURPOSE[order.purpose]


def needs(order: OrderState, find: Find) -> Kind | None:
    """The next thing that an order needs; None when it needs nothing, or a person."""
    if order.broker_order_id is None:
        if order.status.is_terminal or order.dead or order.halted:
            return None  # a person must look at what is halted: what the broker has may be another order
        if order.leg is not None and order.replaces is None:
            return None  # the broker makes it with its parent
        if order.awaits_approval:
            return None
        if order.status is not OrderStatus.QUEUED:
            return Kind.RESOLVE
        return Kind.SUBMIT if order.replaces is None else Kind.REPLACE
    if order.cancel_requested and not order.cancel_spent and not order.status.is_terminal:
        return Kind.CANCEL
    if order.order_class is not OrderClass.SIMPLE and missing_legs(order, find):
        return Kind.LEGS
    return None


def missing_legs(order: OrderState, find: Find) -> list[OrderState]:
    """The legs that the broker must have made with the order, and whose ids are not known yet."""
    if order.replaces is not None:
        return []  # the broker's order keeps the legs of the one that it replaced
    found = (find(leg_order_id(order.order_id, leg.value)) for leg in legs_of(order))
    return [leg for leg in found if leg is not None and not leg.status.is_terminal and leg.broker_order_id is None]
