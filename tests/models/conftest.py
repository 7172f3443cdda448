"""A model server and a ledger for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.stage import BUY, Stage
from tradecore.testing.model_server import ModelServer

pytest.register_assert_rewrite("tradecore.testing.model_gateway_contract", "tradecore.testing.model_provider_contract")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server whose models say BUY."""
    with ModelServer(lambda _: BUY) as server:
        yield server


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A ledger in memory."""
    stage = Stage()
    yield stage
    stage.journal.close()
