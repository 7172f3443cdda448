"""The order of events: positions, identities, causes, traces."""

from __future__ import annotations

from collections.abc import Sequence

from tradecore.domain.events import Event
from tradecore.domain.identity import parse_trace_id
from tradecore.domain.messages import Envelope, Recorded
from tradecore.errors import InputError
from tradecore.journal.scratch import Scratch
from tradecore.verify.findings import Findings

_MOST = 1000


class LogOrder:
    """Takes the log page by page; ids are compared at the end, because there is no room for all of them before."""

    def __init__(self, scratch: Scratch, findings: Findings) -> None:
        self._scratch = scratch
        self._findings = findings
        self.position = 0
        self.events = 0

    def take(self, page: Sequence[Recorded[Event]]) -> None:
        """The next events."""
        ids: list[tuple[str, int]] = []
        causes: list[tuple[str, int]] = []
        here: set[str] = set()
        for recorded in page:
            envelope = recorded.envelope
            self._look_at(envelope)
            ids.append((envelope.event_id, envelope.position))
            # Most causes are a few events back.
            if envelope.causation_id is not None and envelope.causation_id not in here:
                causes.append((envelope.causation_id, envelope.position))
            here.add(envelope.event_id)
        self._scratch.note(ids, causes)

    def finish(self) -> None:
        """There are no more events."""
        for position, event_id in self._scratch.repeated(_MOST):
            self._findings.add("event ids", f"event {position}", f"event id {event_id} was used before")
        for position, event_id in self._scratch.uncaused(_MOST):
            message = f"no earlier event has the id {event_id} of its cause"
            self._findings.add("causation", f"event {position}", message)

    def _look_at(self, envelope: Envelope) -> None:
        where = f"event {envelope.position}"
        if envelope.position != self.position + 1:
            self._findings.add("positions", where, f"position {envelope.position} follows {self.position}")
        try:
            parse_trace_id("trace_id", envelope.trace_id)
        except InputError as error:
            self._findings.add("traces", where, str(error))
        self.position = max(self.position, envelope.position)
        self.events += 1
