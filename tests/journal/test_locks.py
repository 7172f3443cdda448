"""Who may write when: turns between processes, and what is not a way in."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from tradecore.errors import StoreUnavailable
from tradecore.journal import open_journal
from tradecore.journal.file_lock import FileLock
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run


def test_every_write_takes_its_lock_before_it_reads(journal: SqliteJournal) -> None:
    statements: list[str] = []
    journal.datastore.connection.set_trace_callback(statements.append)
    journal.append(run("a", 1, 1))
    journal.views.write("view", "shape", 0, 1, {})
    journal.views.replace("view", "shape", 1, {})
    journal.views.cursor("view", "other shape")
    begun = [statement for statement in statements if statement.startswith("BEGIN")]
    assert begun == ["BEGIN IMMEDIATE"] * 4


def test_writers_take_turns_and_readers_need_none(journal: SqliteJournal, path: Path, url: str) -> None:
    journal.append(run("a", 1, 1))
    hasty = open_journal(url, patience_s=0.01)
    turn = FileLock(Path(f"{path}.lock"))
    assert turn.take(0)
    with pytest.raises(StoreUnavailable, match="locked by another process"):
        hasty.append(run("b", 1, 1))
    assert hasty.head() == 1
    turn.let_go()
    hasty.append(run("b", 1, 1))
    hasty.close()
    turn.close()


def test_a_lock_that_is_kept_too_long_is_reported(journal: SqliteJournal, path: Path, url: str) -> None:
    hasty = open_journal(url, patience_s=0.01)
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        hasty.append(run("a", 1, 1))
    foreign.execute("ROLLBACK")
    foreign.close()
    hasty.append(run("a", 1, 1))
    hasty.close()


def test_a_forked_child_may_not_use_its_parents_journal(journal: SqliteJournal) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        try:
            journal.head()
        except StoreUnavailable as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert b"forked" in os.read(reader, 1000)
    os.close(reader)
    os.close(writer)
    journal.append(run("a", 1, 1))


def test_errno_is_in_the_message_when_the_lock_cannot_be_made(url: str, path: Path) -> None:
    Path(f"{path}.lock").mkdir()
    with pytest.raises(StoreUnavailable, match=os.strerror(errno.EISDIR)):
        open_journal(url)
