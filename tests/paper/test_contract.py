"""The paper broker keeps the contract of brokers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.paper.staging import FloorStage, opened_floor
from tradecore.testing.broker_contract import BrokerContract, BrokerStage, Capability
from tradecore_paper.broker import PaperBroker


class TestPaperBroker(BrokerContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[BrokerStage]:
        floor = opened_floor()
        yield FloorStage(PaperBroker(floor), floor)
        floor.close()


class TestPaperBrokerInParts(BrokerContract):
    """Every order is filled in parts, and costs a fee."""

    @pytest.fixture
    async def stage(self) -> AsyncIterator[BrokerStage]:
        floor = opened_floor(partial_fill_rate=1.0)
        yield FloorStage(PaperBroker(floor), floor, frozenset({Capability.PARTIAL_FILLS, Capability.REPLACE}))
        floor.close()
