"""A broker in memory that does as a test says, and a ledger with everything that works on it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import anyio
import attrs

from tests.ledger.desk import BROKER_ACCOUNT, NOON, Desk
from tradecore.domain.limits import Limits
from tradecore.domain.values import OrderStatus, Side
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.errors import BrokerUnreachable
from tradecore.follower import Follower
from tradecore.inbox import Inbox
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import (
    ActivityPage,
    Asset,
    BrokerAccount,
    BrokerActivity,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
    FillPage,
    OrderPage,
    OrderRequest,
    ReplaceRequest,
    Report,
)
from tradecore.ports.clock import Clock
from tradecore.ports.strategy import Strategy
from tradecore.strategies.none import NoStrategy
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector

_TURN_S = 0.01
_PATIENCE_S = 30.0
_TURNS_TO_END = 100
PACE = Pace(visibility_s=0, lookup_interval_s=0.01, lookups=1, retry_initial_s=0.01, retry_jitter_s=0.0)


class ScriptedBroker:
    """Keeps orders and executions; `trouble` holds what to raise, by the name of the method."""

    name = "scripted"

    def __init__(self) -> None:
        self.orders: dict[str, BrokerOrder] = {}
        self.submitted_at: dict[str, dt.datetime] = {}
        self.fills: list[BrokerFill] = []
        self.activities: list[BrokerActivity] = []
        self.held: dict[str, Decimal] = {}
        self.cash = Decimal(100_000)
        self.calls: list[tuple[str, Any]] = []
        self.trouble: dict[str, Exception] = {}

    def _call(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if name in self.trouble:
            raise self.trouble[name]

    def count(self, name: str) -> int:
        return sum(1 for call in self.calls if call[0] == name)

    def have(self, client_order_id: str, symbol: str = "SPY", qty: str = "10", **more: Any) -> BrokerOrder:
        """An order that the broker has, whoever placed it."""
        values: dict[str, Any] = {
            "broker_order_id": f"b-{client_order_id}",
            "client_order_id": client_order_id,
            "symbol": symbol,
            "side": Side.BUY,
            "quantity": Decimal(qty),
            "order_type": "market",
            "status": OrderStatus.NEW,
            "filled_qty": Decimal(0),
            "filled_avg_price": None,
            "updated_at": NOON,
            "raw": "{}",
        }
        order = BrokerOrder(**(values | more))
        self.orders[order.broker_order_id] = order
        self.submitted_at.setdefault(order.broker_order_id, order.updated_at)
        return order

    def fill(self, order: BrokerOrder, qty: str, at: dt.datetime, price: str = "100") -> BrokerFill:
        """Execute a part of an order."""
        order = self.orders[order.broker_order_id]
        filled = order.filled_qty + Decimal(qty)
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
        self.orders[order.broker_order_id] = attrs.evolve(order, filled_qty=filled, status=status, updated_at=at)
        execution = BrokerFill(
            broker_order_id=order.broker_order_id,
            client_order_id=order.client_order_id,
            execution_id=f"x{len(self.fills)}",
            symbol=order.symbol,
            side=order.side,
            quantity=Decimal(qty),
            price=Decimal(price),
            cumulative_qty=filled,
            fees=Decimal(0),
            occurred_at=at,
            source="activities",
            raw="{}",
        )
        self.fills.append(execution)
        self.held[order.symbol] = self.held.get(order.symbol, Decimal(0)) + order.side.sign * Decimal(qty)
        self.cash -= order.side.sign * Decimal(qty) * Decimal(price)
        return execution

    async def account(self) -> BrokerAccount:
        self._call("account")
        return BrokerAccount(BROKER_ACCOUNT, True, "USD", self.cash, self.cash, False, "{}")

    async def now(self) -> dt.datetime:
        self._call("now")
        return NOON

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self._call("submit", request.client_order_id)
        return self.have(request.client_order_id, request.symbol, str(request.quantity), side=request.side)

    async def cancel(self, broker_order_id: str) -> None:
        self._call("cancel", broker_order_id)

    async def replace(self, broker_order_id: str, request: ReplaceRequest) -> BrokerOrder:
        self._call("replace", broker_order_id, request.client_order_id)
        old = self.orders[broker_order_id]
        new = self.have(
            request.client_order_id,
            old.symbol,
            str(request.quantity or old.quantity),
            side=old.side,
            order_type=old.order_type,
            limit_price=request.limit_price or old.limit_price,
            stop_price=request.stop_price or old.stop_price,
            replaces=broker_order_id,
        )
        self.orders[broker_order_id] = attrs.evolve(old, status=OrderStatus.REPLACED, replaced_by=new.broker_order_id)
        return new

    async def cancel_all(self) -> None:
        self._call("cancel_all")

    async def close_position(self, symbol: str) -> BrokerOrder:
        self._call("close_position", symbol)
        held = self.held[symbol]
        return self.have(f"closing-{symbol}", symbol, str(abs(held)), side=Side.SELL if held > 0 else Side.BUY)

    async def suspend(self, *, suspended: bool) -> None:
        self._call("suspend", suspended)

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        self._call("order_by_client_id", client_order_id)
        return self.orders.get(f"b-{client_order_id}")

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        self._call("order", broker_order_id)
        return self.orders.get(broker_order_id)

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        self._call("orders_since", since)
        return OrderPage(
            tuple(order for order in self.orders.values() if self.submitted_at[order.broker_order_id] >= since), ()
        )

    async def fills_since(self, since: dt.datetime) -> FillPage:
        self._call("fills_since", since)
        return FillPage(tuple(fill for fill in self.fills if fill.occurred_at >= since), ())

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        self._call("activities_since", since)
        return ActivityPage(tuple(row for row in self.activities if row.occurred_on >= since.date()), ())

    async def positions(self) -> tuple[BrokerPosition, ...]:
        self._call("positions")
        return tuple(BrokerPosition(symbol, qty, Decimal(100), None) for symbol, qty in self.held.items() if qty)

    async def assets(self) -> tuple[Asset, ...]:
        self._call("assets")
        return (Asset("SPY", True, True, True),)

    async def reports(self) -> AsyncIterator[Report]:
        await anyio.sleep_forever()
        yield  # type: ignore[misc]


class LoopTime:
    """The desk's moment of the day, with durations of the loop's time, and those that a test adds (`skipped_s`)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.skipped_s = 0.0

    def now_ns(self) -> int:
        return self._desk.clock.now_ns()

    def now(self) -> dt.datetime:
        return self._desk.clock.now()

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time() + self.skipped_s
        except RuntimeError:  # outside of a story no time passes
            return self.skipped_s

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class NoChance:
    def uniform(self, low: float, high: float) -> float:
        return low


