"""Hanging submits do not hold up cancels, and what cannot be booked does not stop the inbox."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import anyio

from tests.delivery.rig import PATIENCE_S, open_rig
from tradecore.domain import commands as cmd
from tradecore.domain.values import Side
from tradecore.ports.broker import BrokerFill


def test_a_cancel_goes_out_while_every_submit_hangs() -> None:
    async def story() -> None:
        async with open_rig(read_timeout_s=2 * PATIENCE_S) as rig:
            resting = rig.place(limit="0.01")
            await rig.until_status(resting, "pending_new", "accepted", "new")
            await rig.arm(kind="hang", ms=120_000, count=20)
            for _ in range(12):
                rig.place(qty="1", symbol="BBB")
            await anyio.sleep(0.1)
            rig.give(cmd.CancelOrder(resting, "test"))
            await rig.until_status(resting, "canceled")
            (await rig.http.delete("/_ctl/faults")).raise_for_status()

    anyio.run(story)


def test_an_execution_at_a_price_of_zero_is_parked_and_the_inbox_goes_on() -> None:
    async def story() -> None:
        async with open_rig(with_stream=False) as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            broker_order = rig.order(order_id).broker_order_id
            assert broker_order is not None
            at = dt.datetime(2024, 1, 2, 15, 0, tzinfo=dt.UTC)
            strange = BrokerFill(
                broker_order,
                None,
                "x",
                "AAA",
                Side.BUY,
                Decimal(1),
                Decimal(0),
                Decimal(1),
                Decimal(0),
                at,
                "test",
                "{}",
            )
            rig.inbox._intake.apply_fill(order_id, strange)
            assert rig.ledger.journal.read(0)[-1].envelope.name == "system.report.parked"
            assert rig.order(order_id).filled_qty == 0

    anyio.run(story)
