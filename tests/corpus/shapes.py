"""The shape of an event class as text, and its values as JSON that says which type each has."""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tradecore.domain.events import Event
from tradecore.journal.exactness import field_names, is_value


def fields_of(event_class: type) -> dict[str, str]:
    """Field names and types; the fields of nested values are part of their type."""
    hints = get_type_hints(event_class)
    return {name: _type_text(hints[name]) for name in field_names(event_class)}


def optional_fields(event_class: type) -> set[str]:
    """The fields that an older event may lack."""
    return {item.name for item in msgspec.structs.fields(event_class) if not item.required}


def words_of(event_class: type) -> dict[str, list[str]]:
    """The words of every closed list that the event uses."""
    return {kind.__name__: [str(word.value) for word in kind] for kind in _enums(event_class)}


def plain(value: object) -> Any:
    """A decoded value as JSON: what JSON has no type for becomes an object that names the type."""
    if isinstance(value, enum.Enum):
        return {type(value).__name__: value.value}
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return {"Decimal": str(value)}
    if isinstance(value, dt.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {"mapping": [[plain(key), plain(item)] for key, item in value.items()]}
    assert is_value(type(value)), f"the corpus has no way to write {value!r}"
    return {type(value).__name__: plain_fields(value)}


def plain_fields(value: Any) -> dict[str, Any]:
    """Every field of an event or value."""
    return {name: plain(getattr(value, name)) for name in field_names(type(value))}


def default_of(event_class: type[Event], field: str) -> Any:
    """What an event has in an optional field that was not stored."""
    found = next(item for item in msgspec.structs.fields(event_class) if item.name == field)
    return plain(found.default if found.default_factory is msgspec.NODEFAULT else found.default_factory())


def _type_text(hint: Any) -> str:
    if is_value(hint):
        inside = ", ".join(f"{name}: {text}" for name, text in fields_of(hint).items())
        return f"{hint.__name__}({inside})"
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(_type_text(item) for item in get_args(hint))
    if hint is types.NoneType:
        return "None"
    if hint is Ellipsis:
        return "..."
    if (origin := get_origin(hint)) is not None:
        return f"{origin.__name__}[{', '.join(_type_text(item) for item in get_args(hint))}]"
    return str(hint.__name__)


def _enums(hint: Any) -> Iterator[type[enum.Enum]]:
    if is_value(hint):
        for inner in get_type_hints(hint).values():
            yield from _enums(inner)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield hint
    else:
        for inner in get_args(hint):
            yield from _enums(inner)
