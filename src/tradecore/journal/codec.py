"""Events as bytes and back: JSON by msgspec, one decoder per event name. Decimals are strings, times RFC 3339."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol, cast

import msgspec

from tradecore.domain.events import EVENTS, Event
from tradecore.domain.messages import Envelope, Recorded
from tradecore.errors import CorruptLedger, InputError, NewerLedger

Row = tuple[int, str, int, str, bytes]
"""Position, stream, version, name, state."""


class _Written(msgspec.Struct, gc=False):
    id: str
    v: int
    at: int
    trace: str
    corr: str
    cause: str | None
    actor: str
    src: str
    data: Any


class _Read(Protocol):
    id: str
    v: int
    at: int
    trace: str
    corr: str
    cause: str | None
    actor: str
    src: str
    data: Event


class _Schema(msgspec.Struct):
    v: int


def _decoder(name: str, event_class: type[Event]) -> msgspec.json.Decoder[_Read]:
    struct = msgspec.defstruct(f"Read {name}", [("data", event_class)], bases=(_Written,), kw_only=True)
    return msgspec.json.Decoder(cast("type[_Read]", struct))


_DECODERS = {name: (_decoder(name, event_class), event_class.SCHEMA) for name, event_class in EVENTS.items()}
_ENCODER = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError)


def encode(recorded: Recorded[Event]) -> bytes:
    """The state of an event. Raises `InputError` for an event that would not come back as it is."""
    envelope, event = recorded.envelope, recorded.event
    written = _Written(
        envelope.event_id,
        event.SCHEMA,
        envelope.recorded_at_ns,
        envelope.trace_id,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.actor,
        envelope.source,
        event,
    )
    try:
        state = _ENCODER.encode(written)
        # Types are not checked on the way out, and what cannot be read back would block the ledger for ever.
        if _DECODERS[event.NAME][0].decode(state).data == event:
            return state
    except (*_UNREADABLE, ValueError, OverflowError, KeyError):
        pass
    raise InputError(f"event {event.NAME}", event, "exactly the types that its class declares, in a known event class")


def decode(row: Row) -> Recorded[Event]:
    """The event of a row. Raises `NewerLedger` for what a later tradecore wrote, `CorruptLedger` for nonsense."""
    position, stream, version, name, state = row
    try:
        decoder, schema = _DECODERS[name]
        read = decoder.decode(state)
    except (*_UNREADABLE, KeyError) as error:
        _refuse(row, error)
    if read.v != schema:
        _refuse(row, None)
    envelope = Envelope(
        read.id,
        name,
        schema,
        stream,
        version,
        position,
        read.at,
        read.trace,
        read.corr,
        read.cause,
        read.actor,
        read.src,
    )
    return Recorded(envelope, read.data)


def _refuse(row: Row, error: Exception | None) -> NoReturn:
    position, stream, version, name, state = row
    where = f"the event at position {position} ({stream}, version {version})"
    if name not in _DECODERS:
        raise NewerLedger(f"{where} is a {name!r}, which this tradecore does not know") from None
    try:
        schema = msgspec.json.decode(state, type=_Schema).v
    except _UNREADABLE:
        schema = 0
    if schema > EVENTS[name].SCHEMA:
        raise NewerLedger(f"{where} is a {name} of schema {schema}; this tradecore knows {EVENTS[name].SCHEMA}")
    raise CorruptLedger(f"{where} cannot be read as {name}: {error or f'schema {schema}'}") from error
