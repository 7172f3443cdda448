"""The right to deliver, as a need: one runner at a time works on a ledger, or several that share it by lanes."""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """Held from acquire to release; `token` is written on every attempt, so a stale holder shows."""

    @property
    def token(self) -> str:
        """The fencing token of the current hold."""

    def acquire(self, holder: str, *, shared: bool = False) -> None:
        """Take it; raises `LeaseHeld` naming the holder when somebody else has it.

        Several may hold it `shared`, and nobody else then; who of them delivers what is for lanes to say.
        """

    def release(self) -> None:
        """Give it back; harmless when not held."""
