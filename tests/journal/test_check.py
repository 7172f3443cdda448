"""What `Journal.check` finds in a file that somebody or something has changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tradecore.errors import CorruptLedger
from tradecore.journal import open_journal
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM events WHERE position = 2", "hole in the order"),
        ("DELETE FROM events WHERE position >= 2", "cut off"),
        ("UPDATE events SET originator_version = 7 WHERE position = 3", "hole in a stream"),
        ("UPDATE events SET event_id = 'another' WHERE position = 3", "two ids"),
        ("UPDATE events SET state = 'null' WHERE position = 2", "position 2"),
        ("INSERT INTO tradecore_views VALUES ('view', 'shape', 99, 1)", "ahead"),
    ],
)
def test_check_finds_what_was_changed(journal: SqliteJournal, path: Path, change: str, finding: str) -> None:
    journal.append(run("a", 1, 3))
    journal.check()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(CorruptLedger, match=finding):
        journal.check()


def test_check_finds_damaged_pages(journal: SqliteJournal, url: str, path: Path) -> None:
    journal.append(run("a", 1, 200))
    journal.close()
    content = bytearray(path.read_bytes())
    for place in range(4096 * 3, len(content), 4096):
        content[place : place + 16] = b"\xff" * 16
    path.write_bytes(content)
    with pytest.raises(CorruptLedger):  # noqa: PT012 - whichever looks first
        damaged = open_journal(url)
        try:
            damaged.check()
        finally:
            damaged.close()
