"""What the broker contract stands on: a broker, a market that moves when told, and what this broker is able to."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

import anyio
import attrs
import pytest

from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.ports.broker import Broker, BrokerFill, BrokerOrder, OrderReport, OrderRequest, Report

PATIENCE_S = 20.0
_MOVES = 12
_CENT = Decimal("0.01")


class Capability(enum.StrEnum):
    """What a broker may lack. A case that needs more than is declared is skipped, never failed."""

    PARTIAL_FILLS = "partial_fills"
    REPLACE = "replace"
    IMMEDIATE = "immediate"
    STOP = "stop"
    TRAILING_STOP = "trailing_stop"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"
    FRACTIONAL = "fractional"
    NOTIONAL = "notional"
    SHORT = "short"
    WASH_TRADE_CHECK = "wash_trade_check"
    CANCEL_ALL = "cancel_all"
    CLOSE_POSITION = "close_position"
    SUSPEND = "suspend"
    ACTIVITIES = "activities"
    BUST = "bust"
    CORRECT = "correct"


class BrokerStage(Protocol):
    """An account that holds nothing and has no orders, on a market that is open and has a price. Provisional."""

    @property
    def broker(self) -> Broker:
        """What is tested."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it is able to."""

    @property
    def symbol(self) -> str:
        """Something that it trades: whole units of a stock above 10 dollars."""

    def new_id(self) -> str:
        """A client order id that this account never saw."""

    async def price(self) -> Decimal:
        """What `symbol` costs now, about."""

    async def move(self) -> None:
        """Let the market move on a little: an order at the market that was there before has traded, or soon has."""

    async def bust(self, fill: BrokerFill) -> None:
        """Have the market take an execution back."""

    async def correct(self, fill: BrokerFill, price: Decimal) -> None:
        """Have the market tell an execution anew, at another price."""

    async def charge(self, amount: Decimal) -> None:
        """Have the account charged a fee."""


@attrs.frozen
class Play:
    """What the cases do on a stage."""

    stage: BrokerStage

    @property
    def broker(self) -> Broker:
        """The broker of the stage."""
        return self.stage.broker

    def needs(self, *capabilities: Capability) -> None:
        """Skip the case unless the broker declares all of them."""
        missing = sorted(set(capabilities) - self.stage.capabilities)
        if missing:
            pytest.skip(f"this broker does not declare {', '.join(missing)}")

    def request(self, quantity: Decimal | None = Decimal(10), side: Side = Side.BUY, **changes: Any) -> OrderRequest:
        """An order at the market for the day, with changes."""
        usual = OrderRequest(
            client_order_id=self.stage.new_id(),
            symbol=self.stage.symbol,
            side=side,
            quantity=quantity,
            order_type=OrderType.MARKET,
            limit_price=None,
            time_in_force=TimeInForce.DAY,
            extended_hours=False,
        )
        return attrs.evolve(usual, **changes)

    async def at(self, part_of_the_price: str) -> Decimal:
        """A price in cents: a multiple of what the symbol costs now."""
        price = await self.stage.price() * Decimal(part_of_the_price)
        return price.quantize(_CENT, ROUND_HALF_UP)

    async def patient(self, **changes: Any) -> OrderRequest:
        """A limit order to buy, so far below the market that it waits."""
        return self.request(order_type=OrderType.LIMIT, limit_price=await self.at("0.5"), **changes)

    async def until(self, order_id: str, *statuses: OrderStatus) -> BrokerOrder:
        """The order once it stands like that; the market moves meanwhile."""
        order = await self.known(order_id)
        for _ in range(_MOVES):
            if order.status in statuses:
                return order
            await self.stage.move()
            order = await self.known(order_id)
        raise AssertionError(f"{order_id} is {order.status}, and did not become {' or '.join(statuses)}")

    async def working(self, request: OrderRequest) -> BrokerOrder:
        """Submit an order that waits, and see it on the market."""
        return await self.until((await self.broker.submit(request)).broker_order_id, OrderStatus.NEW)

    async def filled(self, request: OrderRequest) -> BrokerOrder:
        """Submit an order and see it filled."""
        return await self.until((await self.broker.submit(request)).broker_order_id, OrderStatus.FILLED)

    async def known(self, order_id: str) -> BrokerOrder:
        """An order that must be there."""
        order = await self.broker.order(order_id)
        assert order is not None, f"{order_id} is not known any more"
        return order

    async def held(self) -> Decimal:
        """The signed position in the symbol."""
        return sum(
            (one.quantity for one in await self.broker.positions() if one.symbol == self.stage.symbol), Decimal(0)
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[AsyncIterator[Report]]:
        """The stream of reports, closed at the end."""
        reports = self.broker.reports()
        try:
            with anyio.fail_after(PATIENCE_S):
                yield reports
        finally:
            await reports.aclose()  # type: ignore[attr-defined]

    async def hear(self, reports: AsyncIterator[Report], enough: Callable[[OrderReport], bool]) -> list[Report]:
        """Everything that is told up to the first report on an order that is enough."""
        told: list[Report] = []
        async for report in reports:
            told.append(report)
            if isinstance(report, OrderReport) and enough(report):
                return told
        raise AssertionError("the stream of reports ended")
