"""`tradecore.ports.broker.Broker` over an exchange in this process.

It speaks the words of the protocol to the exchange and reads them with the same readers as the client over the wire, so
that a strategy meets the same orders, numbers and refusals on both.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import msgspec

from tradecore.errors import OutcomeUnknown, StoreUnavailable
from tradecore.ports.broker import (
    ActivityPage,
    Asset,
    BrokerAccount,
    BrokerOrder,
    BrokerPosition,
    FillPage,
    OrderPage,
    OrderRequest,
    ReplaceRequest,
    Report,
)
from tradecore_alpaca.account_activities import decode_activity
from tradecore_alpaca.bodies import order_body, replace_body
from tradecore_alpaca.classify import failed_instruction
from tradecore_alpaca.decode import decode_account, decode_asset, decode_fill_activity, decode_position
from tradecore_alpaca.http import Answer
from tradecore_alpaca.order_json import decode_order
from tradecore_exchange import Done, Floor, Refusal, Submitted
from tradecore_exchange.activities import NON_TRADE_KINDS, TRADE_KINDS
from tradecore_exchange.instants import as_datetime, nanoseconds
from tradecore_exchange.orders import Order
from tradecore_exchange.refusals import Refused
from tradecore_exchange.requests import order_request, read_object, replace_request
from tradecore_exchange.wire import activity_json, order_json
from tradecore_exchange.wire_account import account_json, asset_json, position_json
from tradecore_paper.closing import closing_request
from tradecore_paper.reporting import Reporter

Success = TypeVar("Success", Submitted, Done)
Result = TypeVar("Result")

_NO_TIME = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # what only a rate limit looks at, and there is none


class PaperBroker:
    """The account of a floor. The floor is given and not closed here; moving its market is the caller's."""

    def __init__(self, floor: Floor, *, name: str = "paper") -> None:
        self._name = name
        self._floor = floor
        self._reporter = Reporter()
        floor.listen(self._reporter.on_message)

    @property
    def name(self) -> str:
        """The broker's name, as in settings."""
        return self._name

    async def account(self) -> BrokerAccount:
        """The account. Its id follows from the exchange's seed."""
        return decode_account(_text(account_json(self._floor)), paper=True)

    async def now(self) -> dt.datetime:
        """The market's time, UTC."""
        return as_datetime(self._floor.exchange.clock.now_ns)

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Enter an order. Raises `BrokerRefused`, `AlreadyExists`, `OutcomeUnknown` when the store fails."""
        self._floor.count_post(request.client_order_id)
        outcome = self._give(lambda: self._floor.submit(order_request(read_object(order_body(request)))))
        return _order(outcome.order, outcome.legs)

    async def replace(self, broker_order_id: str, request: ReplaceRequest) -> BrokerOrder:
        """Put an order in the place of another. Raises as `submit`."""
        change = read_object(replace_body(request))
        return _order(self._give(lambda: self._floor.replace(broker_order_id, replace_request(change))).order)

    async def cancel(self, broker_order_id: str) -> None:
        """Ask for a cancel. Raises as `submit`."""
        self._give(lambda: self._floor.cancel(broker_order_id))

    async def cancel_all(self) -> None:
        """Ask for a cancel of every open order; one that is about to end already is left to it. Raises as `submit`."""
        for order_id in [order.id for order in self._floor.exchange.book.open()]:
            self._keeping_books(functools.partial(self._floor.cancel, order_id))
        self._floor.publish()

    async def close_position(self, symbol: str) -> BrokerOrder:
        """Enter a market order that flattens a position. Raises as `submit`."""
        return _order(self._give(lambda: self._floor.submit(closing_request(self._floor, symbol))).order)

    async def suspend(self, *, suspended: bool) -> None:
        """Refuse new orders, or take them again. Raises `OutcomeUnknown` when the store fails."""
        self._floor.exchange.account.configuration.suspend_trade = suspended
        self._keeping_books(self._floor.configuration_changed)

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that client id, or None."""
        order = self._floor.exchange.book.by_client_order_id.get(client_order_id)
        return None if order is None else _order(order)

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        """The order under the exchange's id, with its legs, or None."""
        by_id = self._floor.exchange.book.by_id
        order = by_id.get(broker_order_id)
        return None if order is None else _order(order, [by_id[leg_id] for leg_id in order.leg_ids])

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        """Every order submitted at or after `since`, oldest first."""
        since_ns = nanoseconds(since)
        orders = (order for order in self._floor.exchange.book.all if order.submitted_ns >= since_ns)
        return OrderPage(tuple(_order(order) for order in orders), ())

    async def fills_since(self, since: dt.datetime) -> FillPage:
        """Every execution at or after `since`, oldest first."""
        return FillPage(tuple(decode_fill_activity(line) for line in self._lines(since, TRADE_KINDS)), ())

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        """Every change of the account without an order, oldest first."""
        return ActivityPage(tuple(decode_activity(line) for line in self._lines(since, NON_TRADE_KINDS)), ())

    async def positions(self) -> tuple[BrokerPosition, ...]:
        """Every open position."""
        held = self._floor.exchange.account.positions
        return tuple(decode_position(_text(position_json(self._floor, held[symbol]))) for symbol in sorted(held))

    async def assets(self) -> tuple[Asset, ...]:
        """Every asset of the exchange."""
        exchange = self._floor.exchange
        return tuple(decode_asset(_text(asset_json(name, exchange.options.terms(name)))) for name in exchange.symbols)

    def reports(self) -> AsyncIterator[Report]:
        """The stream of reports; it is never lost."""
        return self._reporter.reports()

    def _lines(self, since: dt.datetime, kinds: frozenset[str]) -> Iterable[bytes]:
        since_ns = nanoseconds(since)
        for one in self._floor.exchange.activities:
            if one.at_ns >= since_ns and one.kind in kinds:
                yield _text(activity_json(one))

    def _give(self, instruction: Callable[[], Success | Refusal]) -> Success:
        try:
            outcome = self._keeping_books(instruction)
        except Refused as refused:
            outcome = refused.refusal
        if isinstance(outcome, Refusal):
            raise failed_instruction(Answer(outcome.status, _text(outcome.body)), _NO_TIME)
        self._floor.publish()
        return outcome

    def _keeping_books(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except StoreUnavailable as error:
            reason = f"the exchange cannot keep its books: {error}"
        raise OutcomeUnknown(reason)


def _order(order: Order, legs: Iterable[Order] = ()) -> BrokerOrder:
    return decode_order(_text(order_json(order, legs)))


def _text(body: object) -> bytes:
    return msgspec.json.encode(body)
