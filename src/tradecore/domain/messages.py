"""What travels with every event: who, why, when, and under which trace."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

EventT_co = TypeVar("EventT_co", covariant=True)


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why a command is given: the trace it belongs to, what caused it, and who acts.

    `trace_id` is 32 hexadecimal digits (W3C) and runs from a decision to its last fill. `causation_id` is the event
    that led here, None only for what begins a trace. `actor` is a person, strategy or part of the runner.
    """

    trace_id: str
    actor: str
    source: str = "tradecore"
    correlation_id: str | None = None
    causation_id: str | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """Everything about an event that is not the event itself.

    `position` is the place in the whole ledger, `version` the place in its stream (from 1); `recorded_at_ns` is UTC
    nanoseconds since 1970.
    """

    event_id: str
    name: str
    schema: int
    stream: str
    version: int
    position: int
    recorded_at_ns: int
    trace_id: str
    correlation_id: str
    causation_id: str | None
    actor: str
    source: str


class Recorded(msgspec.Struct, Generic[EventT_co], frozen=True, gc=False):
    """An event as the ledger holds it."""

    envelope: Envelope
    event: EventT_co
