"""Protection: whether a stop still covers what an entry filled, and a replacement is for no more than was left."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.identity import leg_order_id
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import ZERO, Leg, OrderClass, OrderStatus, minus
from tradecore.ports.records import Records

_OF_ENTRIES = (OrderClass.BRACKET, OrderClass.OTO)


def bare(ledger: Records, order: OrderState) -> tuple[OrderState, Decimal] | None:
    """The entry that an order is, or is a leg of, and how much of it nothing protects any more; None when none is.

    A stop that we asked to cancel was not lost: whoever asked knows. What a leg sold is not there to be protected.
    """
    entry = order if order.parent_order_id is None else ledger.order(order.parent_order_id)
    if entry is None or entry.order_class not in _OF_ENTRIES or entry.stop_loss is None:
        return None
    stop = latest(ledger, ledger.order(leg_order_id(entry.order_id, Leg.STOP_LOSS.value)))
    is_lost = stop is not None and stop.status.is_terminal and stop.status is not OrderStatus.FILLED
    if stop is None or not is_lost or stop.cancel_requested or not entry.status.is_terminal:
        return None
    left = entry.filled_qty
    for leg in (Leg.STOP_LOSS, Leg.TAKE_PROFIT):
        one = ledger.order(leg_order_id(entry.order_id, leg.value))
        while one is not None:
            left = minus(left, one.filled_qty)
            if leg is Leg.TAKE_PROFIT and one.missing_fills:
                return None  # its sibling has filled, and the executions are on their way
            one = None if one.replaced_by is None else ledger.order(one.replaced_by)
    return (entry, left) if left > ZERO else None


def outgrown(order: OrderState) -> Decimal | None:
    """What of an entry filled before it was replaced: its legs are for the order in its place, and perhaps no more."""
    is_entry = order.order_class in _OF_ENTRIES and order.stop_loss is not None
    return order.filled_qty if is_entry and order.status is OrderStatus.REPLACED and order.filled_qty else None


def filled_too_late(order: OrderState) -> Decimal | None:
    """What a replaced order filled after another was planned for what was left: that one is for as much too much."""
    if order.status is not OrderStatus.REPLACED or order.replaced_by is None or order.leg is not None:
        return None
    more = minus(max(order.filled_qty, order.broker_filled_qty), order.filled_at_replace)
    return more if more > ZERO else None


def latest(ledger: Records, order: OrderState | None) -> OrderState | None:
    """The order that is in the place of an order by now."""
    while order is not None and order.replaced_by is not None:
        order = ledger.order(order.replaced_by)
    return order
