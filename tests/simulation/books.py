"""The judge's own books: every order, what was filled of it, positions and cash, out of the events alone."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.limits import Limits
from tradecore.domain.reducing import EXTERNAL
from tradecore.domain.values import ZERO, OrderStatus, Purpose, Side

Fail = Callable[[str, str], None]
"""What to call when an invariant does not hold: its number, and what was seen."""


@attrs.define(eq=False)
class Order:
    """An order as the judge knows it from the log."""

    order_id: str
    client_order_id: str
    symbol: str
    sign: int
    quantity: Decimal | None
    plan: ev.OrderPlanned | None
    status: OrderStatus = OrderStatus.PLANNED
    broker_order_id: str | None = None
    not_after: dt.datetime | None = None
    filled: Decimal = ZERO
    attempts: int = 0
    attempted_at: float = 0.0
    attempt_by: str = ""
    was_asked_for: bool = False
    is_answered: bool = True
    may_be_there: bool = False
    posts: int = 0
    fills: dict[str, tuple[Decimal, Decimal, Decimal]] = attrs.field(factory=dict)
    is_leg: bool = False
    is_dead: bool = False
    is_halted: bool = False
    is_to_be_canceled: bool = False
    cancel_was_taken: bool = False
    replaces: str | None = None

    @property
    def is_external(self) -> bool:
        """Whether somebody else placed it."""
        return self.plan is None

    @property
    def strategy(self) -> str:
        """Whose it is."""
        return EXTERNAL if self.plan is None else self.plan.strategy

    @property
    def remaining(self) -> Decimal:
        """What may still be filled."""
        return max(ZERO, (self.quantity or ZERO) - self.filled)


class Books:
    """Orders and numbers; says what in them cannot be."""

    def __init__(self, fail: Fail, reach: Counter[str]) -> None:
        self.fail = fail
        self.reach = reach
        self.orders: dict[str, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.by_broker_id: dict[str, Order] = {}
        self.positions: dict[str, Decimal] = {}
        self.cash = ZERO
        self.limits = Limits()
        self.fill_ids: set[str] = set()
        self.booked: set[str] = set()
        self.held: dict[tuple[str, str], Decimal] = {}
        self._too_large: dict[str, str] = {}

    def planned(self, event: ev.OrderPlanned) -> None:
        if event.order_id in self.orders or event.client_order_id in self.by_client_id:
            self.fail("I1", f"order {event.order_id} is planned twice")
        sign = 1 if event.side is Side.BUY else -1
        order = Order(event.order_id, event.client_order_id, event.symbol, sign, event.quantity, event)
        order.is_leg, order.replaces = event.leg is not None, event.replaces
        self.orders[order.order_id] = self.by_client_id[order.client_order_id] = order
        too_large = self._too_large.pop(order.order_id, None)
        if too_large is not None and not self._closes(order):
            self.fail("I3", too_large)

    def adopted(self, event: ev.OrderAdopted) -> None:
        sign = 1 if event.side is Side.BUY else -1
        order = Order(event.order_id, event.client_order_id, event.symbol, sign, event.quantity, None, event.status)
        order.broker_order_id = event.broker_order_id
        if event.broker_order_id in self.by_broker_id:
            self.fail("I1", f"order {event.broker_order_id} is adopted, and is known already")
        self.orders[order.order_id] = self.by_broker_id[event.broker_order_id] = order
        self.reach["adopted"] += 1

    def filled(self, event: ev.FillRecorded) -> None:
        order = self.orders.get(event.order_id)
        if order is None:
            self.fail("I4", f"a fill of order {event.order_id}, which is not there")
            return
        if event.fill_id in self.fill_ids:
            self.fail("I9", f"fill {event.fill_id} is recorded twice")
        self.fill_ids.add(event.fill_id)
        order.fills[event.fill_id] = (event.quantity, event.price, event.fees)
        order.filled += event.quantity
        if order.quantity is not None and order.filled > order.quantity:
            self.fail("I4", f"order {order.order_id} of {order.quantity} is filled with {order.filled}")
        self._move(order, event.quantity, event.price, event.fees)

    def revised(self, fill_id: str, order_id: str, now: tuple[Decimal, Decimal, Decimal] | None) -> None:
        order = self.orders[order_id]
        quantity, price, fees = order.fills.pop(fill_id)
        order.filled -= quantity
        self._move(order, -quantity, price, -fees)
        self.reach["bust" if now is None else "correct"] += 1
        if now is not None:
            order.fills[fill_id] = now
            order.filled += now[0]
            self._move(order, *now)

    def _move(self, order: Order, quantity: Decimal, price: Decimal, fees: Decimal) -> None:
        self.positions[order.symbol] = self.positions.get(order.symbol, ZERO) + order.sign * quantity
        holder = (order.strategy, order.symbol)
        self.held[holder] = self.held.get(holder, ZERO) + order.sign * quantity
        self.cash -= order.sign * quantity * price + fees

    def reserved(self, event: ev.ReservationMade) -> None:
        """I3, on the judge's own count of what may still happen: every order that did not end may fill.

        An order that closes what its strategy holds may pass the limit; that it does, its plan says, which comes next.
        """
        limit = self.limits.max_position_qty
        order = self.orders.get(event.order_id)
        if order is not None:
            return  # nobody decided it now: an order of others, or one that was given up and is there after all
        held = self.positions.get(event.symbol, ZERO)
        sign = 1 if event.side is Side.BUY else -1
        working = [
            one
            for one in self.orders.values()
            if one.symbol == event.symbol
            and one.sign == sign
            and not one.status.is_terminal
            and not one.is_leg
            and one.order_id != event.replaces
            and one.replaces is None
        ]
        worst = abs(held * sign + sum((one.remaining for one in working), ZERO) + event.quantity)
        if limit is not None and worst > limit and held * sign >= 0 and worst > abs(held):
            self._too_large[event.order_id] = (
                f"{event.order_id} may bring {event.symbol} to {worst}; the limit is {limit}"
            )

    def _closes(self, order: Order) -> bool:
        """Whether it closes, and no more than its strategy holds; what nobody here bought is closed by hand."""
        assert order.plan is not None, "nobody here closes with an order of others"
        if order.plan.purpose is not Purpose.CLOSE:
            return False
        held = self.held.get((order.strategy, order.symbol), ZERO)
        if order.strategy == "manual":
            everybody = sum((much for (_, symbol), much in self.held.items() if symbol == order.symbol), ZERO)
            held += self.positions.get(order.symbol, ZERO) - everybody
        return held * order.sign < 0 and order.quantity is not None and order.quantity <= abs(held)
