"""What may lie where a ledger is expected, and what opening makes of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tradecore.errors import CorruptLedger, InputError, NewerLedger, StoreUnavailable
from tradecore.journal import open_journal
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run


def test_a_relative_url_is_relative_to_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_journal("sqlite:///here.db").close()
    assert (tmp_path / "here.db").is_file()


def test_strange_names_are_names(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/a 100% strange&name=é;'x.db")
    journal.append(run("a", 1, 1))
    journal.close()
    assert "a 100% strange&name=é;'x.db" in _names(tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "memory",
        "memory:x",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://ledger.db",
        "sqlite:///ledger.db?mode=ro",
        "sqlite:///:memory:",
        "sqlite:///directory/",
        "sqlite:///nul\0.db",
        "ledger.db",
        "mysql:///x",
        None,
        7,
    ],
)
def test_a_bad_url_is_refused_with_what_would_be_right(bad: str) -> None:
    with pytest.raises(InputError, match=r"memory: or sqlite:///path.db"):
        open_journal(bad)


def test_a_url_that_may_hold_a_password_is_not_repeated() -> None:
    with pytest.raises(InputError, match="postgresql") as refused:
        open_journal("postgresql+psycopg://user:secret@host/database")
    assert "secret" not in str(refused.value)


def test_without_create_a_missing_ledger_stays_missing(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"ledger\.db"):
        open_journal(url, create=False)
    assert _names(tmp_path) == []


def test_a_directory_is_no_ledger(url: str, path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreUnavailable, match="directory"):
        open_journal(url)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        open_journal(f"sqlite:///{tmp_path}/nowhere/ledger.db")


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_journal(f"sqlite:///{tmp_path}/{'x' * 300}.db")


def test_a_place_that_nobody_can_write_to_is_refused() -> None:
    with pytest.raises(StoreUnavailable):
        open_journal("sqlite:////proc/ledger.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_refused(url: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable):
        open_journal(url)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"x", b"not a database " * 500, b"SQLite format 3\0" + b"\x07" * 5000])
def test_garbage_is_refused_and_left_alone(url: str, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CorruptLedger):
        open_journal(url)
    assert path.read_bytes() == content
    assert _names(path.parent) == ["ledger.db"]


def test_somebody_elses_database_is_refused_and_left_alone(url: str, path: Path) -> None:
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE events (x)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(CorruptLedger, match="is not a tradecore ledger"):
        open_journal(url)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(journal: SqliteJournal, url: str, path: Path) -> None:
    journal.close()
    _change(path, "UPDATE tradecore_meta SET value = '3' WHERE key = 'schema'")
    with pytest.raises(NewerLedger, match="schema 3"):
        open_journal(url)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM tradecore_meta",
        "UPDATE tradecore_meta SET value = 'x'",
        "DROP TABLE events",
        "DROP TABLE tradecore_views",
    ],
)
def test_a_ledger_that_lost_a_part_is_refused(journal: SqliteJournal, url: str, path: Path, change: str) -> None:
    journal.close()
    _change(path, change)
    with pytest.raises(CorruptLedger):
        open_journal(url)


def test_a_log_without_its_ledger_is_not_played_into_a_new_one(url: str, path: Path) -> None:
    Path(f"{path}-wal").write_bytes(b"header " * 5 + b"what was committed last")
    with pytest.raises(CorruptLedger, match=r"ledger\.db-wal"):
        open_journal(url)
    assert not path.exists()


def test_a_log_that_never_held_anything_is_not_in_the_way_of_a_new_ledger(url: str, path: Path) -> None:
    """A power cut may keep the name of a new log and forget the name of the new ledger before it."""
    Path(f"{path}-wal").write_bytes(b"just the header of a log" + bytes(8))
    journal = open_journal(url)
    journal.append(run("a", 1, 1))
    journal.check()
    journal.close()


def test_what_a_crash_left_of_a_creation_is_cleared_away(url: str, path: Path) -> None:
    Path(f"{path}.new").write_bytes(b"half a ledger")
    journal = open_journal(url)
    journal.append(run("a", 1, 1))
    journal.close()
    assert _names(path.parent) == ["ledger.db", "ledger.db.head", "ledger.db.lock"]


def test_a_creation_that_fails_leaves_no_ledger(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tradecore.journal.sqlite.opening.lay_out", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        open_journal(url)
    assert _names(path.parent) == ["ledger.db.lock"]


def test_a_ledger_reached_by_a_link_is_the_same_ledger(journal: SqliteJournal, path: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(path)
    linked = open_journal(f"sqlite:///{tmp_path}/link.db")
    linked.append(run("a", 1, 1))
    assert journal.head() == 1
    linked.close()
    assert not (tmp_path / "link.db.lock").exists()


def _change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def _names(directory: Path) -> list[str]:
    return sorted(item.name for item in directory.iterdir())


def test_a_ledger_of_the_first_schema_gets_new_tables_for_its_views(
    journal: SqliteJournal, url: str, path: Path
) -> None:
    journal.append(run("a", 1, 3))
    journal.close()
    for statement in (
        "DROP TABLE tradecore_views",
        "DROP TABLE tradecore_view_rows",
        "CREATE TABLE tradecore_views (view TEXT PRIMARY KEY, shape TEXT NOT NULL, position INTEGER NOT NULL)",
        "CREATE TABLE tradecore_view_rows (view TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (view, key))",
        "INSERT INTO tradecore_views VALUES ('view', 'shape', 3)",
        "UPDATE tradecore_meta SET value = '1' WHERE key = 'schema'",
    ):
        _change(path, statement)
    for _ in range(2):
        renewed = open_journal(url)
        assert renewed.head() == 3
        renewed.views.write("view", "shape", renewed.views.cursor("view", "shape"), 3, {"a": b"1"})
        renewed.check()
        renewed.close()
