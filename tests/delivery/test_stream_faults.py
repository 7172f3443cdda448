"""Whatever the stream does, every execution is in the ledger once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.delivery.rig import Rig, open_rig
from tradecore.domain.events import AlertTriggered
from tradecore.reconcile import compare_standing
from tradecore.verify import verify
from tradecore_exchange.trade_hub import Cut

FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "the stream is dropped": {"kind": "stream_drop", "on_update": True},
    "the stream is aborted": {"kind": "stream_abort", "on_update": True},
    "an update comes twice": {"kind": "duplicate_update", "count": 10},
    "an unknown event": {"kind": "unknown_event"},
    "an unknown status": {"kind": "unknown_status"},
    "a null where none may be": {"kind": "null_field"},
    "a frame that is not JSON": {"kind": "non_json"},
    "updates in the wrong order": {"kind": "reorder_updates"},
    "an id that is none": {"kind": "bad_id"},
    "a field that is missing": {"kind": "missing_field"},
    "a word that nobody knows": {"kind": "unknown_word"},
    "an update that comes late": {"kind": "delay_update", "ms": 300},
}
AT_THE_DOOR = ("upgrade_404", "greeting", "resend_new", "auth_mute")
SILENT = ("drop_update", "stream_mute", "stream_freeze", "upgrade_429")


async def one_round_trip(rig: Rig) -> None:
    order_id = rig.place()
    await rig.until_status(order_id, "pending_new", "accepted", "new")
    await rig.advance()
    await rig.until_status(order_id, "filled")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_every_execution_is_recorded_once_whatever_the_stream_does(fault: dict[str, Any]) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            if fault:
                await rig.arm(**({"count": 1} | fault))
            await rig.advance()
            await rig.until_status(order_id, "filled")
            await one_round_trip(rig)
            executions = (await rig.seen())["executions"]
            fills = [e for e in rig.ledger.journal.read(0) if e.envelope.name == "trade.fill.recorded"]
            assert len(fills) == len(executions) == 2
            state = (await rig.http.get("/_ctl/state")).json()
            assert rig.ledger.account("main").cash == Decimal(state["cash"])

    anyio.run(story)


@pytest.mark.parametrize("kind", AT_THE_DOOR)
def test_a_door_that_does_not_open_at_once_hides_no_execution(kind: str) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            await rig.arm(kind=kind, count=1)
            rig.server.service.trades.cut(Cut("stream_drop"))
            await rig.advance(3)
            await rig.until_status(order_id, "filled")
            await one_round_trip(rig)
            assert len((await rig.seen())["executions"]) == 2
            assert rig.ledger.account("main").position("AAA").quantity == 20

    anyio.run(story)


@pytest.mark.parametrize("kind", SILENT)
def test_what_a_stream_keeps_to_itself_is_read_on_the_schedule(kind: str) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            await rig.arm(kind=kind, count=9, ms=60_000)
            if kind == "upgrade_429":  # the place of the old connection is not free yet, which takes a minute
                rig.server.service.trades.cut(Cut("stream_drop"))
            await rig.advance()
            await rig.inbox.collect()
            await rig.until_status(order_id, "filled")
            assert await compare_standing(rig.ledger, rig.broker, "main") == ()

    anyio.run(story)


def test_fills_made_while_disconnected_are_read_again() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            rig.server.service.trades.cut(Cut("stream_drop"))
            await rig.advance(3)
            await rig.until_status(order_id, "filled")

    anyio.run(story)


def test_what_cannot_be_read_is_parked_with_its_raw_text() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            await rig.arm(kind="non_json", count=1)
            await rig.advance()
            await rig.until_status(order_id, "filled")
            await rig.until(
                lambda: any(e.envelope.name == "system.report.parked" for e in rig.ledger.journal.read(0)), "parked"
            )

    anyio.run(story)


def test_somebody_elses_order_is_adopted_so_that_positions_agree() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            body = {"symbol": "AAA", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
            (await rig.http.post("/v2/orders", json=body)).raise_for_status()
            await rig.advance()
            await one_round_trip(rig)
            alerts = [e.event for e in rig.ledger.journal.read(0) if e.envelope.name == "system.alert.triggered"]
            assert [alert.kind for alert in alerts if isinstance(alert, AlertTriggered)] == ["foreign_order"]
            assert rig.ledger.account("main").position("AAA").quantity == 13
            assert await compare_standing(rig.ledger, rig.broker, "main") == ()
            assert verify(rig.ledger.journal).findings == ()

    anyio.run(story)
