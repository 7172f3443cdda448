"""Events to fill journals with: built from the types of their fields, so that every event class has one."""

from __future__ import annotations

import datetime as dt
import enum
import types
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec.structs import replace

from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Envelope, Recorded
from tradecore.journal.exactness import field_names, is_value

Kind = TypeVar("Kind")

_INSTANT = dt.datetime(2026, 2, 3, 14, 30, 0, 123456, tzinfo=dt.UTC)


def sample(kind: type[Kind], *, with_optional: bool = True) -> Kind:
    """An instance with something in every field; optional fields hold None unless `with_optional`."""
    built = _build(kind, "", with_optional)
    assert isinstance(built, kind)
    return built


def recorded(stream: str, version: int, event: Event | None = None, event_id: str | None = None) -> Recorded[Event]:
    """An event with a complete envelope, as `Journal.append` takes it."""
    event = event or AlertTriggered(kind="sample", message=f"{stream} {version}")
    event_id = event_id or str(uuid.uuid4())
    envelope = Envelope(
        event_id=event_id,
        name=event.NAME,
        schema=event.SCHEMA,
        stream=stream,
        version=version,
        position=0,
        recorded_at_ns=1_770_000_000_123_456_789,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        correlation_id=event_id,
        causation_id=None if version == 1 else "the one before",
        actor="sampler",
        source="test",
    )
    return Recorded(envelope, event)


def run(stream: str, first: int, last: int) -> list[Recorded[Event]]:
    """Versions `first` to `last` of a stream."""
    return [recorded(stream, version) for version in range(first, last + 1)]


def without_positions(events: Sequence[Recorded[Event]]) -> list[Recorded[Event]]:
    """The same events as they were before the journal placed them."""
    return [replace(item, envelope=replace(item.envelope, position=0)) for item in events]


def _build(wanted: Any, name: str, with_optional: bool) -> object:
    if is_value(wanted):
        hints = get_type_hints(wanted)
        fields = {name: _build(hints[name], name, with_optional) for name in field_names(wanted)}
        return wanted(**fields)
    if get_origin(wanted) in (Union, types.UnionType):
        some = next(item for item in get_args(wanted) if item is not type(None))
        return _build(some, name, with_optional) if with_optional else None
    if get_origin(wanted) is Mapping:
        return {"key": _build(get_args(wanted)[1], name, with_optional)}
    if get_origin(wanted) is tuple:
        return (_build(get_args(wanted)[0], name, with_optional),) * 2
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return next(iter(wanted))
    values: dict[object, object] = {
        str: f'{name} "ü€𝄞" \\ \n\x00',
        Decimal: Decimal("-123456789012345.123456789"),
        int: 2**40,
        bool: True,
        dt.datetime: _INSTANT,
    }
    return values[wanted]
