"""The contract of a journal whose events are encrypted."""

from __future__ import annotations

import os

from tradecore.domain.events import AlertTriggered
from tradecore.journal import Journal, KeyRing
from tradecore.testing.chain_contract import assert_chained
from tradecore.testing.journal_contract import JournalContract
from tradecore.testing.journal_samples import recorded, run

OLD, NEW = os.urandom(32), os.urandom(32)
RING = KeyRing({"2025": OLD, "2026": NEW})
SECRET = "a word that nobody else should read"


class SealedContract(JournalContract):
    def test_links_are_the_stored_rows_to_the_byte(self, journal: Journal) -> None:
        """The same promise, told without an encoding that is the same every time."""
        journal.append([recorded("a", 1, AlertTriggered("kind", SECRET)), *run("b", 1, 2)])
        for item in assert_chained(journal):
            assert SECRET.encode() not in item.state
            assert item.state.startswith(b"\x01\x042026")
