"""The hash chain in a file: its formula, other processes, and writers that find history changed under their hands."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from tests.journal.children import Child, hear
from tradecore.errors import CorruptLedger, OlderLedger
from tradecore.journal import open_journal
from tradecore.journal.chain import GENESIS, link
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.chain_contract import assert_chained
from tradecore.testing.journal_samples import run


def test_the_formula_is_the_documented_bytes() -> None:
    before = bytes(range(32))
    told = before + (7).to_bytes(8, "big") + (2).to_bytes(8, "big")
    told += (3).to_bytes(4, "big") + "aé".encode() + (5).to_bytes(4, "big") + b"a.b.c" + b'{"v":1}'
    assert link(before, 7, "aé", 2, "a.b.c", b'{"v":1}') == hashlib.sha256(told).digest()


@pytest.mark.parametrize(
    "changed",
    [
        (bytes(31) + b"\1", 1, "ab", 1, "cd", b"e"),
        (GENESIS, 2, "ab", 1, "cd", b"e"),
        (GENESIS, 1, "a", 1, "bcd", b"e"),
        (GENESIS, 1, "ab", 2, "cd", b"e"),
        (GENESIS, 1, "ab", 1, "cde", b""),
        (GENESIS, 1, "ab", 1, "c", b"de"),
    ],
)
def test_no_field_can_lend_its_bytes_to_another(changed: tuple[bytes, int, str, int, str, bytes]) -> None:
    assert link(*changed) != link(GENESIS, 1, "ab", 1, "cd", b"e")


def test_the_append_of_another_process_is_built_on(journal: SqliteJournal, url: str, child: Child) -> None:
    journal.append(run("a", 1, 2))
    process = child("journal = open_journal(sys.argv[1]); journal.append(run('b', 1, 2)); tell('done')", url)
    assert hear(process) == "done"
    journal.append(run("a", 3, 3))
    assert len(assert_chained(journal)) == 5


def test_two_journals_in_one_process_take_turns(journal: SqliteJournal, url: str) -> None:
    other = open_journal(url)
    for version in range(1, 20):
        journal.append(run("a", version, version))
        other.append(run("b", version, version))
    other.close()
    assert len(assert_chained(journal)) == 38


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM events WHERE position = 3",
        "DELETE FROM events WHERE position > 1",
        "DELETE FROM events",
        "UPDATE events SET chain = zeroblob(32) WHERE position = 3",
        "UPDATE sqlite_sequence SET seq = 2; DELETE FROM events WHERE position = 3",
        "UPDATE sqlite_sequence SET seq = 0; DELETE FROM events",
    ],
)
def test_a_writer_does_not_build_on_a_history_that_was_changed(journal: SqliteJournal, path: Path, change: str) -> None:
    journal.append(run("a", 1, 3))
    foreign = sqlite3.connect(path)
    foreign.executescript(change)
    foreign.close()
    before = journal.links(0, 9)
    with pytest.raises(CorruptLedger):
        journal.append(run("b", 1, 1))
    assert journal.links(0, 9) == before


def test_a_cut_tail_is_not_built_on_after_a_restart_either(journal: SqliteJournal, url: str, path: Path) -> None:
    journal.append(run("a", 1, 3))
    journal.close()
    foreign = sqlite3.connect(path)
    foreign.executescript("DELETE FROM events WHERE position = 3")
    foreign.close()
    with pytest.raises(CorruptLedger, match="ends at position 2, and position 3 was written"):
        open_journal(url)
    Path(f"{path}.head").unlink()
    again = open_journal(url)
    with pytest.raises(CorruptLedger, match="ends at position 2, but position 3 was written"):
        again.append(run("b", 1, 1))
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        "originator_id = CAST(originator_id AS BLOB)",
        "topic = CAST(topic AS BLOB)",
        "originator_version = 'two'",
        "originator_version = -1",
        "state = CAST(state AS TEXT)",
        "chain = 'text'",
    ],
)
def test_a_value_of_another_kind_is_corrupt(journal: SqliteJournal, path: Path, change: str) -> None:
    journal.append(run("a", 1, 3))
    foreign = sqlite3.connect(path)
    foreign.execute(f"UPDATE events SET {change} WHERE position = 2")
    foreign.commit()
    foreign.close()
    with pytest.raises(CorruptLedger, match="position 2"):
        journal.links(0, 9)


def test_a_ledger_without_a_chain_is_refused_with_what_to_do(url: str, path: Path) -> None:
    open_journal(url).close()
    foreign = sqlite3.connect(path)
    foreign.execute("ALTER TABLE events DROP COLUMN chain")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(OlderLedger, match=r"no hash chain.*begin a new ledger"):
        open_journal(url)
    assert path.read_bytes() == before
