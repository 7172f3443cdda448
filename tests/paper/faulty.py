"""Brokers that break one promise each, by the number of the case that is there for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import ROUND_UP, Decimal
from typing import Any

import attrs

from tradecore.domain.values import OrderClass, OrderType, TimeInForce
from tradecore.errors import AlreadyExists, BrokerRefused
from tradecore.ports.broker import (
    ActivityPage,
    BrokerAccount,
    BrokerOrder,
    BrokerPosition,
    Execution,
    FillPage,
    OrderReport,
    OrderRequest,
    ReplaceRequest,
    Report,
    StreamConnected,
)
from tradecore_paper.broker import PaperBroker


class RepeatsUnderAnotherId(PaperBroker):
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        try:
            return await super().submit(request)
        except AlreadyExists:
            again = attrs.evolve(request, client_order_id=f"{request.client_order_id}-2")
            return attrs.evolve(await super().submit(again), client_order_id=request.client_order_id)


class CallsADuplicateRefused(PaperBroker):
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        try:
            return await super().submit(request)
        except AlreadyExists:
            raise BrokerRefused(422, None, "client_order_id must be unique") from None


class CancelsOnlyOnce(PaperBroker):
    async def cancel(self, broker_order_id: str) -> None:
        order = await self.order(broker_order_id)
        if order is not None and order.status == "canceled":
            raise BrokerRefused(422, None, "already canceled")
        await super().cancel(broker_order_id)


class ForgetsTheReason(PaperBroker):
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        try:
            return await super().submit(request)
        except BrokerRefused as refused:
            raise BrokerRefused(refused.status, refused.code, refused.message) from None


class TellsFillsTwice(PaperBroker):
    async def fills_since(self, since: object) -> FillPage:
        page = await super().fills_since(since)  # type: ignore[arg-type]
        return FillPage(page.fills + page.fills[:1], ())


class ReadsBehindTheWatermark(PaperBroker):
    async def fills_since(self, since: object) -> FillPage:
        page = await super().fills_since(since)  # type: ignore[arg-type]
        return FillPage(tuple(fill for fill in page.fills if fill.occurred_at > since), ())  # type: ignore[operator]


class SaysNothingFirst(PaperBroker):
    async def reports(self) -> AsyncIterator[Report]:
        async for report in super().reports():
            if report != StreamConnected():
                yield report


class RoundsFills(PaperBroker):
    async def reports(self) -> AsyncIterator[Report]:
        async for report in super().reports():
            if isinstance(report, OrderReport) and report.fill is not None:
                price = report.fill.price + Decimal("0.000000001")
                report = attrs.evolve(report, fill=attrs.evolve(report.fill, price=price))  # noqa: PLW2901
            yield report


class KnowsNoShort(PaperBroker):
    async def positions(self) -> tuple[BrokerPosition, ...]:
        return tuple(attrs.evolve(one, quantity=abs(one.quantity)) for one in await super().positions())


class HidesLegs(PaperBroker):
    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        order = await super().order(broker_order_id)
        return order and attrs.evolve(order, legs=())


class ReplacesUnderItsOwnId(PaperBroker):
    async def replace(self, broker_order_id: str, request: ReplaceRequest) -> BrokerOrder:
        own = attrs.evolve(request, client_order_id=f"own-{request.client_order_id}")
        return await super().replace(broker_order_id, own)


class DoesNotSuspend(PaperBroker):
    async def suspend(self, *, suspended: bool) -> None:
        return


class CancelsNone(PaperBroker):
    async def cancel_all(self) -> None:
        return


class ForgetsClientIds(PaperBroker):
    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        return None


class LosesAPart(PaperBroker):
    async def fills_since(self, since: dt.datetime) -> FillPage:
        return FillPage((await super().fills_since(since)).fills[1:], ())


class ForgetsBusts(PaperBroker):
    async def fills_since(self, since: dt.datetime) -> FillPage:
        fills = (await super().fills_since(since)).fills
        return FillPage(tuple(fill for fill in fills if fill.execution is Execution.TRADE), ())


class HasLocalTime(PaperBroker):
    async def now(self) -> dt.datetime:
        return (await super().now()).astimezone(dt.timezone(dt.timedelta(hours=-5)))


class Alters(PaperBroker):
    """Enters something else than what was asked for."""

    def altered(self, request: OrderRequest) -> dict[str, Any]:
        raise NotImplementedError

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        return await super().submit(attrs.evolve(request, **self.altered(request)))


class RoundsQuantities(Alters):
    def altered(self, request: OrderRequest) -> dict[str, Any]:
        return {"quantity": request.quantity and request.quantity.to_integral_value(ROUND_UP)}


class LetsItWait(Alters):
    def altered(self, request: OrderRequest) -> dict[str, Any]:
        return {"time_in_force": TimeInForce.DAY}


class MakesStopsMarketOrders(Alters):
    def altered(self, request: OrderRequest) -> dict[str, Any]:
        return {"order_type": OrderType.MARKET, "stop_price": None, "trail_price": None, "limit_price": None}


class DropsTheStop(Alters):
    def altered(self, request: OrderRequest) -> dict[str, Any]:
        return {"order_class": OrderClass.SIMPLE, "stop_loss": None, "take_profit": None}


class TakesMoneyForUnits(Alters):
    def altered(self, request: OrderRequest) -> dict[str, Any]:
        return {"notional": None, "quantity": request.quantity or request.notional}


class CancelsTheClose(PaperBroker):
    async def close_position(self, symbol: str) -> BrokerOrder:
        closing = await super().close_position(symbol)
        await self.cancel(closing.broker_order_id)
        return closing


class HidesFees(PaperBroker):
    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        return ActivityPage((), ())


class ShowsCashTooHigh(PaperBroker):
    """By what it spent: it shows what was there in the morning."""

    async def account(self) -> BrokerAccount:
        return attrs.evolve(await super().account(), cash=Decimal(100_000))


PLANTED: list[tuple[type[PaperBroker], str]] = [
    (ForgetsClientIds, "b01"),
    (RepeatsUnderAnotherId, "b02"),
    (CallsADuplicateRefused, "b02"),
    (CancelsOnlyOnce, "b03"),
    (TellsFillsTwice, "b04"),
    (ReadsBehindTheWatermark, "b04"),
    (SaysNothingFirst, "b05"),
    (RoundsFills, "b05"),
    (LosesAPart, "b06"),
    (ReplacesUnderItsOwnId, "b07"),
    (HidesLegs, "b08"),
    (KnowsNoShort, "b09"),
    (RoundsQuantities, "b10"),
    (ForgetsTheReason, "b11"),
    (ForgetsBusts, "b12"),
    (HasLocalTime, "b13"),
    (LetsItWait, "b14"),
    (MakesStopsMarketOrders, "b15"),
    (DropsTheStop, "b16"),
    (TakesMoneyForUnits, "b17"),
    (CancelsNone, "b18"),
    (DoesNotSuspend, "b19"),
    (CancelsTheClose, "b20"),
    (HidesFees, "b21"),
    (ShowsCashTooHigh, "b22"),
]
