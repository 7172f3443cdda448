"""Both journals keep the contract that ships."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tradecore.journal import Journal, open_journal
from tradecore.testing.journal_contract import JournalContract, Reopen


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        journal = open_journal("memory:")
        yield journal
        journal.close()


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[Journal]:
        journal = open_journal(f"sqlite:///{tmp_path}/ledger.db")
        yield journal
        journal.close()

    @pytest.fixture
    def reopen(self) -> Iterator[Reopen]:
        opened: list[Journal] = []

        def again(journal: Journal) -> Journal:
            journal.close()
            opened.append(open_journal(journal.url, create=False))
            return opened[-1]

        yield again
        for journal in opened:
            journal.close()


def test_two_ledgers_in_memory_know_nothing_of_each_other() -> None:
    first, second = open_journal("memory:"), open_journal("memory:")
    first.views.write("view", "shape", 0, 1, {"key": b"value"})
    assert second.views.cursor("view", "shape") == 0
