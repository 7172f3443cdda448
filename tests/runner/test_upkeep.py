"""A running daemon anchors and checks its ledger by itself, beside trading; told what time it is by the test."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from tests.delivery.rig import Rig, open_rig
from tests.runner.process import run as start_runner
from tests.runner.process import write
from tradecore.audit.anchor_file import AnchorFile
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, LedgerChecked
from tradecore.domain.limits import Limits
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.errors import StoreUnavailable
from tradecore.journal import Journal, open_journal
from tradecore.runner import disk as disk_module
from tradecore.runner.contract import Session
from tradecore.runner.daily_check import check_ledger, last_check
from tradecore.sagas.conductor import Conductor
from tradecore.settings import Settings, load_settings
from tradecore.strategies.none import NoStrategy
from tradecore.testing.journal_samples import recorded, run
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector
from tradecore_daemon import upkeep as upkeep_module
from tradecore_daemon.upkeep import Upkeep

_PATIENCE_S = 20.0


class DrivenClock:
    """A clock that stands still until the test moves it; who sleeps wakes when it has come that far."""

    def __init__(self, at: dt.datetime) -> None:
        self._at = at
        self._moved = anyio.Event()

    def now_ns(self) -> int:
        return int(self._at.timestamp()) * 1_000_000_000

    def now(self) -> dt.datetime:
        return self._at

    def monotonic(self) -> float:
        return self._at.timestamp()

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while self.monotonic() < until:
            await self._moved.wait()

    def move(self, **by: float) -> None:
        self._at += dt.timedelta(**by)
        moved, self._moved = self._moved, anyio.Event()
        moved.set()


@attrs.frozen
class Scene:
    """A session with a driven clock, and the tasks that keep its ledger."""

    session: Session
    upkeep: Upkeep
    clock: DrivenClock
    rig: Rig
    anchors: AnchorFile

    @property
    def journal(self) -> Journal:
        return self.session.journal

    def checks(self) -> list[LedgerChecked]:
        events = [item.event for item in self.journal.load(streams.CHECKS)]
        return [event for event in events if isinstance(event, LedgerChecked)]

    def alerts(self) -> list[str]:
        events = [item.event for item in self.journal.load(streams.BROKER)]
        return [event.kind for event in events if isinstance(event, AlertTriggered)]

    def anchored(self) -> list[int]:
        return [anchor.position for anchor in self.anchors.read()[0]] if self.anchors.path.exists() else []

    async def until(self, is_true: Any, **step: float) -> None:
        """Let time pass in steps until something has happened."""
        with anyio.move_on_after(_PATIENCE_S):
            while not is_true():
                self.clock.move(**step)
                await anyio.sleep(0.005)
            return
        raise AssertionError("it did not happen")


@asynccontextmanager
async def scene(folder: Path, at: dt.datetime | None = None, **tables: Any) -> AsyncIterator[Scene]:
    url = f"sqlite:///{folder}/ledger.db"
    settings = load_settings(None, {"ledger": url, "strategy": {"name": "none"}, **tables})
    journal = open_journal(url)
    async with open_rig(journal=journal) as rig:
        clock = DrivenClock(at or rig.clock.now())
        session = make_session(rig, settings, journal, clock)
        yield Scene(session, Upkeep(session), clock, rig, AnchorFile(folder / "ledger.db.anchors"))
    journal.close()


def make_session(rig: Rig, settings: Settings, journal: Journal, clock: DrivenClock) -> Session:
    projector = Projector(journal, kept_views(journal))
    terms = Terms("main", Limits(), 60)
    engine = Engine(rig.ledger, rig.broker, NoStrategy(), rig.outbox, rig.inbox, projector, rig.clock, rig.ids, terms)
    no_market: Any = None  # upkeep has no use for one
    conductor = Conductor(rig.ledger, clock, rig.ids, "main")
    return Session("runner-1", settings, journal, engine, no_market, no_market, clock, conductor)


def test_it_anchors_after_so_many_seconds_or_events_and_at_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, anchors={"every_s": 60, "every_events": 50}) as it:
            async with anyio.create_task_group() as g:
                g.start_soon(it.upkeep.anchor)
                await it.until(lambda: len(it.anchored()) == 1, seconds=5)
                it.journal.append(run("a", 1, 3))
                began = it.clock.now()
                await it.until(lambda: len(it.anchored()) == 2, seconds=5)
                assert it.clock.now() - began >= dt.timedelta(seconds=30)
                it.journal.append(run("a", 4, 60))
                began = it.clock.now()
                await it.until(lambda: len(it.anchored()) == 3, seconds=0.5)
                assert it.clock.now() - began < dt.timedelta(seconds=30)
                it.journal.append(run("a", 61, 61))
                g.cancel_scope.cancel()
            await it.upkeep.finish()
            assert it.anchored()[-1] > it.anchored()[-2]
            assert it.alerts() == []

    anyio.run(story)


def test_it_goes_on_from_the_anchors_that_are_there_and_stops_at_another_history(tmp_path: Path) -> None:
    counts: list[int] = []

    async def story(expected: list[str]) -> None:
        async with scene(tmp_path) as it, anyio.create_task_group() as group:
            before = len(it.anchored())
            it.journal.append([recorded(f"run-{it.rig.ids.order_id()}", 1)])
            group.start_soon(it.upkeep.anchor)
            await it.until(lambda: len(it.anchored()) > before or it.alerts(), seconds=20)
            group.cancel_scope.cancel()
            assert it.alerts() == expected
            it.upkeep.close()
            counts.append(len(it.anchored()))

    anyio.run(story, [])
    anyio.run(story, [])
    for file in tmp_path.glob("ledger.db*"):
        if file.name != "ledger.db.anchors":
            file.unlink()
    anyio.run(story, ["ledger_damaged"])
    assert counts == [1, 2, 2]


def test_anchors_go_to_plugins_besides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    @attrs.frozen
    class Mailbox:
        settings: Settings

        def record(self, anchor: Any) -> None:
            kept.append(anchor)

    monkeypatch.setattr("tradecore.runner.anchors.load_plugin", lambda group, name, setting: Mailbox)

    async def story() -> None:
        async with scene(tmp_path, anchors={"sinks": ["mailbox"]}) as it, anyio.create_task_group() as group:
            group.start_soon(it.upkeep.anchor)
            await it.until(lambda: kept, seconds=20)
            group.cancel_scope.cancel()
            assert [anchor.position for anchor in kept] == it.anchored()
            it.upkeep.close()

    anyio.run(story)


def test_anchors_that_can_go_nowhere_are_an_error_before_any_file_is_made(tmp_path: Path) -> None:
    for wrong in ('file = "/nowhere/at/all"', 'sinks = ["nobody"]'):
        done = start_runner(tmp_path, "--config", write(tmp_path, "runner.toml", f"[anchors]\n{wrong}\n"))
        assert (done.code, "anchors" in done.error) == (2, True)
    assert [file.name for file in tmp_path.iterdir()] == ["runner.toml"]


def test_it_checks_once_a_day_at_the_time_that_was_set(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, daily_check={"at": "03:00"}) as it:
            async with anyio.create_task_group() as group:
                born = last_check(it.journal).at
                assert born is not None
                group.start_soon(it.upkeep.check_daily)
                await it.until(it.checks, minutes=10)
                at = it.clock.now()
                assert (
                    dt.timedelta(0)
                    <= at - at.replace(hour=3, minute=0, second=0, microsecond=0)
                    < dt.timedelta(hours=1)
                )
                await it.until(lambda: len(it.checks()) == 3, minutes=10)
                assert dt.timedelta(days=1, hours=22) < it.clock.now() - at < dt.timedelta(days=2, hours=2)
                group.cancel_scope.cancel()
            assert [check.finding for check in it.checks()] == [None] * 3

    anyio.run(story)


def test_damage_is_recorded_alerted_and_holds_new_intents(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path) as it:
            async with anyio.create_task_group() as group:
                it.journal.append(run("a", 1, 5))
                with it.journal.datastore.writing(lambda _: False) as cursor:  # type: ignore[attr-defined]
                    cursor.execute("UPDATE events SET chain = x'00' WHERE position = 3")
                group.start_soon(it.upkeep.check_daily)
                await it.until(it.checks, hours=2)
                await it.until(it.alerts, seconds=0)
                (check,) = it.checks()
                assert check.finding is not None
                assert "chain" in check.finding
                assert it.alerts() == ["ledger_damaged"]
                order_id = it.rig.place()
                order = await it.rig.until_status(order_id, "canceled")
                assert order.submits == 0
                assert (await it.rig.seen())["orders"] == []
                await it.until(lambda: len(it.alerts()) == 2, hours=2)
                assert set(it.alerts()) == {"ledger_damaged"}, "every check that finds it says so"
                group.cancel_scope.cancel()
            assert last_check(it.journal).finding == check.finding

    anyio.run(story)


def test_what_cannot_be_looked_at_is_told_once_and_again_when_it_could_be_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [True, False, False, True, False]

    def free_bytes(url: str) -> int:
        if not answers.pop(0):
            raise StoreUnavailable("no answer")
        return 10**15

    monkeypatch.setattr(disk_module, "free_bytes", free_bytes)

    async def story() -> None:
        async with scene(tmp_path) as it:
            engine = it.session.engine
            told = []
            for _ in range(5):
                it.upkeep.look_at_disk()
                told.append(it.alerts().count("disk_unknown"))
                engine._troubles._told.clear()  # a minute passed
            assert told == [0, 1, 1, 1, 2]

    anyio.run(story)


def test_orders_are_delivered_while_the_check_is_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slowly(settings: Settings, journal: Journal) -> LedgerChecked:
        begun.set()
        assert may_end.wait(_PATIENCE_S)
        return check_ledger(settings, journal)

    monkeypatch.setattr(upkeep_module, "check_ledger", slowly)

    async def story() -> None:
        async with scene(tmp_path) as it, anyio.create_task_group() as group:
            group.start_soon(it.upkeep.check_daily)
            await it.until(begun.is_set, hours=2)
            await it.rig.until_status(it.rig.place(), "accepted", "new", "pending_new")
            assert it.checks() == []
            may_end.set()
            await it.until(it.checks, seconds=0)
            group.cancel_scope.cancel()

    anyio.run(story)
