"""The broker, as a need.

An *instruction* (`submit`, `replace`, `cancel`, `cancel_all`, `close_position`, `suspend`) is one attempt: an
implementation never repeats it on its own. It ends in exactly one of: a value (done), `BrokerRefused` or
`BrokerUnauthorized` (definitely not done), `NotSent` (never reached the broker), or `OutcomeUnknown`.
A *question* may be repeated; without an answer it raises `BrokerUnreachable`, for an answer that cannot be read
`ProtocolError`, for wrong keys `BrokerUnauthorized`. Only the outbox gives instructions.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Side, TimeInForce

EVER = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
"""Before everything that a broker can tell: asks for all there is."""


Veto = Callable[[], str | None]
"""Why a request must not be sent any more, or None. Who lets a request wait asks again just before it leaves."""


def no_veto() -> str | None:
    """Nothing is against it."""
    return None


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class OrderRequest:
    """What is sent to the broker. Quantity in units, prices and `notional` in account currency.

    The terms are those of `tradecore.domain.terms.Terms`.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    extended_hours: bool
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    veto: Veto = attrs.field(default=no_veto, eq=False, repr=False)


@attrs.frozen
class ReplaceRequest:
    """What a working order is to become, under a new client order id. What is None stays as it is.

    `quantity` is the new order's own, beside what the old one has filled. None is for legs, which the broker sizes.
    """

    client_order_id: str
    quantity: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail: Decimal | None
    time_in_force: TimeInForce | None
    veto: Veto = attrs.field(default=no_veto, eq=False, repr=False)


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class BrokerOrder:
    """An order as the broker tells it. `status` is None when the broker used a word that is not in `OrderStatus`.

    `legs` are the orders that it brought along, where the broker was asked to tell them; `replaces` and `replaced_by`
    are broker order ids.
    """

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
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str = ""
    order_class: str = ""
    legs: tuple[BrokerOrder, ...] = ()
    replaces: str | None = None
    replaced_by: str | None = None


class Execution(enum.StrEnum):
    """What an execution message says: shares traded, or that an earlier one did not happen, or not like that."""

    TRADE = "trade"
    BUST = "bust"
    CORRECT = "correct"


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class BrokerFill:
    """One execution as the broker tells it. `execution_id` is the source's own name for it.

    A bust or a correction names the execution that it undoes in `previous_execution_id`, where the source says which.

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
    execution: Execution = Execution.TRADE
    previous_execution_id: str | None = None


class ActivityKind(enum.StrEnum):
    """Why an account changed other than by an execution."""

    DIVIDEND = "dividend"
    FEE = "fee"
    INTEREST = "interest"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    SPLIT = "split"
    OTHER = "other"


@attrs.frozen
class BrokerActivity:
    """A change of the account that no order made. `amount` is signed cash, `quantity` a signed change of units."""

    activity_id: str
    kind: ActivityKind
    symbol: str | None
    amount: Decimal
    quantity: Decimal
    occurred_on: dt.date
    raw: str


@attrs.frozen
class ActivityPage:
    """The activities that could be read, and what could not."""

    activities: tuple[BrokerActivity, ...]
    unreadable: tuple[UnknownReport, ...]


@attrs.frozen
class BrokerPosition:
    """A position as the broker tells it; `quantity` is signed."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    current_price: Decimal | None


@attrs.frozen
class BrokerAccount:
    """The account behind the keys. Amounts in `currency`.

    `trading_blocked` for whatever reason; `suspended` when the switch that `suspend` turns is one.
    """

    account_id: str
    paper: bool
    currency: str
    cash: Decimal
    equity: Decimal
    trading_blocked: bool
    raw: str
    suspended: bool = False


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
class StreamLost:
    """The stream of reports is lost: from here on nothing is heard until it is connected again."""

    reason: str


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


Report = StreamConnected | StreamLost | OrderReport | UnknownReport


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

    async def replace(self, broker_order_id: str, request: ReplaceRequest) -> BrokerOrder:
        """Ask for a replacement, once; the answer is the new order, which may still not come to be. As `submit`."""

    async def cancel_all(self) -> None:
        """Ask for a cancel of every open order of the account, ours or not, once. Raises as `submit`."""

    async def close_position(self, symbol: str) -> BrokerOrder:
        """Ask the broker to flatten a position, once. Its order carries no client order id of ours: for emergencies."""

    async def suspend(self, *, suspended: bool) -> None:
        """Make the broker itself refuse new orders of this account, or take them again. Raises as `submit`."""

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that client id, or None when the broker shows none (yet). Raises `BrokerUnreachable`."""

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        """The order under the broker's id, with its legs, or None. Raises `BrokerUnreachable`."""

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        """Every order, open or not, submitted at or after `since`, oldest first. Raises `BrokerUnreachable`."""

    async def fills_since(self, since: dt.datetime) -> FillPage:
        """Every execution at or after `since`, oldest first, all pages. Raises `BrokerUnreachable`."""

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        """Every change of the account that no order made, at or after `since`, oldest first, all pages."""

    async def positions(self) -> tuple[BrokerPosition, ...]:
        """Every open position. Raises `BrokerUnreachable`."""

    async def assets(self) -> tuple[Asset, ...]:
        """Every active asset. Raises `BrokerUnreachable`."""

    def reports(self) -> AsyncIterator[Report]:
        """The stream of reports: reconnects for ever, `StreamConnected` first after each connect.

        Raises `BrokerUnauthorized` when the keys are refused.
        """
