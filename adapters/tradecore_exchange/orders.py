"""Orders, what became of them, and the book that finds them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore.domain.values import OrderType, Side, TimeInForce, rounded_quotient

OPEN_STATUSES = frozenset({"accepted", "pending_new", "new", "partially_filled"})


@attrs.define
class Order:
    """One order ever entered. Times in nanoseconds since 1970; `number` counts from 1 in order of entry.

    `reserve_price` is the price at which an opening order holds buying power. `split` tells that its one chance of a
    random partial fill has been taken.
    """

    number: int
    id: str
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    extended_hours: bool
    position_intent: str
    reserve_price: Decimal
    submitted_ns: int
    expires_ns: int | None
    status: str
    updated_ns: int
    filled_qty: Decimal = Decimal(0)
    filled_value: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    filled_ns: int | None = None
    canceled_ns: int | None = None
    expired_ns: int | None = None
    replaced_ns: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    split: bool = False

    @property
    def is_open(self) -> bool:
        """True while it can still trade."""
        return self.status in OPEN_STATUSES

    @property
    def opens(self) -> bool:
        """True when a fill makes a position larger, and so needs buying power."""
        return self.position_intent.endswith("_to_open")

    @property
    def leaves_qty(self) -> Decimal:
        """What is left to trade; zero for an order by notional, whose quantity its price decides."""
        return Decimal(0) if self.qty is None else self.qty - self.filled_qty

    @property
    def filled_avg_price(self) -> Decimal | None:
        """The average price so far, to nine places."""
        return rounded_quotient(self.filled_value, self.filled_qty) if self.filled_qty else None

    @property
    def reserved(self) -> Decimal:
        """Dollars of buying power that it holds."""
        if not self.opens or not self.is_open:
            return Decimal(0)
        return self.notional if self.notional is not None else self.leaves_qty * self.reserve_price


@attrs.frozen
class Activity:
    """One line of the account's history: a FILL, or the FEE of one. `net_amount` is what a fee did to cash."""

    number: int
    kind: str
    id: str
    at_ns: int
    order_id: str
    execution_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    order_status: str
    net_amount: Decimal = Decimal(0)


@attrs.frozen
class TradeUpdate:
    """One message of the trade stream. `order` is a copy of that moment; the last three are set for fills only."""

    event: str
    execution_id: str | None
    order: Order
    at_ns: int
    price: Decimal | None = None
    qty: Decimal | None = None
    position_qty: Decimal | None = None


class OrderBook:
    """Every order ever, and the open ones by symbol in order of entry."""

    def __init__(self) -> None:
        self.all: list[Order] = []
        self.by_id: dict[str, Order] = {}
        self.by_client_order_id: dict[str, Order] = {}
        self._open: dict[str, dict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Enter an order; its `number` must be the next one."""
        assert order.number == len(self.all) + 1, "orders are numbered without a gap"
        self.all.append(order)
        self.by_id[order.id] = order
        self.by_client_order_id[order.client_order_id] = order
        if order.is_open:
            self._open.setdefault(order.symbol, {})[order.id] = order

    def close(self, order: Order) -> None:
        """Take a finished order out of the open ones."""
        orders = self._open[order.symbol]
        del orders[order.id]
        if not orders:
            del self._open[order.symbol]

    def open_of(self, symbol: str) -> list[Order]:
        """Open orders of a symbol, oldest first; a copy, so that matching may close them."""
        return list(self._open.get(symbol, {}).values())

    def open(self) -> Iterator[Order]:
        """All open orders."""
        for orders in self._open.values():
            yield from orders.values()
