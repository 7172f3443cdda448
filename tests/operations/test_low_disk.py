"""A disk that fills up: first no new intents, then a last word from the reserve, and on again when there is room."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from tests.crash.campaign import run_once
from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.delivery.rig import Rig, open_rig
from tests.operations.test_full_disk import MARKET, run_into_the_wall
from tests.runner.test_upkeep import DrivenClock, make_session
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, DiskLow, DiskRecovered, Event, RunnerStopped
from tradecore.errors import StoreFull
from tradecore.journal import Journal, open_journal
from tradecore.journal.reserve import Reserve, free_bytes
from tradecore.ledger import Ledger
from tradecore.runner.disk import FULL, record_full
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings import load_settings
from tradecore.testing.journal_samples import run
from tradecore_daemon.upkeep import Upkeep


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("file systems may not be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Let something else take the room, except so many bytes."""
    other = folder / "other"
    with other.open("ab") as file:
        free = free_bytes(f"sqlite:///{folder}/ledger.db")
        assert free is not None
        file.write(bytes(max(0, free - leave)))
    return other


Kind = TypeVar("Kind", bound=Event)


def told(journal: Journal, stream: str, kind: type[Kind]) -> list[Kind]:
    return [item.event for item in journal.load(stream) if isinstance(item.event, kind)]


async def filled(rig: Rig, order_id: str) -> None:
    await rig.until_status(order_id, "new")
    await rig.advance()
    await rig.until_status(order_id, "filled")


def test_below_the_threshold_only_what_reduces_a_position_is_sent_until_there_is_room(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/ledger.db"
    settings = load_settings(None, {"ledger": url, "disk": {"min_free_mb": 1, "reserve_mb": 0.2}})

    async def story(rig: Rig, journal: Journal) -> None:
        session = make_session(rig, settings, journal, DrivenClock(rig.clock.now()))
        upkeep = Upkeep(session)
        upkeep.look_at_disk()
        assert (small_disk / "ledger.db.reserve").stat().st_blocks * 512 >= 200_000
        bought = rig.place(qty="10")
        resting = rig.place(symbol="BBB", qty="1", limit="1")
        await filled(rig, bought)
        await rig.until_status(resting, "new")

        other = fill(small_disk, 700_000)
        upkeep.look_at_disk()
        upkeep.look_at_disk()
        (low,) = told(journal, streams.RUNNER, DiskLow)
        assert low.free_bytes < low.wanted_bytes == 1_000_000
        assert [event.kind for event in told(journal, streams.BROKER, AlertTriggered)] == ["disk_low"]
        more, too_much = rig.place(symbol="BBB", qty="5"), rig.place(side="sell", qty="11")
        for refused in (more, too_much):
            order = await rig.until_status(refused, "canceled")
            assert order.submits == 0
        reducing = rig.place(side="sell", qty="10")
        rig.give(cmd.CancelOrder(resting, "no longer wanted"))
        await filled(rig, reducing)
        await rig.until_status(resting, "canceled")

        other.unlink()
        upkeep.look_at_disk()
        assert len(told(journal, streams.RUNNER, DiskRecovered)) == 1
        again = rig.place(symbol="BBB", qty="5")
        await filled(rig, again)
        journal.check()

    async def main() -> None:
        with closing(open_journal(url)) as journal:
            async with open_rig(journal=journal) as rig:
                await story(rig, journal)

    anyio.run(main)


def append_for_ever(journal: Journal) -> None:
    for version in itertools.count(0, 50):
        journal.append(run("a", version + 1, version + 50))


def test_the_reserve_lets_the_last_word_be_recorded_on_a_full_disk(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/ledger.db"
    settings = load_settings(None, {"ledger": url})
    with closing(open_journal(url)) as journal:
        Ledger(journal, SystemClock(), SystemIds())
        assert Reserve(small_disk / "ledger.db", 300_000).take()
        fill(small_disk, 0)
        with pytest.raises(StoreFull):
            append_for_ever(journal)
        head = journal.head()
    assert record_full(settings, "runner-1", SystemClock())
    assert free_bytes(url) is not None
    with closing(open_journal(url, create=False)) as journal:
        journal.check()
        assert journal.head() == head + 2
        assert told(journal, streams.RUNNER, RunnerStopped) == [RunnerStopped("runner-1", FULL)]


def test_a_reserve_that_finds_no_room_takes_none(small_disk: Path) -> None:
    fill(small_disk, 100_000)
    assert not Reserve(small_disk / "ledger.db", 300_000).take()
    assert not (small_disk / "ledger.db.reserve").exists()
    assert Reserve(small_disk / "ledger.db", 50_000).take()
    Reserve(small_disk / "ledger.db", 50_000).release()
    Reserve(small_disk / "ledger.db", 50_000).release()


def test_a_ledger_that_is_on_no_disk_here_has_no_room_to_watch() -> None:
    assert free_bytes("memory:") is None


@pytest.mark.slow
def test_a_runner_on_a_full_disk_says_so_in_the_ledger_and_goes_on_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    judges = tmp_path / "judge"
    judges.mkdir()
    with Judge.start(judges, *MARKET, ledger=f"sqlite:///{small_disk}/ledger.db") as judge:
        fill(small_disk, 900_000)
        said = run_into_the_wall(small_disk, judge, limited=False, reserve_mb="0.3")
        (error,) = [line for line in said if line.startswith("error: ")]
        assert "full" in error
        with closing(open_journal(f"sqlite:///{small_disk}/ledger.db", create=False)) as journal:
            assert [event.reason for event in told(journal, streams.RUNNER, RunnerStopped)] == [FULL]
        (small_disk / "other").unlink()
        subprocess.run(["mount", "-o", "remount,size=300m", str(small_disk)], check=True)
        assert run_once(small_disk, judge) == 0, (small_disk / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, small_disk)
