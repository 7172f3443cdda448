"""Known problems of the stream: what it drops, repeats and reorders is in the record, and every gap is told."""

from __future__ import annotations

import anyio
import pytest

from tests.alpaca.scene import Scene
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnauthorized
from tradecore.ports.broker import EVER, OrderReport, StreamConnected, StreamLost, UnknownReport
from tradecore.testing.broker_fills_contract import told

pytestmark = pytest.mark.anyio


def is_filled(report: OrderReport) -> bool:
    return report.order.status is OrderStatus.FILLED


@pytest.mark.parametrize("kind", ["stream_drop", "stream_abort"])
async def test_fills_while_the_stream_was_lost_are_in_the_record(scene: Scene, kind: str) -> None:
    """alpaca-py never tells of a loss, and what happened meanwhile is gone for its user."""
    async with scene.listening() as reports:
        assert await anext(reports) == StreamConnected()
        await scene.arm(kind)
        assert isinstance(await anext(reports), StreamLost)
        order = await scene.filled(scene.request())
        assert await anext(reports) == StreamConnected()
    (fill,) = (await scene.broker.fills_since(EVER)).fills
    assert (fill.broker_order_id, fill.cumulative_qty) == (order.broker_order_id, order.quantity)


async def test_a_fill_that_the_stream_never_told_is_in_the_record(scene: Scene) -> None:
    async with scene.listening() as reports:
        await anext(reports)
        await scene.arm("stream_mute", count=9)
        order = await scene.filled(scene.request())
        with pytest.raises(TimeoutError), anyio.fail_after(0.3):
            await anext(reports)
    assert [fill.broker_order_id for fill in (await scene.broker.fills_since(EVER)).fills] == [order.broker_order_id]


async def test_what_is_told_twice_is_the_same_both_times(scene: Scene) -> None:
    """The execution id, the order and its cumulative quantity: by each of them a repeat can be known."""
    async with scene.listening() as reports:
        await anext(reports)
        await scene.arm("duplicate_update", count=9)
        await scene.filled(scene.request())
        heard = [one for one in await scene.hear(reports, is_filled) if isinstance(one, OrderReport)]
        heard.append(await anext(reports))  # type: ignore[arg-type]
    first, second = [report.fill for report in heard if report.fill is not None]
    assert first == second


async def test_what_is_told_out_of_order_still_says_how_far_it_was(scene: Scene) -> None:
    async with scene.listening() as reports:
        await anext(reports)
        await scene.arm("reorder_updates")
        await scene.filled(scene.request())
        heard = [one for one in await scene.hear(reports, is_filled) if isinstance(one, OrderReport)]
    streamed = {told(report.fill) for report in heard if report.fill is not None}
    assert streamed == {told(fill) for fill in (await scene.broker.fills_since(EVER)).fills}


@pytest.mark.parametrize("kind", ["unknown_event", "unknown_status", "non_json", "null_field"])
async def test_a_message_that_cannot_be_read_is_told_whole(scene: Scene, kind: str) -> None:
    """alpaca-py logs and drops it."""
    async with scene.listening() as reports:
        await anext(reports)
        await scene.arm(kind, **({"field": "symbol"} if kind == "null_field" else {}))
        await scene.filled(scene.request())
        heard = await scene.hear(reports, is_filled)
    (parked,) = [report for report in heard if isinstance(report, UnknownReport)]
    assert parked.reason
    assert parked.raw


async def test_a_fill_may_come_before_the_answer_to_its_order(scene: Scene) -> None:
    async with scene.listening() as reports:
        await anext(reports)
        await scene.arm("fill_before_answer", advance=True)
        order = await scene.broker.submit(scene.request())
        heard = await scene.hear(reports, is_filled)
    assert {report.order.broker_order_id for report in heard if isinstance(report, OrderReport)} == {
        order.broker_order_id
    }


async def test_keys_that_are_refused_end_the_stream(scene: Scene) -> None:
    """alpaca-py tries for ever."""
    await scene.arm("refuse_auth", count=9)
    with pytest.raises(BrokerUnauthorized), anyio.fail_after(5):
        async with scene.listening() as reports:
            await anext(reports)
