"""Publishing events beyond the ledger, as a need."""

from __future__ import annotations

from typing import Protocol

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded


class EventBus(Protocol):
    """Takes events at least once, in the ledger's order, after they are durable."""

    async def publish(self, events: tuple[Recorded[Event], ...]) -> None:
        """Hand on a batch; raising means that it will be handed on again."""
