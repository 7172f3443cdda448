"""Ledgers in files, and other processes that work on them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.children import Child, start
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.journal.sqlite.opening import open_ledger

# Contract suites explain their failures only when pytest rewrites their assertions.
pytest.register_assert_rewrite(
    "tradecore.testing.chain_contract",
    "tradecore.testing.group_contract",
    "tradecore.testing.journal_contract",
    "tradecore.testing.views_contract",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of the test is."""
    return tmp_path / "ledger.db"


@pytest.fixture
def url(path: Path) -> str:
    """The same as a URL."""
    return f"sqlite:///{path}"


@pytest.fixture
def journal(url: str, path: Path) -> Iterator[SqliteJournal]:
    """A new ledger in a file."""
    journal = open_ledger(url, path, create=True, patience_s=5)
    yield journal
    journal.close()


@pytest.fixture
def child() -> Iterator[Child]:
    """Starts another process; see `tests.journal.children`."""
    started: list[subprocess.Popen[str]] = []

    def start_and_remember(script: str, *arguments: str, failpoints: str = "") -> subprocess.Popen[str]:
        started.append(start(script, *arguments, failpoints=failpoints))
        return started[-1]

    yield start_and_remember
    for process in started:
        process.kill()
        process.communicate()
