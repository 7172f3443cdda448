"""The log of a long run stays short, whoever reads meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.journal.children import Child, hear
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run

_READ_FOR_EVER = """
journal = open_journal(sys.argv[1])
tell("ready")
after = 0
while True:
    page = journal.read(after, 500)
    after = page[-1].envelope.position if page else 0
"""


def _append(journal: SqliteJournal, times: int) -> int:
    """Append in hundreds; returns how large the log ever was."""
    version, largest = len(journal.load("a")), 0
    log = Path(f"{journal.datastore.path}-wal")
    for _ in range(times):
        journal.append(run("a", version + 1, version + 100))
        version += 100
        largest = max(largest, log.stat().st_size)
    return largest


def test_readers_that_take_turns_do_not_let_the_log_grow(journal: SqliteJournal, url: str, child: Child) -> None:
    journal.append(run("b", 1, 1000))
    for reader in [child(_READ_FOR_EVER, url) for _ in range(3)]:
        assert hear(reader) == "ready"
    assert _append(journal, 500) < 40_000_000  # without cutting it off: over 70 MB, and growing


def test_a_reader_that_holds_on_lets_it_grow_until_he_lets_go(journal: SqliteJournal, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        assert _append(journal, 300) > 16_000_000
    _append(journal, 40)
    assert journal.stats().log_size_bytes < 16_000_000
    journal.check()
