"""Scheduled work is recorded when it fails and when it recovers, not every time that it runs."""

from __future__ import annotations

from typing import Any

from tests.review.scripted import UNREACHABLE, Office, engine_of
from tests.virtual_time import run_story
from tradecore.domain.events import ScheduledWorkFailed, ScheduledWorkRecovered


def told(office: Office) -> list[Any]:
    events = [item.event for item in office.desk.ledger.journal.read(0, 100_000)]
    return [event for event in events if isinstance(event, ScheduledWorkFailed | ScheduledWorkRecovered)]


def test_a_row_of_failed_synchronisations_is_told_once_and_so_is_its_end() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office)
        await engine.reconcile()
        assert told(office) == []
        assert engine.schedule.runs["sync"].failures == 0
        office.broker.trouble["account"] = UNREACHABLE
        for _ in range(3):
            await engine.reconcile()
        assert [(event.work, event.reason) for event in told(office)] == [("sync", str(UNREACHABLE))]
        assert engine.schedule.runs["sync"].failures == 3
        office.broker.trouble.clear()
        await engine.reconcile()
        assert [type(event) for event in told(office)] == [ScheduledWorkFailed, ScheduledWorkRecovered]
        assert told(office)[1].failures == 3

    run_story(story)


def test_a_list_of_assets_that_cannot_be_read_leaves_the_recorded_one_and_is_told() -> None:
    async def story() -> None:
        office = Office.open()
        engine = engine_of(office)
        await engine.refresh_assets()
        office.broker.trouble["assets"] = UNREACHABLE
        await engine.refresh_assets()
        assert [event.work for event in told(office)] == ["assets"]
        assert office.desk.names().count("system.assets.refreshed") == 1

    run_story(story)
