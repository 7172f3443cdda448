"""A disk that is full stops a runner with one clear error, and nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.campaign import run_once
from tests.crash.judge import Judge, environment, runner_command
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tradecore.errors import StoreFull
from tradecore.journal import open_journal
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run

MARKET = ("--seed", "7", "--days", "1", "--symbols", "AAA,BBB")


def forbid_large_files() -> None:
    """In the child: writing behind this size fails, as on a full disk, instead of killing the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))


def run_into_the_wall(folder: Path, judge: Judge, *, limited: bool, reserve_mb: str = "0") -> list[str]:
    """A runner that must end with code 1; returns its lines on stderr."""
    done = subprocess.run(
        runner_command(folder, judge),
        env=environment(TRADECORE_DISK__MIN_FREE_MB="0", TRADECORE_DISK__RESERVE_MB=reserve_mb),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=forbid_large_files if limited else None,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


@pytest.mark.slow
def test_a_runner_that_may_write_no_further_stops_and_goes_on_when_it_may(tmp_path: Path) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        (error,) = [line for line in run_into_the_wall(tmp_path, judge, limited=True) if line.startswith("error: ")]
        assert "ledger.db" in error
        with closing(open_journal(f"sqlite:///{tmp_path}/ledger.db", create=False)) as journal:
            journal.check()
            assert journal.head() > 10
        assert run_once(tmp_path, judge) == 0, (tmp_path / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("file systems may not be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_every_refusal_after_a_disk_was_full_says_so(journal: SqliteJournal) -> None:
    """Whichever write of a runner ends it, a person is told to make room."""
    connection = journal.datastore.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}").close()
    told = []
    for attempt in range(2):
        with pytest.raises(StoreFull) as full:
            journal.append(run(f"a{attempt}", 1, 5000))
        told.append(str(full.value))
    assert "cannot grow" in told[0]
    assert "takes no more writes until a restart" in told[1]


def test_a_copy_that_finds_no_room_names_its_place_and_leaves_nothing(journal: SqliteJournal, small_disk: Path) -> None:
    journal.append(run("a", 1, 5000))
    with pytest.raises(StoreFull, match=r"copy\.db"):
        journal.backup(small_disk / "copy.db")
    assert list(small_disk.iterdir()) == []
    journal.append(run("a", 5001, 5001))


@pytest.mark.slow
def test_a_runner_on_a_full_disk_stops_and_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    judges = tmp_path / "judge"
    judges.mkdir()
    with Judge.start(judges, *MARKET, ledger=f"sqlite:///{small_disk}/ledger.db") as judge:
        (error,) = [line for line in run_into_the_wall(small_disk, judge, limited=False) if line.startswith("error: ")]
        assert "full" in error
        assert "make room on its disk" in error
        subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        assert run_once(small_disk, judge) == 0, (small_disk / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, small_disk)
