"""Acknowledged means on the disk; and what the journal does when the disk says no."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.journal.children import Child, hear
from tradecore import failpoints
from tradecore.errors import NotDurable, StoreUnavailable
from tradecore.journal import open_journal
from tradecore.journal.sqlite import connection as connections
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run


class _Connection:
    """A connection whose next COMMIT fails, before or after it did its work."""

    def __init__(self, real: sqlite3.Connection, code: int, *, commits: bool) -> None:
        self._real = real
        self._code = code
        self._commits = commits

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            if self._commits:
                self._real.execute("COMMIT")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self._code
            raise error
        return self._real.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _failing(journal: SqliteJournal, *, commits: bool) -> SqliteJournal:
    real = journal.datastore.connection
    code = sqlite3.SQLITE_IOERR | 4 << 8
    journal.datastore.connection = cast("sqlite3.Connection", _Connection(real, code, commits=commits))
    return journal


def test_every_setting_that_durability_needs_is_in_force(journal: SqliteJournal) -> None:
    def setting(name: str) -> object:
        return journal.datastore.connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert [setting(name) for name in ("journal_mode", "synchronous", "wal_autocheckpoint")] == ["wal", 2, 0]


def test_a_setting_that_does_not_take_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_journal(url).close()
    monkeypatch.setitem(connections._SETTINGS, "synchronous", 7)
    with pytest.raises(NotDurable, match="synchronous"):
        open_journal(url)


def test_a_ledger_that_left_wal_mode_is_brought_back(journal: SqliteJournal, url: str, path: Path) -> None:
    journal.append(run("a", 1, 1))
    journal.close()
    foreign = sqlite3.connect(path)
    foreign.execute("PRAGMA journal_mode=DELETE")
    foreign.close()
    again = open_journal(url)
    assert isinstance(again, SqliteJournal)
    assert again.datastore.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert again.head() == 1
    again.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: journal.append(run("b", 1, 2)),
        lambda journal: journal.views.write("view", "shape", 0, 1, {"key": b"value"}),
        lambda journal: journal.views.replace("view", "shape", 1, {"key": b"value"}),
    ],
)
def test_after_a_failed_commit_nothing_is_written_until_a_restart(
    journal: SqliteJournal, url: str, write: Callable[[SqliteJournal], object]
) -> None:
    journal.append(run("a", 1, 1))
    real = journal.datastore.connection
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        write(_failing(journal, commits=False))
    journal.datastore.connection = real
    with pytest.raises(StoreUnavailable, match="restart"):
        journal.append(run("c", 1, 1))
    with pytest.raises(StoreUnavailable, match="restart"):
        journal.views.write("view", "shape", 0, 1, {})
    assert journal.head() == 1
    journal.close()
    again = open_journal(url)
    assert (again.head(), again.views.cursor("view", "shape")) == (1, 0)
    again.append(run("c", 1, 1))
    again.close()


def test_a_commit_that_failed_and_is_there_is_a_success_and_the_last(journal: SqliteJournal) -> None:
    events = _failing(journal, commits=True).append([*run("a", 1, 2), *run("b", 1, 1)])
    assert journal.read(0) == events
    with pytest.raises(StoreUnavailable, match="restart"):
        journal.append(run("c", 1, 1))


def test_a_views_commit_that_failed_and_is_there_is_a_success(journal: SqliteJournal) -> None:
    _failing(journal, commits=True).views.write("view", "shape", 0, 1, {"key": b"value"})
    assert journal.views.cursor("view", "shape") == 1


def test_a_failed_checkpoint_takes_nothing_back_and_ends_the_writing(journal: SqliteJournal) -> None:
    class Connection(_Connection):
        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
            if "checkpoint" in statement:
                statement = "COMMIT"
            elif statement == "COMMIT":
                return self._real.execute(statement)
            return super().execute(statement, *parameters)

    datastore = journal.datastore
    code = sqlite3.SQLITE_IOERR
    datastore.connection = cast("sqlite3.Connection", Connection(datastore.connection, code, commits=False))
    acknowledged = journal.append(run("a", 1, 5000))
    with pytest.raises(StoreUnavailable, match="restart"):
        journal.append(run("b", 1, 1))
    assert journal.head() == len(acknowledged) == 5000


def test_a_disk_that_fills_up_loses_nothing_acknowledged(child: Child, url: str) -> None:
    process = child(
        """
import resource, signal
from tradecore.errors import StoreUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = open_journal(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
version = 0
try:
    while True:
        journal.append(run("a", version + 1, version + 3))
        version += 3
except StoreUnavailable as error:
    tell(version)
try:
    journal.append(run("b", 1, 1))
except StoreUnavailable as error:
    tell(error)
""",
        url,
    )
    acknowledged = int(hear(process))
    assert "restart" in hear(process)
    process.wait()
    journal = open_journal(url)
    journal.check()
    assert acknowledged > 30
    assert journal.head() == acknowledged
    journal.close()


def test_what_raises_before_the_commit_leaves_nothing_and_does_no_harm(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for memory_or_file in (journal, open_journal("memory:")):
        with monkeypatch.context() as patch:
            patch.setattr(failpoints, "_hits", {})
            patch.setattr(
                failpoints,
                "_armed",
                {"journal.append.before_commit": [(1, "raise")], "journal.view.before_commit": [(1, "raise")]},
            )
            with pytest.raises(failpoints.FailpointRaised):
                memory_or_file.append(run("a", 1, 2))
            with pytest.raises(failpoints.FailpointRaised):
                memory_or_file.views.write("view", "shape", 0, 1, {"key": b"value"})
        assert (memory_or_file.head(), memory_or_file.views.cursor("view", "shape")) == (0, 0)
        assert list(memory_or_file.views.rows("view")) == []
        memory_or_file.append(run("a", 1, 2))


def test_a_write_that_nobody_could_make_does_not_poison(journal: SqliteJournal) -> None:
    with pytest.raises(StoreUnavailable):
        journal.views.write("view", "shape", 0, 1, {"key": object()})  # type: ignore[dict-item]
    journal.append(run("a", 1, 1))


def test_the_log_is_kept_short(journal: SqliteJournal, path: Path) -> None:
    version = 0
    for _ in range(1500):
        version += 1
        journal.append(run("a", version, version))
    for _ in range(60):
        journal.append(run("a", version + 1, version + 100))
        version += 100
    assert Path(f"{path}-wal").stat().st_size < 12_000_000
    journal.check()
