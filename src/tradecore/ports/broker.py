"""The broker, as a need.

An *instruction* (`submit`, `cancel`) is one attempt: an implementation never repeats it on its own. It ends in exactly
one of: a value (done), `BrokerRefused` or `BrokerUnauthorized` (definitely not done), `NotSent` (never reached the
broker), or `OutcomeUnknown`.
A *question* may be repeated; without an answer it raises `BrokerUnreachable`, for an answer that cannot be read
`ProtocolError`, for wrong keys `BrokerUnauthorized`. Only the outbox gives instructions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce

EVER = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
"""Before everything that a broker can tell: asks for all there is."""


@attrs.frozen
class OrderRequest:
    """What is sent to the broker. Quantity in units, prices in account currency."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    extended_hours: bool


@attrs.frozen
class BrokerOrder:
    """An order as the broker tells it. `status` is None when the broker used a word that is not in `OrderStatus`."""

    broker_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: str
    status: OrderStatus | None
    filled_qty: Decimal
    filled_avg_price: Decimal | None
    updated_at: dt.datetime
    raw: str


@attrs.frozen
class BrokerFill:
    """One execution as the broker tells it. `execution_id` is the source's own name for it.

    `cumulative_qty` is what was filled of the order with this execution; `client_order_id` is None where the source
    does not say.
    """

    broker_order_id: str
    client_order_id: str | None
    execution_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    cumulative_qty: Decimal
    fees: Decimal
    occurred_at: dt.datetime
    source: str
    raw: str


@attrs.frozen
class BrokerPosition:
    """A position as the broker tells it; `quantity` is signed."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    current_price: Decimal | None


@attrs.frozen
class BrokerAccount:
    """The account behind the keys. Amounts in `currency`."""

    account_id: str
    paper: bool
    currency: str
    cash: Decimal
    equity: Decimal
    trading_blocked: bool
    raw: str


@attrs.frozen
class Asset:
    """Something that the broker trades."""

    symbol: str
    tradable: bool
    fractionable: bool
    shortable: bool


@attrs.frozen
class StreamConnected:
    """The stream of reports is (again) connected: what happened meanwhile must be read again."""


@attrs.frozen
class OrderReport:
    """A message of the stream about an order, with the fill it carries, if any."""

    order: BrokerOrder
    event: str
    fill: BrokerFill | None


@attrs.frozen
class UnknownReport:
    """A message of the stream that the adapter cannot read: to be parked, and a reason to read again."""

    reason: str
    raw: str


Report = StreamConnected | OrderReport | UnknownReport


@attrs.frozen
class FillPage:
    """The executions that could be read, and what could not."""

    fills: tuple[BrokerFill, ...]
    unreadable: tuple[UnknownReport, ...]


@attrs.frozen
class OrderPage:
    """The orders that could be read, and what could not."""

    orders: tuple[BrokerOrder, ...]
    unreadable: tuple[UnknownReport, ...]


class Broker(Protocol):
    """A broker account, reached over whatever wire."""

    @property
    def name(self) -> str:
        """The broker's name, as in settings."""

    async def account(self) -> BrokerAccount:
        """The account behind the keys. Raises `BrokerUnauthorized`, `BrokerUnreachable`, `ProtocolError`."""

    async def now(self) -> dt.datetime:
        """The time on the broker's own clock, UTC. Raises `BrokerUnreachable`."""

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order, once. Raises `BrokerRefused`, `BrokerUnauthorized`, `NotSent`, `OutcomeUnknown`."""

    async def cancel(self, broker_order_id: str) -> None:
        """Ask for a cancel, once; the order is canceled only when its status says so. Raises as `submit`."""

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that client id, or None when the broker shows none (yet). Raises `BrokerUnreachable`."""

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        """The order under the broker's id, or None. Raises `BrokerUnreachable`."""

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        """Every order, open or not, submitted at or after `since`, oldest first. Raises `BrokerUnreachable`."""

    async def fills_since(self, since: dt.datetime) -> FillPage:
        """Every execution at or after `since`, oldest first, all pages. Raises `BrokerUnreachable`."""

    async def positions(self) -> tuple[BrokerPosition, ...]:
        """Every open position. Raises `BrokerUnreachable`."""

    async def assets(self) -> tuple[Asset, ...]:
        """Every active asset. Raises `BrokerUnreachable`."""

    def reports(self) -> AsyncIterator[Report]:
        """The stream of reports: reconnects for ever, `StreamConnected` first after each connect.

        Raises `BrokerUnauthorized` when the keys are refused.
        """
