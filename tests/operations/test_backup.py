"""A copy is one moment of the ledger, whoever writes meanwhile, and never takes the place of anything."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.journal.children import Child, hear
from tests.views.vandal import trade_for_an_hour
from tradecore.errors import ConfigurationError, CorruptLedger, InputError, StoreUnavailable
from tradecore.journal import open_journal, restore_ledger
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run

_APPEND_FOR_EVER = """
journal = open_journal(sys.argv[1])
version = len(journal.load("a"))
while True:
    journal.append([*run("a", version + 1, version + 3), *run(f"b-{version}", 1, 2)])
    version += 3
    tell(version)
"""


def test_copies_taken_while_another_process_appends_are_whole_appends_of_it(
    journal: SqliteJournal, url: str, tmp_path: Path, child: Child
) -> None:
    original = journal
    writer = child(_APPEND_FOR_EVER, url)
    heads = []
    for number in range(8):
        hear(writer)
        before = original.head()
        heads.append(original.backup(tmp_path / f"copy-{number}.db"))
        assert before <= heads[-1] <= original.head()
    writer.kill()
    assert heads == sorted(heads)
    assert heads[0] < heads[-1]
    for number, head in enumerate(heads):
        with closing(open_journal(f"sqlite:///{tmp_path}/copy-{number}.db", create=False)) as copy:
            copy.check()
            assert copy.head() == head
            assert head % 5 == 0  # an append of the writer is five events
            assert copy.read(0, head) == original.read(0, head)


def test_a_backup_killed_anywhere_leaves_no_copy_or_a_whole_one(
    journal: SqliteJournal, url: str, tmp_path: Path, child: Child
) -> None:
    journal.append(run("a", 1, 3000))
    script = (
        "journal = open_journal(sys.argv[1]); tell('go'); from pathlib import Path; journal.backup(Path(sys.argv[2]))"
    )
    chance = random.Random(5)
    found = 0
    for number in range(8):
        target = tmp_path / f"copy-{number}.db"
        process = child(script, url, str(target))
        hear(process)
        try:
            process.wait(chance.uniform(0.0, 0.3))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        if target.exists() and target.stat().st_size:
            found += 1
            with closing(open_journal(f"sqlite:///{target}", create=False)) as copy:
                assert copy.head() == 3000
    journal.check()


def test_a_copy_is_one_file_and_goes_on_as_a_ledger(journal: SqliteJournal, tmp_path: Path) -> None:
    events = journal.append(run("a", 1, 5))
    journal.views.write("view", "shape", 0, 5, {"key": b"value"})
    assert journal.backup(tmp_path / "copy.db") == 5
    assert [item.name for item in tmp_path.iterdir() if "copy" in item.name] == ["copy.db"]
    journal.append(run("a", 6, 6))
    with closing(open_journal(f"sqlite:///{tmp_path}/copy.db", create=False)) as copy:
        assert copy.read(0) == events
        assert copy.views.cursor("view", "shape") == 5
        assert copy.append(run("a", 6, 6))[0].envelope.position == 6


@pytest.mark.parametrize("kind", ["", "-wal", "-journal"])
def test_a_backup_never_overwrites(journal: SqliteJournal, tmp_path: Path, kind: str) -> None:
    taken = tmp_path / f"copy.db{kind}"
    taken.write_bytes(b"precious")
    with pytest.raises(InputError, match=r"copy\.db"):
        journal.backup(tmp_path / "copy.db")
    assert taken.read_bytes() == b"precious"


def test_a_backup_of_a_damaged_ledger_is_refused_and_leaves_nothing(
    journal: SqliteJournal, path: Path, url: str, tmp_path: Path
) -> None:
    journal.append(run("a", 1, 5))
    journal.close()
    with closing(sqlite3.connect(path)) as vandal, vandal:
        vandal.execute("DELETE FROM events WHERE position = 3")
    with closing(open_journal(url)) as damaged, pytest.raises(CorruptLedger, match="hole"):
        damaged.backup(tmp_path / "copy.db")
    assert not [item for item in tmp_path.iterdir() if "copy" in item.name]


def test_a_backup_into_nowhere_is_refused(journal: SqliteJournal, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory"):
        journal.backup(tmp_path / "nowhere" / "copy.db")


def test_a_closed_journal_makes_no_backup(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.close()
    with pytest.raises(StoreUnavailable):
        journal.backup(tmp_path / "copy.db")


def test_a_ledger_in_memory_says_that_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="memory"):
        open_journal("memory:").backup(tmp_path / "copy.db")


def test_a_restore_brings_the_copy_back_and_leaves_it_alone(journal: SqliteJournal, tmp_path: Path) -> None:
    events = journal.append(run("a", 1, 5))
    copy = tmp_path / "copy.db"
    journal.backup(copy)
    before = copy.read_bytes()
    assert restore_ledger(copy, f"sqlite:///{tmp_path}/back.db") == 5
    assert copy.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir() if "copy" in item.name] == ["copy.db"]
    with closing(open_journal(f"sqlite:///{tmp_path}/back.db", create=False)) as back:
        assert back.read(0) == events


def test_a_restore_is_refused_where_something_is(journal: SqliteJournal, tmp_path: Path, url: str) -> None:
    journal.append(run("a", 1, 5))
    journal.backup(tmp_path / "copy.db")
    with pytest.raises(InputError, match=r"ledger\.db"):
        restore_ledger(tmp_path / "copy.db", url)
    with pytest.raises(ConfigurationError, match="memory"):
        restore_ledger(tmp_path / "copy.db", "memory:")
    assert journal.head() == 5


def test_what_is_no_copy_is_not_restored(journal: SqliteJournal, path: Path, tmp_path: Path) -> None:
    journal.append(run("a", 1, 1))
    back = f"sqlite:///{tmp_path}/back.db"
    with pytest.raises(InputError, match="log beside it"):
        restore_ledger(path, back)
    with pytest.raises(InputError, match="a copy"):
        restore_ledger(tmp_path / "missing.db", back)
    (tmp_path / "garbage.db").write_bytes(b"not a database " * 500)
    with pytest.raises(CorruptLedger):
        restore_ledger(tmp_path / "garbage.db", back)
    assert not (tmp_path / "back.db").exists()


def test_the_verbs_copy_and_bring_back(terminal: Terminal, tmp_path: Path) -> None:
    terminal.trade(trade_for_an_hour)
    (copied,) = terminal.json("backup", "copy.db")
    assert terminal.run("backup", "copy.db").code == 2
    (restored,) = terminal.json("restore", "copy.db", "--to", "sqlite:///back.db")
    assert copied["head"] == restored["head"] > 10
    assert terminal.run("restore", "copy.db", "--to", "sqlite:///back.db").code == 2
    assert terminal.run("verify", "--ledger", "sqlite:///back.db").code == 0
    orders = terminal.json("orders")
    assert terminal.json("orders", "--ledger", "sqlite:///back.db") == orders
