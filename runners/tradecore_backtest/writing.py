"""From the tape to a ledger: envelopes as the one door for writing makes them, under ids that the run determines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from tradecore import __version__
from tradecore.domain import streams
from tradecore.domain.events import Event, LedgerCreated
from tradecore.domain.messages import Envelope, Recorded
from tradecore.journal.contract import Journal
from tradecore_backtest.desk import Unit

_PIECE = 2_000


class DerivedIds:
    """Identities out of a name and a count: the same run makes the same ledger, byte for byte."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def _next(self, kind: str) -> str:
        self._count += 1
        return hashlib.blake2b(f"{self._name}:{kind}:{self._count}".encode(), digest_size=16).hexdigest()

    def event_id(self) -> str:
        """A UUID."""
        text = self._next("event")
        return f"{text[:8]}-{text[8:12]}-7{text[13:16]}-8{text[17:20]}-{text[20:]}"

    def order_id(self) -> str:
        """A UUID."""
        return self.event_id()

    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self._next("trace")

    def epoch(self) -> str:
        """8 hexadecimal digits."""
        return hashlib.blake2b(self._name.encode(), digest_size=4).hexdigest()


class Enveloper:
    """Gives every event of a tape its envelope; traces and causes go on as in a batch of the ledger."""

    def __init__(self, ids: DerivedIds) -> None:
        self._ids = ids
        self._versions: dict[str, int] = {}
        self._begun: dict[str, tuple[str, str]] = {}
        self._last: dict[str, str] = {}

    def envelop(self, unit: Unit) -> list[Recorded[Event]]:
        """The events of a unit as the ledger records them."""
        trace = self._ids.trace_id()
        correlation: str | None = None
        caused_by: str | None = None
        known = unit.thread
        if known is not None and known in self._begun:
            trace, correlation = self._begun[known]
            caused_by = self._last[known]
        recorded: list[Recorded[Event]] = []
        for number, (stream, event) in enumerate(unit.events):
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            event_id = self._ids.event_id()
            correlation = correlation or event_id
            envelope = Envelope(
                event_id, event.NAME, event.SCHEMA, stream, version, 0, unit.ns, trace, correlation, caused_by,
                unit.actor, "tradecore",
            )  # fmt: skip
            recorded.append(Recorded(envelope, event))
            self._last[stream] = event_id
            if version == 1:
                self._begun[stream] = (trace, correlation)
            if not number:
                caused_by = event_id
        return recorded


def birth(ids: DerivedIds, ns: int) -> Unit:
    """The first event of the ledger of a run."""
    created = LedgerCreated(ids.order_id(), ids.epoch(), f"tradecore {__version__}")
    return Unit(ns, "ledger", None, None, [(streams.LEDGER, created)])


def recorded(units: Iterable[Unit], name: str) -> Iterator[list[Recorded[Event]]]:
    """The whole ledger of a run, unit by unit."""
    ids = DerivedIds(name)
    enveloper = Enveloper(ids)
    is_begun = False
    for unit in units:
        if not is_begun:
            yield enveloper.envelop(birth(ids, unit.ns))
            is_begun = True
        yield enveloper.envelop(unit)


def write(units: Iterable[Unit], name: str, journal: Journal) -> None:
    """Append the ledger of a run, many events at a time."""
    waiting: list[Recorded[Event]] = []
    for events in recorded(units, name):
        waiting.extend(events)
        if len(waiting) >= _PIECE:
            journal.append(waiting)
            waiting = []
    if waiting:
        journal.append(waiting)
