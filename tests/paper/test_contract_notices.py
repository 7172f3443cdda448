"""The broker contract can fail: each planted fault is noticed by the case that is there for it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.paper.staging import FloorStage, opened_floor
from tradecore.errors import AlreadyExists, BrokerRefused, OutcomeUnknown, RefusalReason
from tradecore.ports.broker import (
    BrokerOrder,
    BrokerPosition,
    FillPage,
    OrderReport,
    OrderRequest,
    ReplaceRequest,
    Report,
    StreamConnected,
)
from tradecore.testing.broker_contract import BrokerContract, Play
from tradecore_paper.broker import PaperBroker

pytestmark = pytest.mark.anyio


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


PLANTED: list[tuple[type[PaperBroker], str]] = [
    (RepeatsUnderAnotherId, "b02"),
    (CallsADuplicateRefused, "b02"),
    (CancelsOnlyOnce, "b03"),
    (ForgetsTheReason, "b11"),
    (TellsFillsTwice, "b04"),
    (ReadsBehindTheWatermark, "b04"),
    (SaysNothingFirst, "b05"),
    (RoundsFills, "b05"),
    (ReplacesUnderItsOwnId, "b07"),
    (HidesLegs, "b08"),
    (KnowsNoShort, "b09"),
    (CancelsNone, "b18"),
    (DoesNotSuspend, "b19"),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def failures(broker: type[PaperBroker], number: str) -> list[str]:
    """The cases of that number that do not pass, of those that need no parameter."""
    failed = []
    for name, case in inspect.getmembers(BrokerContract, inspect.iscoroutinefunction):
        if not name.startswith(f"test_{number}_"):
            continue
        marks = [mark for mark in getattr(case, "pytestmark", []) if mark.name == "parametrize"]
        arguments: dict[str, Any] = {"ended": "working"} if number == "b02" else {}
        if number == "b11" and marks:
            arguments = {"changes": {"symbol": "NOSUCHTHING"}, "reasons": {RefusalReason.NOT_TRADABLE}}
        floor = opened_floor()
        try:
            await case(BrokerContract(), Play(FloorStage(broker(floor), floor)), **arguments)
        except (AssertionError, pytest.fail.Exception, BrokerRefused, OutcomeUnknown, TimeoutError):
            failed.append(name)
        finally:
            floor.close()
    return failed


@pytest.mark.parametrize(("broker", "number"), PLANTED, ids=lambda value: getattr(value, "__name__", value))
async def test_a_planted_fault_is_noticed(
    broker: type[PaperBroker], number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradecore.testing.broker_stage.PATIENCE_S", 1.0)
    assert await failures(broker, number) != []


@pytest.mark.parametrize("number", sorted({number for _, number in PLANTED}))
async def test_without_a_fault_every_case_passes(number: str) -> None:
    assert await failures(PaperBroker, number) == []
