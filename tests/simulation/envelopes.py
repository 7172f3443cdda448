"""What holds of envelopes: no gap in positions and versions, no id twice, no effect before its cause."""

from __future__ import annotations

from tests.simulation.books import Fail
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded


class Envelopes:
    """Follows the log, event by event."""

    def __init__(self, fail: Fail) -> None:
        self.fail = fail
        self._event_ids: set[str] = set()
        self._versions: dict[str, int] = {}
        self.position = 0

    def rewind(self, head: int) -> None:
        """Power was lost: what the ledger acknowledged must be there."""
        if head < self.position:
            self.fail(
                "I6", f"the ledger acknowledged position {self.position}, and ends at {head} after a loss of power"
            )

    def check(self, one: Recorded[Event]) -> None:
        """Look at the next event."""
        envelope = one.envelope
        if envelope.position != self.position + 1:
            self.fail("I6", f"position {envelope.position} follows {self.position}")
        self.position = envelope.position
        version = self._versions.get(envelope.stream, 0)
        if envelope.version != version + 1:
            self.fail("I6", f"version {envelope.version} of {envelope.stream} follows {version}")
        self._versions[envelope.stream] = envelope.version
        if envelope.event_id in self._event_ids:
            self.fail("I7", f"event id {envelope.event_id} is there twice")
        if envelope.causation_id is not None and envelope.causation_id not in self._event_ids:
            self.fail("I7", f"{envelope.name} is caused by {envelope.causation_id}, which is not there before it")
        if len(envelope.trace_id) != 32 or not envelope.actor:
            self.fail("I7", f"{envelope.name} at {envelope.position} has no trace or no actor")
        self._event_ids.add(envelope.event_id)
