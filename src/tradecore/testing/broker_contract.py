"""What every broker must do, as numbered tests. Subclass `BrokerContract`, give it a stage, and pytest does the rest.

::

    class TestMyBroker(BrokerContract):
        @pytest.fixture
        async def stage(self) -> AsyncIterator[BrokerStage]: ...

Cases by number: B01 submit and look up, B02 a client order id is unique, B03 a cancel is a request, B04 the record of
executions, B05 the stream, B06 partial fills, B07 replacements, B08 brackets, B09 positions, B10 fractions, B11
refusals, B12 busts and corrections, B13 the account, B14 immediate orders, B15 stops and trails, B16 OCO and OTO,
B17 amounts of money, B18 cancel everything, B19 suspend, B20 close a position, B21 activities, B22 cash.
"""

from __future__ import annotations

import pytest

from tradecore.testing.broker_account_contract import AccountContract
from tradecore.testing.broker_classes_contract import ClassesContract
from tradecore.testing.broker_fills_contract import FillsContract
from tradecore.testing.broker_orders_contract import OrdersContract
from tradecore.testing.broker_stage import BrokerStage, Capability, Play

__all__ = ["BrokerContract", "BrokerStage", "Capability", "Play"]


@pytest.mark.anyio
class BrokerContract(OrdersContract, FillsContract, ClassesContract, AccountContract):
    """The promises of `tradecore.ports.broker`."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The event loop of the cases."""
        return "asyncio"

    @pytest.fixture
    def stage(self) -> BrokerStage:
        """A stage of its own for every case. To be overridden, usually by an asynchronous fixture that closes it."""
        raise NotImplementedError

    @pytest.fixture
    def play(self, stage: BrokerStage) -> Play:
        """What the cases use."""
        return Play(stage)
