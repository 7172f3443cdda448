"""Notices: what is set aside for a person, and what a person should see; each is recorded once."""

from __future__ import annotations

import structlog

from tradecore.domain import events as ev
from tradecore.domain.identity import derived_id
from tradecore.domain.messages import Cause, Recorded
from tradecore.ledger import Ledger
from tradecore.ports.broker import UnknownReport
from tradecore.ports.ids import Ids

_log = structlog.get_logger("tradecore.inbox")


class Notices:
    """Writes them into the ledger."""

    def __init__(self, ledger: Ledger, ids: Ids) -> None:
        self._ledger = ledger
        self._ids = ids

    def park(self, source: str, report: UnknownReport) -> None:
        """Keep what cannot be read."""
        _log.warning("parked a report", source=source, reason=report.reason)
        self.park_once((source, report.reason, report.raw), ev.ReportParked(source, report.reason, report.raw))

    def park_once(self, key: tuple[str, ...], event: ev.ReportParked) -> None:
        """Keep it, unless something was kept under this key before."""
        stream = f"parked-{derived_id('parked', *key)}"
        if not self._ledger.has_stream(stream):
            self.note(stream, event, event.source)

    def alert_once(self, kind: str, key: str, message: str) -> None:
        """Raise an alert, unless one of the kind was raised for this key before."""
        stream = f"alert-{derived_id('alert', kind, key)}"
        if not self._ledger.has_stream(stream):
            _log.error(message, kind=kind)
            self.note(stream, ev.AlertTriggered(kind, message))

    def note(self, stream: str, event: ev.Event, source: str = "tradecore") -> Recorded[ev.Event]:
        """Record an event of the system."""
        return self._ledger.note(stream, event, Cause(self._ids.trace_id(), actor="inbox", source=source))
