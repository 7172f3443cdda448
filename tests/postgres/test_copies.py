"""Copies of a ledger in Postgres are ledger files: one moment, checked, and at home in either store."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.journal.children import Child, hear
from tests.postgres.server import Server
from tradecore.errors import CorruptLedger, InputError, StoreUnavailable
from tradecore.journal import Erased, Journal, open_journal, restore_ledger
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.side_store import digest_of
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.testing.journal_samples import run
from tradecore.verify import verify

_APPEND_FOR_EVER = """
journal = open_journal(sys.argv[1])
version = len(journal.load("a"))
while True:
    journal.append([*run("a", version + 1, version + 3), *run(f"b-{version}", 1, 2)])
    version += 3
    tell(version)
"""
_RESTORE = """
from pathlib import Path
from tradecore.journal import restore_ledger
tell("go")
restore_ledger(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.fixture
def copy(journal: PostgresJournal, tmp_path: Path) -> Path:
    """A copy of a ledger with some of everything in it."""
    Ledger(journal, SystemClock(), SystemIds())
    journal.append([*run("a", 1, 500), *run("b-ü𝄞", 1, 3)])
    journal.views.write("view", "shape", 0, 504, {"key-ü": b"value\0", "b": b""})
    journal.texts.put(None, "text/plain", b"a prompt")
    journal.texts.put("ada", "text/plain", b"to be erased")
    journal.texts.erase("ada")
    assert journal.backup(tmp_path / "copy.db") == 504
    return tmp_path / "copy.db"


def test_copies_taken_while_others_append_are_whole_appends(
    journal: PostgresJournal, tmp_path: Path, child: Child
) -> None:
    writer = child(_APPEND_FOR_EVER, journal.url)
    heads = []
    for number in range(6):
        hear(writer)
        before = journal.head()
        heads.append(journal.backup(tmp_path / f"copy-{number}.db"))
        assert before <= heads[-1] <= journal.head()
    writer.kill()
    assert heads[0] < heads[-1]
    for number, head in enumerate(heads):
        assert head % 5 == 0  # an append of the writer is five events
        with closing(open_journal(f"sqlite:///{tmp_path}/copy-{number}.db", create=False)) as copy:
            assert (copy.head(), copy.read(0, head)) == (head, journal.read(0, head))


def test_a_copy_is_a_ledger_in_a_file(journal: PostgresJournal, copy: Path, tmp_path: Path) -> None:
    assert [item.name for item in tmp_path.iterdir()] == ["copy.db"]
    with closing(open_journal(f"sqlite:///{copy}", create=False)) as file:
        _assert_same(file, journal)
        assert verify(file) == verify(journal)
        assert file.append(run("a", 501, 501))[0].envelope.position == 505


@pytest.mark.parametrize("store", ["file", "database"])
def test_a_copy_comes_back_in_either_store(
    journal: PostgresJournal, copy: Path, tmp_path: Path, server: Server, store: str
) -> None:
    schema = parse(journal.url).schema + "_back"
    url = f"sqlite:///{tmp_path}/back.db" if store == "file" else server.url("postgres", schema=schema)
    before = copy.read_bytes()
    assert restore_ledger(copy, url) == 504
    assert copy.read_bytes() == before
    with closing(open_journal(url, create=False)) as back:
        _assert_same(back, journal)
        back.check()
        assert verify(back) == verify(journal)
        assert back.append(run("a", 501, 501))[0].envelope.position == 505
        assert Ledger(back, SystemClock(), SystemIds()).epoch == Ledger(journal, SystemClock(), SystemIds()).epoch


def test_a_ledger_in_a_file_moves_into_a_database(url: str, tmp_path: Path) -> None:
    with closing(open_journal(f"sqlite:///{tmp_path}/ledger.db")) as file:
        file.append(run("a", 1, 300))
        file.texts.put(None, "text/plain", b"a prompt")
        file.views.write("view", "shape", 0, 300, {"key": b"value"})
        file.backup(tmp_path / "copy.db")
        assert restore_ledger(tmp_path / "copy.db", url) == 300
        with closing(open_journal(url, create=False)) as journal:
            _assert_same(file, journal)


def test_a_restore_is_refused_where_something_is(journal: PostgresJournal, copy: Path, url: str) -> None:
    with pytest.raises(InputError, match="empty or not there"):
        restore_ledger(copy, journal.url)
    assert journal.head() == 504
    other = url + "_theirs"
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        schema = parse(other).schema
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute(f"CREATE TABLE {schema}.customers (name text)".encode())
    with pytest.raises(InputError, match="empty or not there"):
        restore_ledger(copy, other)


def test_a_copy_that_changed_is_refused_and_leaves_nothing(copy: Path, url: str) -> None:
    for damage in (
        "UPDATE events SET state = x'00' WHERE position = 7",
        "DELETE FROM events WHERE position > 400",
        "UPDATE events SET event_id = 'other' WHERE position = 7",
        "UPDATE tradecore_texts SET media_type = 'text/html'",
    ):
        whole = copy.read_bytes()
        with closing(sqlite3.connect(copy)) as vandal, vandal:
            vandal.execute(damage)
        with pytest.raises(CorruptLedger):
            restore_ledger(copy, url + "_fresh")
        with pytest.raises(CorruptLedger):
            restore_ledger(copy, f"sqlite:///{copy.parent}/back.db")
        copy.write_bytes(whole)
    with pytest.raises(StoreUnavailable, match="no ledger"):
        open_journal(url + "_fresh", create=False)
    assert restore_ledger(copy, url + "_fresh") == 504


def test_a_restore_killed_anywhere_leaves_all_of_it_or_nothing(copy: Path, url: str, child: Child) -> None:
    whole = 0
    for number in range(8):
        target = f"{url}_{number}"
        process = child(_RESTORE, str(copy), target)
        assert hear(process) == "go"
        if number:
            try:
                process.wait(0.03 * number)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        try:
            with closing(open_journal(target, create=False)) as back:
                back.check()
                assert back.head() == 504
                whole += 1
        except StoreUnavailable:
            assert number
    assert whole


def test_a_backup_over_something_or_of_a_closed_ledger_is_refused(journal: PostgresJournal, copy: Path) -> None:
    before = copy.read_bytes()
    with pytest.raises(InputError, match=r"copy\.db"):
        journal.backup(copy)
    assert copy.read_bytes() == before
    journal.close()
    with pytest.raises(StoreUnavailable):
        journal.backup(copy.parent / "other.db")


def test_a_damaged_ledger_is_not_copied(journal: PostgresJournal, tmp_path: Path) -> None:
    journal.append(run("a", 1, 5))
    with psycopg.connect(journal.url.partition("?")[0], autocommit=True) as vandal:
        vandal.execute(f"UPDATE {parse(journal.url).schema}.events SET chain = state WHERE position = 3".encode())
    with pytest.raises(CorruptLedger):
        journal.backup(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def _assert_same(one: Journal, other: Journal) -> None:
    assert one.read(0) == other.read(0)
    assert one.links(0, 1000) == other.links(0, 1000)
    for content in (b"a prompt", b"to be erased"):
        assert _text(one, content) == _text(other, content)


def _text(journal: Journal, content: bytes) -> bytes | Erased | None:
    try:
        return journal.texts.get(digest_of(content))
    except InputError:
        return None
