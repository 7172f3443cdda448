"""What the broker says, as commands: words on orders, executions, revisions, orders of others, cash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.events import FillRevision
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import OrderStatus, OrderType, TimeInForce, minus, parse_symbol, parse_word
from tradecore.errors import InputError, InvariantViolated
from tradecore.ports.broker import ActivityKind, BrokerActivity, BrokerFill, BrokerOrder, Execution


def report_of(order_id: str, order: BrokerOrder, status: OrderStatus, source: str) -> cmd.RecordReport:
    """The broker's word on an order."""
    return cmd.RecordReport(
        order_id=order_id,
        broker_order_id=order.broker_order_id,
        status=status,
        filled_qty=order.filled_qty,
        updated_at=order.updated_at,
        source=source,
        raw=order.raw,
    )


def check_same(order: OrderState, theirs: BrokerOrder) -> None:
    """Raises `InvariantViolated` when the broker holds something else under the order's id than was decided on."""
    same = (
        (plain_symbol(theirs.symbol), theirs.side, theirs.order_type)
        == (plain_symbol(order.symbol), order.side, order.order_type.value)
        # What a replacement, a leg of what is filled in part, or an amount of money comes to, the broker says.
        and (
            order.replaces is not None
            or order.leg is not None
            or order.quantity is None
            or theirs.quantity == order.quantity
        )
    )
    if not same:
        raise InvariantViolated(
            f"the broker holds {order.client_order_id} as {theirs.side.value} {theirs.quantity} {theirs.symbol} "
            f"{theirs.order_type}, but {order.side.value} {order.quantity} {order.symbol} {order.order_type.value} "
            "was decided"
        )


def check_same_fill(order: OrderState, fill: BrokerFill) -> None:
    """Raises `InvariantViolated` when an execution is of another symbol or side than its order."""
    if (plain_symbol(fill.symbol), fill.side) != (plain_symbol(order.symbol), order.side):
        raise InvariantViolated(
            f"execution {fill.execution_id} is {fill.side.value} {fill.symbol}, but its order is {order.side.value} "
            f"{order.symbol}"
        )


def plain_symbol(symbol: str) -> str:
    """A symbol however it is spelt: BTC/USD is BTCUSD in some places."""
    return symbol.replace("/", "")


def fill_of(identity: str, order: OrderState, fill: BrokerFill) -> cmd.RecordFill:
    """An execution of an order."""
    return cmd.RecordFill(
        fill_id=identity,
        order_id=order.order_id,
        broker_order_id=fill.broker_order_id,
        execution_id=fill.execution_id,
        quantity=fill.quantity,
        price=fill.price,
        cumulative_qty=fill.cumulative_qty,
        fees=fill.fees,
        occurred_at=fill.occurred_at,
        source=fill.source,
        raw=fill.raw,
        revisions=len(order.revised_at),
    )


def revision_of(order_id: str, fill: BrokerFill) -> cmd.ReviseFill:
    """A bust or a correction of an execution."""
    revision = FillRevision(
        busts=fill.execution is Execution.BUST,
        execution_id=fill.execution_id,
        previous_execution_id=fill.previous_execution_id,
        quantity=abs(fill.quantity),
        price=fill.price,
        fees=fill.fees,
        cumulative_qty=fill.cumulative_qty,
        occurred_at=fill.occurred_at,
        source=fill.source,
        raw=fill.raw,
    )
    return cmd.ReviseFill(order_id, revision)


def adoption_of(
    account: str, order_id: str, order: BrokerOrder, status: OrderStatus, replaces: str | None, before: Decimal
) -> cmd.AdoptOrder:
    """An order of others, in the broker's terms, without what it filled `before` the books began.

    Raises `InputError` for one that the ledger has no words for.
    """
    working = status if not status.is_terminal and status is not OrderStatus.PARTIALLY_FILLED else OrderStatus.ACCEPTED
    reference = order.limit_price or order.stop_price or order.filled_avg_price
    if order.quantity is None and reference is None:
        raise InputError("notional", order.notional, "a price beside it, to tell what the amount of money buys")
    return cmd.AdoptOrder(
        order_id=order_id,
        account=account,
        client_order_id=order.client_order_id,
        broker_order_id=order.broker_order_id,
        symbol=parse_symbol("symbol", order.symbol),
        side=order.side,
        quantity=None if order.quantity is None else minus(order.quantity, before),
        notional=order.notional,
        order_type=parse_word("type", order.order_type, OrderType),
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        # It is never sent: where the broker does not say how long it lives, nothing depends on it.
        time_in_force=parse_word("time_in_force", order.time_in_force or "day", TimeInForce),
        reference_price=reference,
        status=working,
        updated_at=order.updated_at,
        raw=order.raw,
        replaces=replaces,
        filled_before=before,
    )


def activities_of(account: str, activities: Iterable[BrokerActivity]) -> list[cmd.BookActivity]:
    """Changes without an order. The rows of one split (old units out, new units in) are one change of units."""
    found: dict[tuple[str, ...], cmd.BookActivity] = {}
    for activity in activities:
        day = dt.datetime.combine(activity.occurred_on, dt.time(), dt.UTC)
        command = cmd.BookActivity(
            account, activity.activity_id, activity.kind.value, activity.symbol,
            activity.amount, activity.quantity, day, activity.raw,
        )  # fmt: skip
        key: tuple[str, ...] = (activity.activity_id,)
        if activity.kind is ActivityKind.SPLIT:
            key = ("split", activity.symbol or "", activity.occurred_on.isoformat())
        before = found.get(key)
        if before is not None:
            quantity: Decimal = before.quantity + command.quantity
            command = attrs.evolve(before, quantity=quantity, activity_id=f"{before.activity_id}+{command.activity_id}")
        found[key] = command
    return list(found.values())
