"""Recorded events and signals as publications, and publications as JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from tradecore.domain.derived import Derived
from tradecore.domain.events import Event
from tradecore.domain.identity import derived_id
from tradecore.domain.messages import Recorded
from tradecore.domain.signals import Signal
from tradecore.ports.bus import Publication
from tradecore.views.plain import instant, instant_of_ns, text


def publication_of(recorded: Recorded[Event], ledger_id: str) -> Publication:
    """An event of the ledger, under the id that it has there: whoever sees it twice can tell."""
    envelope = recorded.envelope
    return Publication(
        event_id=envelope.event_id,
        type=envelope.name,
        schema=envelope.schema,
        time_ns=envelope.recorded_at_ns,
        source=envelope.source,
        correlation_id=envelope.correlation_id,
        causation_id=envelope.causation_id,
        trace_id=envelope.trace_id,
        actor=envelope.actor,
        metadata={
            "ledger": ledger_id,
            "stream": envelope.stream,
            "version": envelope.version,
            "position": envelope.position,
        },
        data=plain(recorded.event),
    )


def derived_publication(derived: Derived, source: Publication) -> Publication:
    """What follows from an event: caused by it, at its place, under an id that is the same every time."""
    return attrs.evolve(
        source,
        event_id=derived_id(derived.NAME, source.event_id),
        type=derived.NAME,
        schema=derived.SCHEMA,
        causation_id=source.event_id,
        data=plain(derived),
    )


def signal_of(signal: Signal, event_id: str, time_ns: int, trace_id: str, actor: str) -> Publication:
    """A signal: no ledger has it, so it says nothing of a place there."""
    return Publication(
        event_id=event_id,
        type=signal.NAME,
        schema=signal.SCHEMA,
        time_ns=time_ns,
        source="tradecore",
        correlation_id=event_id,
        causation_id=None,
        trace_id=trace_id,
        actor=actor,
        metadata={},
        data=plain(signal),
    )


def plain(content: Event | Signal | Derived) -> dict[str, Any]:
    """The fields as JSON values: numbers are text without exponent, times RFC 3339 in UTC."""
    fields = _plain(msgspec.to_builtins(content, builtin_types=(Decimal, dt.datetime)))
    assert isinstance(fields, dict), "events and signals have fields"
    return fields


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Decimal():
            return text(value)
        case dt.datetime():
            return instant(value)
        case _:
            return value


def as_json(publication: Publication) -> bytes:
    """The publication on the wire; `docs/reference/events.schema.json` says what is in it."""
    return msgspec.json.encode(
        {
            "event_id": publication.event_id,
            "type": publication.type,
            "schema_version": publication.schema,
            "time": instant_of_ns(publication.time_ns),
            "source": publication.source,
            "correlation_id": publication.correlation_id,
            "causation_id": publication.causation_id,
            "trace_id": publication.trace_id,
            "actor": publication.actor,
            "metadata": dict(publication.metadata),
            "data": dict(publication.data),
        }
    )
