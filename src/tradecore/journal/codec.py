"""Events as bytes and back: JSON by msgspec, one decoder per event name. Decimals are strings, times RFC 3339.

An event of the newest schema is decoded in one step. Only what does not fit is looked at twice: it may be an older
schema, which is upcast, a newer one, which is refused, or nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol, cast

import msgspec

from tradecore.domain.events import EVENTS, Event
from tradecore.domain.messages import Envelope, Recorded
from tradecore.errors import CorruptLedger, InputError, JournalError, NewerLedger, WrongKey
from tradecore.journal.collector import collector_paused
from tradecore.journal.exactness import Exactness
from tradecore.journal.upcasting import UPCASTERS, Upcasters

Row = tuple[int, str, int, str, bytes]
"""Position, stream, version, name, state."""


SEALED = b"\1"
"""The first byte of a state that is encrypted; see `tradecore.journal.sealed_codec`."""


class EventCodec(Protocol):
    """What journals ask of a codec."""

    def encode(self, recorded: Recorded[Event]) -> bytes:
        """The state of an event. Raises `InputError` for an event that would not come back as it is."""

    def decode(self, row: Row) -> Recorded[Event]:
        """The event of a row. Raises `NewerLedger`, `CorruptLedger`."""

    def decode_all(self, rows: Sequence[Row]) -> tuple[Recorded[Event], ...]:
        """The events of many rows."""


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


_HEAD = attrgetter("event_id", "recorded_at_ns", "trace_id", "correlation_id", "causation_id", "actor", "source")
_EXACT_HEADS = {(str, int, str, str, cause, str, str) for cause in (str, type(None))}
_ENCODER = msgspec.json.Encoder()
_PLAIN = msgspec.json.Decoder(_Written)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError)
_NO_KEY = "was not given"
_MANY = 200  # rows; fewer hardly make the collector run
_CANNOT_UPCAST = (*_UNREADABLE, ValueError, LookupError, ArithmeticError, AttributeError)


class Codec:
    """Knows a set of event classes by name, and the ways from their older schemas to the newest."""

    def __init__(self, events: Mapping[str, type[Event]], upcasters: Upcasters) -> None:
        self._decoders = {name: (_decoder(name, kind), kind.SCHEMA) for name, kind in events.items()}
        self._exact = {kind: Exactness(kind) for name, kind in events.items() if name == kind.NAME}
        self._upcasters = upcasters

    def encode(self, recorded: Recorded[Event]) -> bytes:
        """The state of an event. Raises `InputError` for an event that would not come back as it is."""
        event = recorded.event
        event_id, at, trace, correlation, cause, actor, source = head = _HEAD(recorded.envelope)
        written = _Written(event_id, event.SCHEMA, at, trace, correlation, cause, actor, source, event)
        try:
            state = _ENCODER.encode(written)
            # Types are not checked on the way out, and what cannot be read back would block the ledger for ever.
            exact = self._exact.get(type(event))
            if exact is not None and tuple(map(type, head)) in _EXACT_HEADS and exact.covers(event):
                return state
            if self._decoders[event.NAME][0].decode(state).data == event:
                return state
        except (*_UNREADABLE, ValueError, OverflowError, KeyError):
            pass
        raise InputError(
            f"event {event.NAME}", event, "exactly the types that its class declares, in a known event class"
        )

    def decode(self, row: Row) -> Recorded[Event]:
        """The event of a row, in its newest shape, under its newest name.

        Raises `NewerLedger` for what a later tradecore wrote, `CorruptLedger` for nonsense.
        """
        position, stream, version, name, state = row
        try:
            decoder, schema = self._decoders[name]
            read = decoder.decode(state)
        except (*_UNREADABLE, KeyError) as error:
            name, schema, read = self._decode_older(row, error)
        if read.v != schema:
            name, schema, read = self._decode_older(row, None)
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

    def decode_all(self, rows: Sequence[Row]) -> tuple[Recorded[Event], ...]:
        """The events of many rows; raises as `decode`."""
        if len(rows) < _MANY:
            return tuple(map(self.decode, rows))
        with collector_paused():
            return tuple(map(self.decode, rows))

    def _decode_older(self, row: Row, error: Exception | None) -> tuple[str, int, _Read]:
        """The state by way of its upcasts. Where there is no way it raises, for `error` when that is known."""
        name, state = row[3], row[4]
        if state[:1] == SEALED:
            raise WrongKey(row[0], state[2 : 2 + (state[1:2] or b"\0")[0]].decode("ascii", "backslashreplace"), _NO_KEY)
        if not self._upcasters.newest(name):
            raise self._refusal(row, error) from error
        try:
            old = _PLAIN.decode(state)
            now, schema, data = self._upcasters.upcast(name, old.v, old.data)
            decoder, newest = self._decoders.get(now, (None, 0))
            if decoder is not None and schema == newest and (now, schema) != (name, old.v):
                old.v, old.data = schema, data
                return now, schema, decoder.decode(_ENCODER.encode(old))
        except _CANNOT_UPCAST as failed:
            error = failed
        raise self._refusal(row, error) from error

    def _refusal(self, row: Row, error: Exception | None) -> JournalError:
        position, stream, version, name, state = row
        where = f"the event at position {position} ({stream}, version {version})"
        newest = self._decoders[name][1] if name in self._decoders else self._upcasters.newest(name)
        if not newest:
            return NewerLedger(f"{where} is a {name!r}, which this tradecore does not know")
        try:
            schema = msgspec.json.decode(state, type=_Schema).v
        except _UNREADABLE:
            schema = 0
        if schema > newest:
            return NewerLedger(f"{where} is a {name} of schema {schema}; this tradecore knows {newest}")
        return CorruptLedger(f"{where} cannot be read as {name}: {error or f'schema {schema}'}")


CODEC = Codec(EVENTS, UPCASTERS)
"""Every event of tradecore."""

encode = CODEC.encode
decode = CODEC.decode
decode_all = CODEC.decode_all
