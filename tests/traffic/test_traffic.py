"""Every case in five ways: by the stream, twice, backwards, by the record, by both one after the other.

Real frames and rows go through Alpaca's decoding into inbox and ledger; what comes out is what was written down.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, ScriptedBroker
from tests.traffic.cases import CASES, Case
from tests.traffic.wire import Wire
from tests.virtual_time import run_story
from tradecore.ports.broker import BrokerFill, FillPage
from tradecore.verify import verify
from tradecore_alpaca.activities import in_order
from tradecore_alpaca.decode import decode_fill_activity
from tradecore_alpaca.order_json import decode_order
from tradecore_alpaca.trade_update import read_report

WAYS = ("stream", "twice", "backwards", "record", "record and stream")


class Records(ScriptedBroker):
    """A broker whose lists hold what a wire said."""

    async def fills_since(self, since: dt.datetime) -> FillPage:
        return FillPage(tuple(self.fills), ())

    def keep(self, wire: Wire) -> None:
        order = decode_order(json.dumps(wire.order()).encode())
        self.orders[order.broker_order_id] = order
        self.submitted_at[order.broker_order_id] = NOON
        rows: list[BrokerFill] = [decode_fill_activity(row) for row in wire.activities]
        self.fills.extend(in_order(tuple(rows)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_ledger_is_what_the_broker_said(case: Case, way: str) -> None:
    async def story() -> None:
        desk = Desk.in_memory()
        desk.pin(positions=[("SPY", "10", "90")] if case.side == "sell" else ())
        broker = Records()
        office = Office.open(desk, broker)
        order_id = desk.live(case.side, case.quantity)
        office.follower.catch_up()
        wire = Wire(desk.order(order_id).client_order_id, f"b-{order_id}", case.side, case.quantity)
        wire.tell(case.story)
        if way.startswith("record"):
            broker.keep(wire)
            await office.collect()
        frames = {
            "stream": wire.frames,
            "twice": [frame for frame in wire.frames for _ in range(2)],
            "backwards": wire.frames[::-1],
            "record": [],
            "record and stream": wire.frames,
        }[way]
        for frame in frames:
            await office.inbox.take(read_report(frame))
            office.follower.catch_up()
        order = desk.order(order_id)
        assert (order.status.value, order.filled_qty) == (case.status, Decimal(case.filled))
        assert desk.account.position("SPY").quantity == Decimal(case.position)
        assert desk.account.cash == Decimal(case.cash)
        assert case.trade in ("-", desk.trade_of(order_id).status.value)
        assert (order_id in desk.account.reservations) is not order.status.is_terminal
        assert "system.report.parked" not in desk.names()
        assert verify(desk.ledger.journal).findings == ()

    run_story(story)
