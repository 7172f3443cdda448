"""The recorders keep the contract of `eventsourcing` itself: its own test cases, run on ours."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from eventsourcing.persistence import ApplicationRecorder

from tradecore.journal.memory.recorder import MemoryRecorder
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.journal.sqlite.opening import open_ledger
from tradecore.journal.sqlite.recorder import LedgerRecorder

with mock.patch.dict(sys.modules):
    # The library's cases import its cipher, and with it a package of cryptography that recorders have no use for.
    sys.modules["eventsourcing.cipher"] = mock.MagicMock()
    from eventsourcing.tests.persistence import ApplicationRecorderTestCase


class _Ours(ApplicationRecorderTestCase[ApplicationRecorder]):
    """The library's cases; streams have names, not UUIDs. They print figures, which nobody wants in a test run."""

    def new_originator_id(self) -> str:
        return f"order-{uuid.uuid4()}"

    def setUp(self) -> None:
        silence = contextlib.redirect_stdout(io.StringIO())
        silence.__enter__()
        self.addCleanup(silence.__exit__, None, None, None)


class TestMemoryRecorder(_Ours):
    def create_recorder(self) -> MemoryRecorder:
        return MemoryRecorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestLedgerRecorder(_Ours):
    def create_recorder(self) -> LedgerRecorder:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        journal = _opened(Path(directory.name))
        self.addCleanup(journal.close)
        return journal.recorder

    @pytest.mark.skip(reason="followers wait on the journal; eventsourcing has no subscription on SQLite either")
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


del _Ours  # pytest would collect the library's abstract cases


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[LedgerRecorder]:
    journal = _opened(tmp_path)
    yield journal.recorder
    journal.close()


def _opened(directory: Path) -> SqliteJournal:
    return open_ledger("", directory / "ledger.db", create=True, patience_s=5)


def test_a_recorder_may_create_its_table_again(recorder: LedgerRecorder) -> None:
    recorder.create_table()
    assert recorder.max_notification_id() is None
