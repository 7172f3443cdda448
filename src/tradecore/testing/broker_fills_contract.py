"""Executions: on the stream and in the record, the same and once each. Cases B04 to B06 and B12."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain.values import OrderStatus, OrderType, Side
from tradecore.ports.broker import (
    EVER,
    BrokerFill,
    Execution,
    OrderReport,
    ReplaceRequest,
    StreamConnected,
    UnknownReport,
)
from tradecore.testing.broker_stage import Capability, Play


def told(fill: BrokerFill) -> tuple[object, ...]:
    """What an execution says, whichever source it comes from."""
    return (fill.broker_order_id, fill.cumulative_qty, fill.quantity, fill.price, fill.side, fill.symbol)


class FillsContract:
    """Cases on executions."""

    async def test_b04_the_record_has_every_execution_once(self, play: Play) -> None:
        orders = [await play.filled(play.request(Decimal(quantity))) for quantity in (3, 5)]
        page = await play.broker.fills_since(EVER)
        assert page.unreadable == ()
        assert len({fill.execution_id for fill in page.fills}) == len(page.fills)
        assert [fill.occurred_at for fill in page.fills] == sorted(fill.occurred_at for fill in page.fills)
        for order in orders:
            fills = [fill for fill in page.fills if fill.broker_order_id == order.broker_order_id]
            assert sum(fill.quantity for fill in fills) == order.filled_qty == order.quantity
            assert fills[-1].cumulative_qty == order.filled_qty
            assert all(fill.price > 0 and fill.execution is Execution.TRADE for fill in fills)
            assert all(fill.occurred_at.utcoffset() == dt.timedelta(0) for fill in fills)

    async def test_b04_reading_again_from_a_fill_tells_it_again(self, play: Play) -> None:
        """Whoever reads from a watermark must not lose the execution that stands on it."""
        await play.filled(play.request())
        last = (await play.broker.fills_since(EVER)).fills[-1]
        again = (await play.broker.fills_since(last.occurred_at)).fills
        assert last.execution_id in {fill.execution_id for fill in again}

    async def test_b05_the_stream_says_first_that_it_is_connected(self, play: Play) -> None:
        async with play.listening() as reports:
            assert await anext(reports) == StreamConnected()

    async def test_b05_stream_and_record_tell_the_same(self, play: Play) -> None:
        async with play.listening() as reports:
            await anext(reports)
            order = await play.filled(play.request())
            heard = await play.hear(reports, lambda report: report.order.status is OrderStatus.FILLED)
        assert not [report for report in heard if isinstance(report, UnknownReport)]
        ours = [report for report in heard if isinstance(report, OrderReport)]
        assert {report.order.broker_order_id for report in ours} == {order.broker_order_id}
        streamed = [told(report.fill) for report in ours if report.fill is not None]
        assert streamed == [told(fill) for fill in (await play.broker.fills_since(EVER)).fills]

    async def test_b05_an_end_without_a_fill_is_told(self, play: Play) -> None:
        async with play.listening() as reports:
            await anext(reports)
            order = await play.working(await play.patient())
            await play.broker.cancel(order.broker_order_id)
            await play.until(order.broker_order_id, OrderStatus.CANCELED)
            heard = await play.hear(reports, lambda report: report.order.status is OrderStatus.CANCELED)
        assert all(report.fill is None for report in heard if isinstance(report, OrderReport))

    async def test_b06_parts_add_up(self, play: Play) -> None:
        play.needs(Capability.PARTIAL_FILLS)
        async with play.listening() as reports:
            await anext(reports)
            order = await play.filled(play.request(Decimal(100)))
            heard = await play.hear(reports, lambda report: report.order.status is OrderStatus.FILLED)
        fills = (await play.broker.fills_since(EVER)).fills
        assert len(fills) > 1
        sums = [sum((fill.quantity for fill in fills[: end + 1]), Decimal(0)) for end in range(len(fills))]
        assert [fill.cumulative_qty for fill in fills] == sums
        assert sums[-1] == order.quantity
        between = [report.order for report in heard if isinstance(report, OrderReport) and report.fill is not None]
        assert [one.filled_qty for one in between] == sums
        assert {one.status for one in between[:-1]} == {OrderStatus.PARTIALLY_FILLED}

    async def test_b06_what_is_left_of_a_part_can_be_replaced_without_buying_more(self, play: Play) -> None:
        play.needs(Capability.PARTIAL_FILLS, Capability.REPLACE)
        dear = await play.at("1.2")
        order = await play.broker.submit(play.request(Decimal(100), order_type=OrderType.LIMIT, limit_price=dear))
        part = await play.until(order.broker_order_id, OrderStatus.PARTIALLY_FILLED)
        left = Decimal(100) - part.filled_qty
        change = ReplaceRequest(play.stage.new_id(), left, await play.at("1.1"), None, None, None)
        new = await play.broker.replace(part.broker_order_id, change)
        filled = await play.until(new.broker_order_id, OrderStatus.FILLED)
        assert filled.filled_qty == left
        assert await play.held() == 100

    async def test_b12_a_bust_takes_an_execution_back(self, play: Play) -> None:
        play.needs(Capability.BUST)
        before = (await play.broker.account()).cash
        async with play.listening() as reports:
            await anext(reports)
            order = await play.filled(play.request())
            heard = await play.hear(reports, lambda report: report.order.status is OrderStatus.FILLED)
            (fill,) = [one.fill for one in heard if isinstance(one, OrderReport) and one.fill is not None]
            await play.stage.bust(fill)
            heard = await play.hear(reports, lambda report: report.fill is not None)
        busted = heard[-1]
        assert isinstance(busted, OrderReport)
        assert busted.fill is not None
        assert busted.fill.execution is Execution.BUST
        assert busted.fill.previous_execution_id == fill.execution_id
        assert busted.fill.broker_order_id == order.broker_order_id
        assert (busted.fill.quantity, busted.order.filled_qty) == (fill.quantity, Decimal(0))
        assert await play.held() == 0
        assert (await play.broker.account()).cash == before
        record = (await play.broker.fills_since(EVER)).fills
        assert [one.execution for one in record] == [Execution.TRADE, Execution.BUST]

    async def test_b12_a_correction_tells_it_anew(self, play: Play) -> None:
        play.needs(Capability.CORRECT)
        before = (await play.broker.account()).cash
        async with play.listening() as reports:
            await anext(reports)
            await play.filled(play.request(side=Side.BUY))
            heard = await play.hear(reports, lambda report: report.order.status is OrderStatus.FILLED)
            (fill,) = [one.fill for one in heard if isinstance(one, OrderReport) and one.fill is not None]
            better = fill.price - Decimal("0.01")
            await play.stage.correct(fill, better)
            heard = await play.hear(reports, lambda report: report.fill is not None)
        corrected = heard[-1]
        assert isinstance(corrected, OrderReport)
        assert corrected.fill is not None
        assert corrected.fill.execution is Execution.CORRECT
        assert corrected.fill.previous_execution_id == fill.execution_id
        assert (corrected.fill.quantity, corrected.fill.price) == (fill.quantity, better)
        assert await play.held() == fill.quantity
        spent = before - (await play.broker.account()).cash
        assert abs(spent - better * fill.quantity) < Decimal("0.01")
