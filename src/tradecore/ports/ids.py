"""Identity and chance, as needs: the core never draws its own."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """New identities."""

    def event_id(self) -> str:
        """A UUIDv7: sorts by the time of its making."""

    def order_id(self) -> str:
        """A UUIDv7 for an order that nothing determines."""

    def trace_id(self) -> str:
        """32 hexadecimal digits, never all zero (W3C)."""

    def epoch(self) -> str:
        """8 hexadecimal digits for a new ledger."""


class Rng(Protocol):
    """Chance: jitter and the like, never a decision."""

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
