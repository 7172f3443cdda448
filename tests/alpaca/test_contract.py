"""The Alpaca adapter keeps the contract of brokers, over real HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.alpaca.served import alpaca_venue, served
from tests.paper.staging import FloorStage, opened_floor
from tradecore.testing.broker_contract import BrokerContract, BrokerStage, Capability


class TestAlpacaBroker(BrokerContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[BrokerStage]:
        floor = opened_floor()
        async with served(floor) as url, alpaca_venue(url) as venue:
            yield FloorStage(venue.broker, floor)
        floor.close()


class TestAlpacaBrokerInParts(BrokerContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[BrokerStage]:
        floor = opened_floor(partial_fill_rate=1.0)
        async with served(floor) as url, alpaca_venue(url) as venue:
            yield FloorStage(venue.broker, floor, frozenset({Capability.PARTIAL_FILLS, Capability.REPLACE}))
        floor.close()
