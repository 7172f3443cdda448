"""What can happen to an order, one method each: the state changes, and the trade update that tells of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain.values import plus, times
from tradecore_exchange.account import Account
from tradecore_exchange.changes import Changes
from tradecore_exchange.identity import uuid_text
from tradecore_exchange.instants import SECOND_NS
from tradecore_exchange.market_clock import MarketClock
from tradecore_exchange.orders import Activity, Order, OrderBook, TradeUpdate
from tradecore_exchange.sessions import NEW_YORK


def activity_id(at_ns: int, unique: str) -> str:
    """`20240102093100000::uuid`: the time of New York in milliseconds, and a uuid that is nobody else's id."""
    local = dt.datetime.fromtimestamp(at_ns // SECOND_NS, NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{at_ns % SECOND_NS // 1_000_000:03d}::{unique}"


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

    def activate(self, order: Order) -> None:
        """The order reaches the market."""
        self._move(order, "new")

    def cancel(self, order: Order) -> None:
        """The order ends unfilled, or partly filled, by request or by its terms."""
        order.canceled_ns = self.clock.stamp()
        self._finish(order, "canceled", order.canceled_ns)

    def expire(self, order: Order) -> None:
        """The order's time is over."""
        order.expired_ns = self.clock.stamp()
        self._finish(order, "expired", order.expired_ns)

    def replace(self, order: Order, successor: Order) -> None:
        """The order gives way to another; the update carries the old one."""
        order.replaced_by, successor.replaces = successor.id, order.id
        order.replaced_ns = self.clock.stamp()
        self._finish(order, "replaced", order.replaced_ns)

    def fill(self, order: Order, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """The order trades `qty` at `price` (dollars); `fee` in dollars leaves the cash."""
        assert qty > 0, "a fill is of something"
        at = self.clock.stamp()
        order.filled_qty = plus(order.filled_qty, qty)
        order.filled_value = plus(order.filled_value, times(qty, price))
        order.commission = plus(order.commission, fee)
        order.updated_ns = at
        done = order.notional is not None or order.leaves_qty == 0
        order.status = "filled" if done else "partially_filled"
        if done:
            order.filled_ns = at
            self.book.close(order)
        self.account.book(order.symbol, qty * order.side.sign, price, fee)
        execution = self._execution_id()
        self._record("FILL", order, execution, qty, price, at)
        if fee:
            self._record("FEE", order, execution, qty, price, at, net_amount=-fee)
        held = self.account.position_qty(order.symbol)
        self._publish(
            TradeUpdate("fill" if done else "partial_fill", execution, attrs.evolve(order), at, price, qty, held)
        )
        self.changes.orders[order.id] = order

    def _record(
        self,
        kind: str,
        order: Order,
        execution: str,
        qty: Decimal,
        price: Decimal,
        at: int,
        net_amount: Decimal = Decimal(0),
    ) -> None:
        number = len(self.activities) + 1
        activity = Activity(
            number=number,
            kind=kind,
            id=activity_id(at, uuid_text(self.seed, "activity", number)),
            at_ns=at,
            order_id=order.id,
            execution_id=execution,
            symbol=order.symbol,
            side=order.side,
            qty=qty,
            price=price,
            cum_qty=order.filled_qty,
            leaves_qty=order.leaves_qty,
            order_status=order.status,
            net_amount=net_amount,
        )
        self.activities.append(activity)
        self.changes.activities.append(activity)

    def _execution_id(self) -> str:
        self.execution_count += 1
        return uuid_text(self.seed, "execution", self.execution_count)

    def _move(self, order: Order, status: str) -> None:
        order.status = status
        order.updated_ns = self.clock.stamp()
        self._tell(order, status, order.updated_ns)

    def _finish(self, order: Order, status: str, at: int) -> None:
        self.book.close(order)
        order.status = status
        order.updated_ns = at
        self._tell(order, status, at)

    def _tell(self, order: Order, event: str, at: int, *, with_id: bool = True) -> None:
        self._publish(TradeUpdate(event, self._execution_id() if with_id else None, attrs.evolve(order), at))
        self.changes.orders[order.id] = order

    def _publish(self, update: TradeUpdate) -> None:
        self.updates.append(update)
        self.update_count += 1
        self.changes.account = True
