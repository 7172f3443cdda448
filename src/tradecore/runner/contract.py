"""The contract of a runner: it paces the engine and contains no trading logic."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import attrs

from tradecore.cycle.orchestrator import Cycle
from tradecore.engine import Engine
from tradecore.feed import BarFeed
from tradecore.journal.contract import Journal
from tradecore.ports.bus import EventBus
from tradecore.ports.clock import Clock
from tradecore.ports.venue import Venue
from tradecore.sagas.conductor import Conductor
from tradecore.settings import Settings


@attrs.frozen
class Session:
    """Everything that a runner paces, wired and open. The lease is held while it exists.

    `cycle` is there where an agent is configured, `bus` where what happens is to be told to one.
    """

    runner_id: str
    settings: Settings
    journal: Journal
    engine: Engine
    venue: Venue
    feed: BarFeed
    clock: Clock
    conductor: Conductor
    cycle: Cycle | None = None
    bus: EventBus | None = None


class Progress(Protocol):
    """Where a runner says how far it is. `total` is None when there is no end."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Show the state of the work."""


class Runner(Protocol):
    """Runs a session until its work is done or it is told to stop."""

    async def run(self, session: Session, progress: Progress) -> str:
        """Pace the session; returns why it ended. Raises what the engine raises, after stopping everything."""


@runtime_checkable
class AloneRunner(Protocol):
    """A runner that needs no session: no broker, no lease."""

    def run_alone(self, settings: Settings) -> int:
        """Do all of the work and print what it came to; returns the exit code."""
