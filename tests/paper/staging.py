"""A stage for the broker contract: a floor in this loop, whatever stands between it and the broker."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from tests.exchange.play import small_floor
from tradecore.ports.broker import Broker, BrokerFill
from tradecore.testing.broker_contract import Capability
from tradecore_exchange import Floor, Refusal

# Executions of an exchange without options come whole; the case on parts has a stage of its own.
EVERYTHING = frozenset(Capability) - {Capability.PARTIAL_FILLS}
_OPENING_BARS = 5


def opened_floor(**options: Any) -> Floor:
    """The floor, a few minutes into its first day."""
    floor = small_floor(**options)
    for _ in range(_OPENING_BARS):
        assert floor.advance() is not None
    floor.publish()
    return floor


@attrs.frozen
class FloorStage:
    """A broker on a floor that lives in the same event loop, so that the stage may touch it between two calls."""

    broker: Broker
    floor: Floor
    capabilities: frozenset[Capability] = EVERYTHING
    symbol: str = "AAPL"
    numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        return f"contract-{next(self.numbers)}"

    async def price(self) -> Decimal:
        return self.floor.exchange.prices[self.symbol]

    async def move(self) -> None:
        assert self.floor.advance() is not None, "the tape is long enough for every case"
        self.floor.publish()

    async def bust(self, fill: BrokerFill) -> None:
        self._carry_out("bust", fill.execution_id)

    async def correct(self, fill: BrokerFill, price: Decimal) -> None:
        self._carry_out("correct", fill.execution_id, fill.quantity, price)

    async def charge(self, amount: Decimal) -> None:
        self._carry_out("fee", amount)

    def _carry_out(self, operation: str, *arguments: object) -> None:
        outcome = self.floor.carry_out(lambda exchange: getattr(exchange, operation)(*arguments))
        assert not isinstance(outcome, Refusal), outcome
        self.floor.publish()
