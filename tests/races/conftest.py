"""The stores to race on. `TRADECORE_TEST_POSTGRES` adds the Postgres ledger at that URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.races.contests import open_store
from tests.races.hands import Store

_POSTGRES = os.environ.get("TRADECORE_TEST_POSTGRES")


@pytest.fixture(params=["memory", "sqlite", *(["postgres"] if _POSTGRES else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A ledger; one in Postgres is not empty, and keeps what the tests write."""
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/ledger.db", "postgres": _POSTGRES}
    url = str(urls[request.param])
    opened = open_store(url)
    yield opened
    opened.journal.close()
