"""Group commit keeps the contract of a journal and its own; what a failed commit means for its members."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from tests.journal.children import Child, hear
from tests.journal.test_durability import _Connection
from tradecore.errors import StoreUnavailable
from tradecore.journal import GroupCommit, Journal, open_journal
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.group_contract import Gate, GroupContract, until_waiting
from tradecore.testing.journal_contract import JournalContract, Reopen
from tradecore.testing.journal_samples import run


class TestGroupsInMemory(JournalContract, GroupContract):
    @pytest.fixture
    def grouped(self) -> Iterator[GroupCommit]:
        grouped = GroupCommit(open_journal("memory:"))
        yield grouped
        grouped.close()

    @pytest.fixture
    def journal(self, grouped: GroupCommit) -> Journal:
        return grouped


class TestGroupsInSqlite(JournalContract, GroupContract):
    @pytest.fixture
    def grouped(self, tmp_path: Path) -> Iterator[GroupCommit]:
        grouped = GroupCommit(open_journal(f"sqlite:///{tmp_path}/ledger.db"))
        yield grouped
        grouped.close()

    @pytest.fixture
    def journal(self, grouped: GroupCommit) -> Journal:
        return grouped

    @pytest.fixture
    def reopen(self) -> Iterator[Reopen]:
        opened: list[Journal] = []

        def again(journal: Journal) -> Journal:
            journal.close()
            opened.append(GroupCommit(open_journal(journal.url, create=False)))
            return opened[-1]

        yield again
        for journal in opened:
            journal.close()


@pytest.mark.parametrize("commits", [True, False])
def test_a_commit_that_fails_is_told_to_all_unless_it_is_there(
    journal: SqliteJournal, commits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped = GroupCommit(journal)
    gate = Gate(journal)
    gate.install(monkeypatch)
    together = journal.append_each

    def failing(batches: object) -> object:
        code = sqlite3.SQLITE_IOERR | 4 << 8
        real = journal.datastore.connection
        journal.datastore.connection = cast("sqlite3.Connection", _Connection(real, code, commits=commits))
        try:
            return together(batches)  # type: ignore[arg-type]
        finally:
            journal.datastore.connection = real

    monkeypatch.setattr(journal, "append_each", failing)
    with ThreadPoolExecutor(5) as pool:
        with gate.held(pool, grouped):
            futures = [pool.submit(grouped.append, run(f"s-{number}", 1, 2)) for number in range(4)]
            until_waiting(grouped, 4)
        if commits:
            assert sorted(item.envelope.position for f in futures for item in f.result(30)) == list(range(2, 10))
        for future in futures if not commits else ():
            with pytest.raises(StoreUnavailable, match="disk I/O error"):
                future.result(30)
    assert journal.head() == (9 if commits else 1)
    with pytest.raises(StoreUnavailable, match="restart"):
        grouped.append(run("later", 1, 1))


_APPEND_IN_GROUPS = """
import threading
from tradecore.journal import GroupCommit
grouped = GroupCommit(open_journal(sys.argv[1]))

def work(number):
    for version in range(1, 1000, 2):
        done = grouped.append(run(f"s-{number}", version, version + 1))
        tell(f"{number} {done[-1].envelope.version}")

for number in range(8):
    threading.Thread(target=work, args=(number,)).start()
"""


@pytest.mark.parametrize("place", ["before_commit", "after_commit"])
@pytest.mark.parametrize("hit", [1, 7, 20])
def test_a_kill_around_a_group_loses_nothing_acknowledged_and_tears_no_append(
    url: str, child: Child, place: str, hit: int
) -> None:
    process = child(_APPEND_IN_GROUPS, url, failpoints=f"journal.append.{place}:{hit}:kill")
    acknowledged: dict[int, int] = {}
    while line := hear(process):
        number, version = map(int, line.split())
        acknowledged[number] = version
    process.wait()
    journal = open_journal(url, create=False)
    for number in range(8):
        found = journal.load(f"s-{number}")
        assert len(found) >= acknowledged.get(number, 0)
        assert len(found) % 2 == 0
    journal.check()
    journal.close()


def test_a_forked_child_is_refused(url: str) -> None:
    grouped = GroupCommit(open_journal(url))
    grouped.append(run("a", 1, 1))
    grouped._mutex.acquire()  # as a thread of the parent might just then
    pid = os.fork()
    if pid == 0:
        try:
            grouped.append(run("b", 1, 1))
        except StoreUnavailable:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    grouped._mutex.release()
    grouped.close()