@attrs.define
class Office:
    """A desk with a broker, an outbox, an inbox and what keeps them together."""

    desk: Desk
    broker: ScriptedBroker
    outbox: Outbox
    inbox: Inbox
    follower: Follower

    @classmethod
    def open(
        cls,
        desk: Desk | None = None,
        broker: ScriptedBroker | None = None,
        lease: str = "lease-1",
        *,
        caught_up: bool = True,
    ) -> Office:
        if desk is None:
            desk = Desk.in_memory()
            desk.pin()
        broker = broker or ScriptedBroker()
        outbox = Outbox(desk.ledger, broker, LoopTime(desk), desk.ids, NoChance(), lambda: lease, PACE)
        inbox = Inbox(desk.ledger, broker, desk.ids, "main")
        follower = Follower(desk.ledger.journal)
        if caught_up:
            for listener in (desk.ledger.observe, outbox.observe, inbox.observe):
                follower.listen(listener)
            follower.catch_up()
        return cls(desk, broker, outbox, inbox, follower)

    async def deliver(self, seconds: float = 0.3) -> None:
        """Let the outbox work for a while: so many turns of the loop, however slow the machine is.

        It is stopped between two calls, but for one that does not end: an outbox that is cut off is not begun again.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self.outbox.run)
            for _ in range(round(seconds / _TURN_S)):
                self.follower.catch_up()
                await anyio.sleep(_TURN_S)
            for _ in range(_TURNS_TO_END):
                if not self.outbox._busy:
                    break
                await anyio.sleep(_TURN_S / 10)
            group.cancel_scope.cancel()

    async def deliver_until(self, is_true: Callable[[], bool], what: str) -> None:
        """Let the outbox work until something is so: for waits that have grown."""
        waited = True
        async with anyio.create_task_group() as group:
            group.start_soon(self.outbox.run)
            with anyio.move_on_after(_PATIENCE_S):
                while not is_true():
                    self.follower.catch_up()
                    await anyio.sleep(_TURN_S)
                waited = False
            group.cancel_scope.cancel()
        assert not waited, f"waited {_PATIENCE_S} s in vain for: {what}"

    async def collect(self) -> None:
        self.follower.catch_up()
        await self.inbox.collect()
        self.follower.catch_up()


def engine_of(office: Office, strategy: Strategy | None = None, clock: Clock | None = None, **terms: Any) -> Engine:
    """An engine over the office's outbox and inbox; in real time unless a clock is given."""
    desk = office.desk
    return Engine(
        desk.ledger,
        office.broker,
        strategy or NoStrategy(),
        office.outbox,
        office.inbox,
        Projector(desk.ledger.journal, ALL_VIEWS),
        clock or LoopTime(desk),
        desk.ids,
        Terms("main", Limits(), 30.0, **terms),
    )


UNREACHABLE = BrokerUnreachable("no route to the broker")
