"""What the stream says becomes reports, word for word; what cannot be read is parked whole."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.alpaca.recorded import AUTHORIZED, LISTENING, ORDER, update
from tests.alpaca.scripted_socket import Peer
from tests.alpaca.standing import Standing
from tests.alpaca.streaming import take, telling
from tradecore.domain.values import OrderStatus
from tradecore.ports.broker import Execution, OrderReport, StreamConnected, UnknownReport

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("binary", [True, False])
async def test_a_fill_is_told_with_its_order(standing: Standing, binary: bool) -> None:
    standing.socket.scripts = [telling(update("fill"), binary=binary)]
    connected, report = await take(standing.broker.reports(), 2)
    assert connected == StreamConnected()
    assert isinstance(report, OrderReport)
    assert (report.event, report.order.status) == ("fill", OrderStatus.FILLED)
    assert json.loads(report.order.raw) == ORDER
    fill = report.fill
    assert fill is not None
    assert (fill.source, fill.execution_id) == ("stream", "0b6ce4b6-0000-4000-8000-000000000001")
    assert (fill.client_order_id, fill.broker_order_id) == ("tc-1", ORDER["id"])
    assert (fill.quantity, fill.price, fill.fees) == (Decimal("0.057436865"), Decimal("86.878"), Decimal(0))
    assert fill.cumulative_qty == Decimal("0.057436865")
    assert json.loads(fill.raw) == update("fill")


async def test_other_events_tell_no_fill(standing: Standing) -> None:
    """`new` has an execution id of its own; a quantity and a price do not make it a fill."""
    events = ["pending_new", "accepted", "new", "canceled", "order_cancel_rejected", "restated", "held", "replaced"]
    standing.socket.scripts = [telling(*(update(event, {"status": "new"}) for event in events))]
    _, *reports = await take(standing.broker.reports(), 1 + len(events))
    assert [(report.event, report.fill) for report in reports if isinstance(report, OrderReport)] == [
        (event, None) for event in events
    ]


PARKED: dict[str, object] = {
    "unknown event": update("exploded"),
    "unknown status": update("fill", {"status": "accepted_for_bidding"}),
    "bust of nothing": update("trade_bust", qty="0"),
    "bust without an id": update("trade_bust", execution_id=None),
    "correction beyond the total": update("trade_correct", qty="2"),
    "an order with a strange leg": update("new", {"status": "new", "legs": [{"id": ""}]}),
    "status of tomorrow": update("pending_review", {"status": "pending_review"}),
    "unknown side": update("new", {"side": ""}),
    "fill without execution id": update("fill", execution_id=None),
    "fill without time": update("fill", timestamp=None),
    "fill without price": update("fill", price=None),
    "fill of NaN": update("partial_fill", qty="NaN"),
    "fill beyond the total": update("fill", qty="2"),
    "order missing": {"stream": "trade_updates", "data": {"event": "fill"}},
    "other stream": {"stream": "gossip", "data": {}},
    "no frame": {"hello": 1},
    "not JSON": "garbage",
    "not text": b"\xff\xfe\x00",
    "empty": b"",
    "list": [1],
    "too deep": "[" * 50_000,
}


@pytest.mark.parametrize("message", PARKED.values(), ids=PARKED.keys())
async def test_what_cannot_be_read_is_parked_whole_and_the_stream_goes_on(standing: Standing, message: object) -> None:
    standing.socket.scripts = [telling(message, update("fill"))]
    _, parked, after = await take(standing.broker.reports(), 3)
    assert isinstance(parked, UnknownReport)
    assert parked.reason
    if isinstance(message, dict | list):
        assert json.loads(parked.raw) == message
    elif isinstance(message, str):
        assert parked.raw == message
    assert isinstance(after, OrderReport)
    assert len(standing.socket.peers) == 1


async def test_a_bust_names_what_it_takes_back(standing: Standing) -> None:
    after = {"status": "canceled", "filled_qty": "0"}
    bust = update("trade_bust", after, execution_id="x2", previous_execution_id="x1", reason="TRADE_BUST")
    standing.socket.scripts = [telling(bust)]
    _, report = await take(standing.broker.reports(), 2)
    assert isinstance(report, OrderReport)
    assert report.fill is not None
    assert (report.fill.execution, report.fill.previous_execution_id) == (Execution.BUST, "x1")
    assert (report.fill.quantity, report.fill.cumulative_qty) == (Decimal("0.057436865"), Decimal(0))
    assert json.loads(report.fill.raw)["data"]["reason"] == "TRADE_BUST"


async def test_a_correction_tells_the_new_terms(standing: Standing) -> None:
    corrected = update("trade_correct", execution_id="x2", previous_execution_id="x1", price="86.00")
    standing.socket.scripts = [telling(corrected)]
    _, report = await take(standing.broker.reports(), 2)
    assert isinstance(report, OrderReport)
    assert report.fill is not None
    assert (report.fill.execution, report.fill.execution_id) == (Execution.CORRECT, "x2")
    assert (report.fill.previous_execution_id, report.fill.price) == ("x1", Decimal(86))


async def test_a_reversal_of_an_unnamed_execution(standing: Standing) -> None:
    standing.socket.scripts = [telling(update("trade_bust", {"filled_qty": "0"}))]
    _, report = await take(standing.broker.reports(), 2)
    assert isinstance(report, OrderReport)
    assert report.fill is not None
    assert report.fill.previous_execution_id is None


async def test_replaced_carries_the_old_order(standing: Standing) -> None:
    standing.socket.scripts = [telling(update("replaced", {"status": "replaced", "replaced_by": "2c1f"}))]
    _, report = await take(standing.broker.reports(), 2)
    assert isinstance(report, OrderReport)
    assert (report.order.broker_order_id, report.order.status) == (ORDER["id"], OrderStatus.REPLACED)
    assert report.order.replaced_by == "2c1f"


async def test_a_leg_is_told_as_the_order_that_it_is(standing: Standing) -> None:
    leg = {"id": "leg", "client_order_id": "of-the-broker", "order_class": "bracket", "status": "new", "type": "stop"}
    parent = {"order_class": "bracket", "legs": [{**ORDER, **leg, "status": "held"}]}
    standing.socket.scripts = [telling(update("fill", parent), update("new", leg))]
    _, filled, born = await take(standing.broker.reports(), 3)
    assert isinstance(filled, OrderReport)
    assert isinstance(born, OrderReport)
    assert [(one.broker_order_id, one.status) for one in filled.order.legs] == [("leg", OrderStatus.HELD)]
    assert (born.order.broker_order_id, born.order.status) == ("leg", OrderStatus.NEW)


async def test_messages_are_told_in_the_order_they_came(standing: Standing) -> None:
    """Also when that is the wrong one: an earlier part after a later one is for the inbox to place."""
    late, early = update("fill"), update("partial_fill", {"filled_qty": "0.01"}, qty="0.01", execution_id="x1")
    standing.socket.scripts = [telling(late, early, binary=True)]
    _, first, second = await take(standing.broker.reports(), 3)
    assert [
        report.fill.execution_id for report in (first, second) if isinstance(report, OrderReport) and report.fill
    ] == [
        "0b6ce4b6-0000-4000-8000-000000000001",
        "x1",
    ]


async def test_a_repeated_message_is_told_again(standing: Standing) -> None:
    """Removing repeats is the inbox's work, by what was filled, not by what was said."""
    standing.socket.scripts = [telling(update("fill"), update("fill"))]
    _, first, second = await take(standing.broker.reports(), 3)
    assert first == second


async def test_messages_between_sign_in_and_listening_are_kept(standing: Standing) -> None:
    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(AUTHORIZED)
        await peer.hear()
        await peer.say(update("fill"), "garbage", LISTENING)
        await peer.stay()

    standing.socket.scripts = [script]
    connected, fill, garbage = await take(standing.broker.reports(), 3)
    assert connected == StreamConnected()
    assert isinstance(fill, OrderReport)
    assert isinstance(garbage, UnknownReport)
