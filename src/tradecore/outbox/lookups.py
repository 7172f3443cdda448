"""Look-ups: what the broker knows of an order that nobody is sure about. Absent is not gone until it is proved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog

from tradecore.domain import commands as cmd
from tradecore.domain.order import OrderState
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnauthorized, BrokerUnreachable, ProtocolError
from tradecore.outbox.answers import Done, answered, leg_reports
from tradecore.outbox.needs import Find, missing_legs
from tradecore.outbox.pace import Pace
from tradecore.outbox.queue import Item
from tradecore.ports.broker import Broker, BrokerOrder
from tradecore.ports.clock import Clock

_log = structlog.get_logger("tradecore.outbox")
_LONGEST_LIFE = dt.timedelta(days=100)
"""Longer than any broker keeps an order that is good till canceled."""
MORE_FILLED = "not sent: more of the order that it was to replace has filled, and would be asked for again"


async def resolve(broker: Broker, order: OrderState, find: Find, item: Item, pace: Pace, clock: Clock) -> Done:
    """Ask the broker whether it has the order; only what it has proved not to have may be sent again."""
    if item.first_lookup_at is None:
        item.first_lookup_at = clock.monotonic()
    item.asked += 1
    try:
        found = await broker.order_by_client_id(order.client_order_id)
    except (BrokerUnreachable, ProtocolError) as error:
        _log.warning("look-up failed", order_id=order.order_id, error=str(error))
        return _ask_again(order, item, pace, str(error))
    if found is not None:
        return answered(order, found, missing_legs(order, find), found=True)
    item.lookups += 1
    waited = clock.monotonic() - item.first_lookup_at
    hidden = order.exists_at_broker or _took_its_place(order, find)
    if hidden or item.lookups < pace.lookups or waited < pace.visibility_s:
        return _ask_again(order, item, pace, "the broker shows no such order" + (", and claims to have it" * hidden))
    assert order.not_after is not None, "an order is queued before it is sent"
    if order.cancel_requested or clock.now() > order.not_after:
        reason = "it never arrived at the broker, and it is too late to send"
        return Done([cmd.WithdrawOrder(order.order_id, reason)])
    item.first_lookup_at, item.lookups = None, 0
    return Done(send_again=order.submits)


def _took_its_place(order: OrderState, find: Find) -> bool:
    """Whether the order that this one was to replace says that it was replaced: then this one exists."""
    old = find(order.replaces) if order.replaces is not None else None
    return old is not None and old.status is OrderStatus.REPLACED


def _ask_again(order: OrderState, item: Item, pace: Pace, reason: str) -> Done:
    done = Done(retry_in_s=pace.lookup_interval_s)
    if item.asked == pace.lookups_before_alert:
        message = f"nobody knows what became of order {order.order_id} after {item.asked} look-ups: {reason}"
        done.alert = ("order_unknown", message)
    return done


async def outgrown(broker: Broker, order: OrderState, old: OrderState) -> Done | None:
    """Why an order must not take the place of another now; None when it may.

    It is for what was left of the old one. When the broker has filled more of that meanwhile, which a stream may tell
    late or never, as much too much would be filled. A leg is replaced without a quantity, and only while none of it has
    filled.
    """
    assert old.broker_order_id is not None, "only what the broker has can be replaced"
    try:
        theirs = await broker.order(old.broker_order_id)
    except (BrokerUnreachable, ProtocolError) as error:
        reason = f"the order that it is to replace cannot be read: {error}"
        return Done([cmd.RecordNotSent(order.order_id, reason, order.submits)], retry_in_s=0.0)
    except BrokerUnauthorized as error:
        return Done([cmd.RecordNotSent(order.order_id, str(error), order.submits, counts=False)], fatal=error)
    if theirs is None or theirs.filled_qty - old.filled_before <= old.filled_at_replace:
        return None
    not_sent = cmd.RecordNotSent(order.order_id, MORE_FILLED, order.submits, counts=False)
    return Done([not_sent, cmd.WithdrawOrder(order.order_id, MORE_FILLED)])


async def find_legs(broker: Broker, order: OrderState, find: Find, item: Item, pace: Pace) -> Done:
    """Ask under which ids the broker keeps the orders that it made with this one."""
    assert order.broker_order_id is not None, "legs come with an order that the broker has"
    item.asked += 1
    wait_s = min(pace.lookup_interval_s * item.asked, pace.retry_max_s)
    try:
        found = await broker.order(order.broker_order_id)
    except (BrokerUnreachable, ProtocolError) as error:
        _log.warning("look-up of legs failed", order_id=order.order_id, error=str(error))
        return Done(retry_in_s=wait_s)
    missing = missing_legs(order, find)
    reports = [] if found is None else leg_reports(missing, found)
    told = {report.order_id for report in reports if isinstance(report, cmd.RecordReport)}
    absent = [leg for leg in missing if leg.order_id not in told]
    done = Done(reports, retry_in_s=wait_s if absent else None)
    has_ended = found is None or (found.status is not None and found.status.is_terminal)
    # What the broker showed while the order was at work says nothing: its answers may lag behind what happened.
    item.lookups = item.lookups + 1 if absent and order.status.is_terminal and has_ended else 0
    if absent and item.lookups >= pace.lookups:
        reason = f"order {order.order_id} is {order.status.value}, and the broker shows no such leg"
        done.commands += [cmd.WithdrawOrder(leg.order_id, reason) for leg in absent]
        done.retry_in_s = None
        if order.filled_qty:
            done.alert = ("unprotected", f"{reason}: what it bought or sold has no protection there")
    return done


async def count_open(broker: Broker, ours: Sequence[OrderState]) -> int:
    """How many orders the broker still works on, whoever placed them. Raises `BrokerUnreachable`, `ProtocolError`.

    `ours` were sent and have not ended as far as is known. A list may lag behind: what it lacks is asked for by name,
    and what has no name yet counts.
    """
    page = await broker.orders_since(await broker.now() - _LONGEST_LIFE)
    if page.unreadable:
        raise ProtocolError(f"{len(page.unreadable)} orders cannot be read, so nobody knows whether they work")
    listed = {order.broker_order_id for order in page.orders}
    shown: list[BrokerOrder | None] = list(page.orders)
    for order in ours:
        if order.broker_order_id is None:
            shown.append(None)
        elif order.broker_order_id not in listed:
            shown.append(await broker.order(order.broker_order_id))
    return sum(1 for order in shown if order is None or order.status is None or not order.status.is_terminal)


async def count_held(broker: Broker) -> int:
    """How many positions the broker shows. Raises `BrokerUnreachable`, `ProtocolError`."""
    return len(await broker.positions())
