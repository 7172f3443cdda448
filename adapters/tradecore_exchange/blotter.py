"""What can happen to an order, one method each: the state changes, and the trade update that tells of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from tradecore.domain.values import Side, plus, times
from tradecore_exchange.account import Account
from tradecore_exchange.activities import Activity, activity_id
from tradecore_exchange.changes import Changes
from tradecore_exchange.identity import uuid_text
from tradecore_exchange.market_clock import MarketClock
from tradecore_exchange.orders import Order, OrderBook, TradeUpdate
from tradecore_exchange.words import ASKED

ZERO = Decimal(0)


@attrs.frozen
class Fee:
    """What a fill costs: dollars out of the cash, and a part of what was bought."""

    dollars: Decimal = ZERO
    qty: Decimal = ZERO


@attrs.define
class Blotter:
    """Orders, account and time together. Updates collect until `take_updates`, changes until `take_changes`."""

    seed: int
    account: Account
    clock: MarketClock
    book: OrderBook = attrs.field(factory=OrderBook)
    activities: list[Activity] = attrs.field(factory=list)
    execution_count: int = 0
    update_count: int = 0
    changes: Changes = attrs.field(factory=Changes)
    updates: list[TradeUpdate] = attrs.field(factory=list)

    def take_updates(self) -> list[TradeUpdate]:
        """The updates of this input, in order; they are handed out once."""
        taken, self.updates = self.updates, []
        return taken

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        taken, self.changes = self.changes, Changes()
        return taken

    def enter(self, order: Order) -> None:
        """Take up a new order as it is."""
        self.book.add(order)
        self._tell(order, order.status, order.updated_ns, with_id=order.status != "pending_new")

    def keep(self, order: Order) -> None:
        """Remember a change of an order of which no update tells."""
        self.changes.orders[order.id] = order

    def move(self, order: Order, status: str, event: str = "") -> None:
        """The order is in another state and goes on; `event` where the update has a word of its own."""
        order.status = status
        order.updated_ns = self.clock.stamp()
        self._tell(order, event or status, order.updated_ns)

    def ask(self, order: Order, status: str) -> None:
        """A request about the order waits to be decided."""
        order.before = order.status
        self.move(order, status)

    def deny(self, order: Order, asked: str, reason: str | None = None) -> None:
        """What was asked (`pending_cancel`, `pending_replace`) is not granted; the order is where it was, or filled."""
        event = "order_cancel_rejected" if asked == "pending_cancel" else "order_replace_rejected"
        if order.status in ASKED:
            order.status = order.before
        order.before, order.replaced_by = "", None
        order.updated_ns = self.clock.stamp()
        self._tell(order, event, order.updated_ns, reason=reason)

    def cancel(self, order: Order, reason: str | None = None) -> None:
        """The order ends unfilled, or partly filled, by request or by its terms."""
        order.canceled_ns = self.clock.stamp()
        self._finish(order, "canceled", order.canceled_ns, reason)

    def expire(self, order: Order) -> None:
        """The order's time is over."""
        order.expired_ns = self.clock.stamp()
        self._finish(order, "expired", order.expired_ns)

    def reject(self, order: Order, reason: str | None = None) -> None:
        """The market does not take the order."""
        order.failed_ns = self.clock.stamp()
        self._finish(order, "rejected", order.failed_ns, reason)

    def replace(self, order: Order, successor: Order) -> None:
        """The order gives way to another; the update carries the old one."""
        order.replaced_by, successor.replaces = successor.id, order.id
        order.replaced_ns = self.clock.stamp()
        self._finish(order, "replaced", order.replaced_ns)

    def fill(self, order: Order, qty: Decimal, price: Decimal, fee: Fee) -> None:
        """The order trades `qty` at `price` (dollars)."""
        assert qty > 0, "a fill is of something"
        at = self.clock.stamp()
        order.filled_qty = plus(order.filled_qty, qty)
        order.filled_value = plus(order.filled_value, times(qty, price))
        order.commission = plus(order.commission, fee.dollars)
        order.updated_ns = at
        done = order.notional is not None or order.leaves_qty == 0
        if done:
            order.status, order.before, order.filled_ns = "filled", "", at
        elif order.status in ASKED:
            order.before = "partially_filled"
        else:
            order.status = "partially_filled"
        if done:
            self.book.close(order)
        self.account.book(order.symbol, qty * order.side.sign, price, fee.dollars)
        event = "fill" if done else "partial_fill"
        execution = self.execution_id()
        self._record_execution(order, event, execution, qty, price, at)
        self._record_fee(order, execution, fee)
        self._publish_execution(order, event, execution, qty, price, at)

    def reverse(self, order: Order, event: str, old: Activity, qty: Decimal, price: Decimal) -> str:
        """Tell of a bust or a correction of an execution that the caller has booked; returns the new execution's id."""
        order.updated_ns = at = self.clock.stamp()
        execution = self.execution_id()
        self._record_execution(order, event, execution, qty, price, at, old.execution_id)
        self._publish_execution(order, event, execution, qty, price, at, old.execution_id)
        return execution

    def record(self, kind: str, **fields: Any) -> Activity:
        """Write a line into the account's history. The caller has booked it."""
        number = len(self.activities) + 1
        at = fields.pop("at_ns", None) or self.clock.stamp()
        unique = uuid_text(self.seed, "activity", number)
        activity = Activity(number=number, kind=kind, id=activity_id(at, unique), at_ns=at, **fields)
        self.activities.append(activity)
        self.changes.activities.append(activity)
        self.changes.account = True
        return activity

    def execution_id(self) -> str:
        """A new id, for an execution or for any other update."""
        self.execution_count += 1
        return uuid_text(self.seed, "execution", self.execution_count)

    def _record_execution(
        self,
        order: Order,
        event: str,
        execution: str,
        qty: Decimal,
        price: Decimal,
        at: int,
        previous: str | None = None,
    ) -> None:
        self.record(
            "FILL",
            at_ns=at,
            order_id=order.id,
            execution_id=execution,
            symbol=order.symbol,
            side=order.side,
            qty=qty,
            price=price,
            cum_qty=order.filled_qty,
            leaves_qty=order.leaves_qty,
            order_status=order.before if order.status in ASKED else order.status,
            execution_type=event,
            previous_execution_id=previous,
        )

    def _record_fee(self, order: Order, execution: str, fee: Fee) -> None:
        kind = "CFEE" if fee.qty or "/" in order.symbol else "FEE"
        if fee.qty:
            assert order.side is Side.BUY, "a fee in kind is taken out of what was bought"
            self.account.take_shares(order.symbol, fee.qty)
        if fee.qty or fee.dollars:
            self.record(
                kind,
                order_id=order.id,
                execution_id=execution,
                symbol=order.symbol,
                side=order.side,
                qty=-fee.qty,
                net_amount=-fee.dollars,
                description=f"commission of order {order.id}",
            )

    def _publish_execution(
        self,
        order: Order,
        event: str,
        execution: str,
        qty: Decimal,
        price: Decimal,
        at: int,
        previous: str | None = None,
    ) -> None:
        held = self.account.position_qty(order.symbol)
        self._publish(TradeUpdate(event, execution, attrs.evolve(order), at, price, qty, held, previous))
        self.changes.orders[order.id] = order

    def _finish(self, order: Order, status: str, at: int, reason: str | None = None) -> None:
        self.book.close(order)
        order.status, order.before, order.standby = status, "", False
        order.updated_ns = at
        self._tell(order, status, at, reason=reason)

    def _tell(self, order: Order, event: str, at: int, *, with_id: bool = True, reason: str | None = None) -> None:
        execution = self.execution_id() if with_id else None
        self._publish(TradeUpdate(event, execution, attrs.evolve(order), at, reason=reason))
        self.changes.orders[order.id] = order

    def _publish(self, update: TradeUpdate) -> None:
        self.updates.append(update)
        self.update_count += 1
        self.changes.account = True
