"""What follows from events is published behind them; signals pass at most once and hold nobody up."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from decimal import Decimal

import anyio
import jsonschema
import pytest

from tests.exchange.play import small_floor
from tests.ledger.desk import NOON, Desk
from tests.publishing.test_publisher import Heard
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.derived import DERIVED
from tradecore.domain.messages import Cause
from tradecore.domain.signals import Heartbeat
from tradecore.publishing.announcer import Announcer
from tradecore.publishing.catalogue import json_schema, published_types
from tradecore.publishing.envelope import as_json
from tradecore.publishing.in_process import InProcessBus
from tradecore.publishing.publisher import Publisher
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore_daemon.daemon import Daemon
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeServer

SPECIFIED = [
    "market.bar.closed",
    "market.news.published",
    "market.session.changed",
    "trade.order.planned",
    "trade.order.submitted",
    "trade.order.accepted",
    "trade.order.partially_filled",
    "trade.order.filled",
    "trade.order.rejected",
    "trade.order.canceled",
    "trade.order.expired",
    "trade.order.replaced",
    "trade.fill.recorded",
    "trade.fill.corrected",
    "trade.fill.busted",
    "trade.position.opened",
    "trade.position.updated",
    "trade.position.closed",
    "trade.rebalanced",
    "ai.decision.requested",
    "ai.decision.generated",
    "ai.decision.validated",
    "ai.decision.executed",
    "ai.model.switched",
    "ai.calibration.completed",
    "analytics.pnl.calculated",
    "analytics.metrics.snapshot",
    "orchestrator.cycle.started",
    "orchestrator.cycle.completed",
    "orchestrator.cycle.paused",
    "orchestrator.cycle.resumed",
    "saga.started",
    "saga.step",
    "saga.compensating",
    "saga.completed",
    "saga.failed",
    "risk.limit.breached",
    "risk.kill_switch.activated",
    "risk.kill_switch.cleared",
    "system.heartbeat",
    "system.error.occurred",
    "system.alert.triggered",
    "system.config.updated",
]


def test_every_type_that_was_promised_is_published() -> None:
    assert [name for name in SPECIFIED if name not in published_types()] == []


def test_each_is_published_right_behind_its_event_as_its_schema_says() -> None:
    desk = Desk.in_memory()
    desk.pin()
    cause = Cause("0" * 31 + "1", actor="test")
    for kind in ("rebalance", "order_execution"):
        stream = f"saga-{kind}-1"
        deadline = NOON + dt.timedelta(minutes=1)
        desk.ledger.note(stream, ev.SagaStarted(f"{kind}-1", kind, "main", {}, deadline), cause)
        desk.ledger.note(stream, ev.SagaCompleted(f"{kind}-1", "all of it"), cause)
    desk.done("buy", "10", "100")
    desk.give(cmd.MarkEquity("main", {"SPY": Decimal(105)}, NOON))
    desk.done("sell", "10", "101")
    desk.ledger.note("system-broker", ev.ScheduledWorkFailed("sync", NOON, Decimal(1), "no route"), cause)
    bus = Heard()
    anyio.run(Publisher(desk.ledger.journal, bus, SystemClock(), "test").catch_up)
    told = [one for batch in bus.batches for one in batch]
    validator = jsonschema.Draft202012Validator(json_schema())
    for before, one in itertools.pairwise(told):
        if one.type in DERIVED:
            validator.validate(json.loads(as_json(one)))
            assert one.causation_id == before.event_id != one.event_id
            assert one.metadata == before.metadata
    pairs = [(before.type, one.type) for before, one in itertools.pairwise(told) if one.type in DERIVED]
    assert pairs[-4:] == [
        ("saga.completed", "trade.rebalanced"),
        ("account.equity.marked", "analytics.metrics.snapshot"),
        ("trade.trade.closed", "analytics.pnl.calculated"),
        ("system.work.failed", "system.error.occurred"),
    ]
    assert len({one.event_id for one in told}) == len(told)
    again = Heard()
    anyio.run(Publisher(desk.ledger.journal, again, SystemClock(), "other", prefixes=("analytics.",)).catch_up)
    equity, pnl = (one.data for batch in again.batches for one in batch)
    assert pnl["realised_pnl"] == "10"
    assert (equity["account"], equity["day"]) == ("main", "2024-01-02")


def test_a_bus_that_takes_no_signals_holds_nobody_up_and_what_it_did_not_take_is_gone() -> None:
    async def story() -> None:
        bus = Heard()
        announcer = Announcer(bus, SystemClock(), SystemIds(), "runner-1", capacity=2)
        for number in range(5):
            announcer.announce(Heartbeat("runner-1", number, 0))
        assert announcer.dropped == 3
        bus.failures = 1
        async with anyio.create_task_group() as group:
            group.start_soon(announcer.run)
            with anyio.fail_after(10):
                while not bus.batches:  # noqa: ASYNC110 -- another task fills it
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        assert [one.data["position"] for batch in bus.batches for one in batch] == [1]
        assert announcer.dropped == 4

    anyio.run(story)


def test_a_runner_tells_its_bus_of_its_ledger_the_market_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", DEFAULT_KEY)
    monkeypatch.setenv("APCA_API_SECRET_KEY", DEFAULT_SECRET)

    class Quiet:
        def update(self, done: int, total: int | None, message: str) -> None:
            pass

    async def story(server: ExchangeServer) -> set[str]:
        chosen = {
            "ledger": "memory:",
            "broker": {"name": "alpaca", **server.urls},
            "market_data": {"symbols": ["AAPL"]},
        }
        bus, heard = InProcessBus(), set[str]()
        daemon = Daemon(hears_signals=False)
        wanted = {"market.bar.closed", "market.session.changed", "system.heartbeat", "system.runner.started"}
        async with open_session(load_settings(None, chosen), bus=bus) as session, anyio.create_task_group() as group:
            with bus.subscribe() as everything:
                group.start_soon(daemon.run, session, Quiet())
                with anyio.fail_after(60):
                    async for one in everything:
                        heard.add(one.type)
                        if wanted <= heard:
                            break
            daemon.stop("a test has heard enough")
        return heard

    with ExchangeServer(small_floor(), speed=600) as server:
        heard = anyio.run(story, server)
    assert "account.equity.marked" in heard or "account.identity.pinned" in heard
