"""Orders, what became of them, and the book that finds them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore.domain.values import Side, rounded_quotient
from tradecore_exchange.numbers import floor_qty
from tradecore_exchange.words import ASKED, OPEN, STOPS, WORKING, OrderClass, OrderType, Role, TimeInForce

ZERO = Decimal(0)


@attrs.define
class Order:
    """One order ever entered. Times in nanoseconds since 1970; `number` counts from 1 in order of entry.

    `reserve_price` is the price at which an opening order holds buying power. `collar` is the limit that a buy stop
    becomes when it is reached. `triggered` tells that its stop was reached, `split` that its one chance of a random
    partial fill has been taken. `before` is the status that a request not yet decided would go back to. An order on
    `standby` takes the place of another when that one gives way. What was busted is not traded again: `busted_qty`.
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
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    commission: Decimal = ZERO
    filled_ns: int | None = None
    canceled_ns: int | None = None
    expired_ns: int | None = None
    replaced_ns: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    split: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    role: Role = Role.ALONE
    parent_id: str | None = None
    leg_ids: tuple[str, ...] = ()
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    collar: Decimal | None = None
    triggered: bool = False
    before: str = ""
    standby: bool = False
    resume_ns: int | None = None
    busted_qty: Decimal = ZERO
    failed_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """True until it has come to its end."""
        return self.status in OPEN

    @property
    def works(self) -> bool:
        """True while it is on the market: it may trade."""
        return self.status in WORKING or (self.status in ASKED and self.before in WORKING)

    @property
    def is_held(self) -> bool:
        """True for a leg whose time has not come."""
        return self.status == "held" or (self.status in ASKED and self.before == "held")

    @property
    def opens(self) -> bool:
        """True when a fill makes a position larger, and so needs buying power."""
        return self.position_intent.endswith("_to_open")

    @property
    def is_complex(self) -> bool:
        """True for an order that belongs together with others."""
        return self.order_class is not OrderClass.SIMPLE

    @property
    def awaits_stop(self) -> bool:
        """True for a stop that was not yet reached."""
        return self.type in STOPS and not self.triggered

    @property
    def bound(self) -> Decimal | None:
        """The worst price at which it trades; None at any."""
        return self.limit_price if self.limit_price is not None else self.collar

    @property
    def leaves_qty(self) -> Decimal:
        """What is left to trade; zero for an order by notional, whose quantity its price decides."""
        return ZERO if self.qty is None else self.qty - self.filled_qty - self.busted_qty

    @property
    def filled_avg_price(self) -> Decimal | None:
        """The average price so far, to nine places."""
        return rounded_quotient(self.filled_value, self.filled_qty) if self.filled_qty else None

    @property
    def reserved(self) -> Decimal:
        """Dollars of buying power that it holds."""
        if not self.opens or not self.is_open:
            return ZERO
        return self.notional if self.notional is not None else self.leaves_qty * self.reserve_price

    @property
    def promised(self) -> Decimal:
        """Shares of a position that it holds for itself; a leg that is held holds none."""
        if self.opens or not self.is_open or self.is_held:
            return ZERO
        if self.notional is None:
            return self.leaves_qty
        return floor_qty(self.notional / self.reserve_price, whole=False) if self.reserve_price else ZERO


@attrs.frozen
class TradeUpdate:
    """One message of the trade stream. `order` is a copy of that moment; price and the two quantities come with fills.

    `previous_execution_id` is what a bust or a correction takes back.
    """

    event: str
    execution_id: str | None
    order: Order
    at_ns: int
    price: Decimal | None = None
    qty: Decimal | None = None
    position_qty: Decimal | None = None
    previous_execution_id: str | None = None
    reason: str | None = None


class OrderBook:
    """Every order ever, and the open ones by symbol in order of entry."""

    def __init__(self) -> None:
        self.all: list[Order] = []
        self.by_id: dict[str, Order] = {}
        self.by_client_order_id: dict[str, Order] = {}
        self._open: dict[str, dict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Enter an order; its `number` must be the next one. One on standby is not yet among the open ones."""
        assert order.number == len(self.all) + 1, "orders are numbered without a gap"
        self.all.append(order)
        self.by_id[order.id] = order
        self.by_client_order_id[order.client_order_id] = order
        if order.is_open and not order.standby:
            self.open_up(order)

    def open_up(self, order: Order) -> None:
        """Put an order among the open ones."""
        self._open.setdefault(order.symbol, {})[order.id] = order

    def close(self, order: Order) -> None:
        """Take a finished order out of the open ones."""
        orders = self._open.get(order.symbol, {})
        orders.pop(order.id, None)
        if not orders:
            self._open.pop(order.symbol, None)

    def open_of(self, symbol: str) -> list[Order]:
        """Open orders of a symbol, oldest first; a copy, so that matching may close them."""
        return sorted(self._open.get(symbol, {}).values(), key=lambda order: order.number)

    def open(self) -> Iterator[Order]:
        """All open orders, in no order that a restart would keep."""
        for orders in self._open.values():
            yield from orders.values()

    def open_in_order(self) -> list[Order]:
        """All open orders, oldest first."""
        return sorted(self.open(), key=lambda order: order.number)

    def successor(self, order: Order) -> Order | None:
        """The order that stands by to replace this one."""
        return self.by_id[order.replaced_by] if order.status == "pending_replace" and order.replaced_by else None

    def reserved(self, order: Order) -> Decimal:
        """Dollars that an open order holds: of an order and its replacement, the larger."""
        if order.status != "pending_replace":
            return order.reserved
        successor = self.successor(order)
        return order.reserved if successor is None else max(order.reserved, successor.reserved)

    def promised(self, order: Order) -> Decimal:
        """Shares that an open order holds: of an order and its replacement, the larger."""
        successor = None if order.is_held else self.successor(order)
        return order.promised if successor is None else max(order.promised, successor.promised)
