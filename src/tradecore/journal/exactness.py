"""Which events come back from their bytes as they are, told from the types of their values, without reading them back.

Types of fields are declared and not checked when an event is made, and what cannot be read back would block the ledger
for ever. That JSON brings back exactly a `str`, `int`, `bool`, `None`, a finite `Decimal`, a time in UTC and a member
of an enumeration is proved once, by tests; so are tuples of one class whose fields are such. Everything else is proved
event by event, by reading it back.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeGuard, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec

_PLAIN = {str, int, bool, type(None), Decimal, dt.datetime}
_Kinds = tuple[type, ...]


@attrs.frozen
class _Places:
    """Where the values are that must be looked at, by their types."""

    numbers: tuple[int, ...]
    times: tuple[int, ...]
    tuples: tuple[int, ...]


class Exactness:
    """The values of one class that need no reading back."""

    def __init__(self, event_class: type[Any]) -> None:
        names = field_names(event_class)
        hints = get_type_hints(event_class)
        self._members = {place: _Members(kind) for place, name in enumerate(names) if (kind := _member(hints[name]))}
        self._allowed = [
            {tuple} if place in self._members else _exact_types(hints[name]) for place, name in enumerate(names)
        ]
        self._values = _getter(names)
        # By the types of all values: where the numbers and where the times are.
        self._places: dict[_Kinds, _Places] = {}

    def covers(self, event: object) -> bool:
        """Whether this event certainly comes back as it is; False means that it is not known."""
        values = self._values(event)
        kinds = tuple(map(type, values))
        places = self._places.get(kinds)
        if places is None:
            if not all(kind in allowed for kind, allowed in zip(kinds, self._allowed, strict=True)):
                return False
            places = self._places[kinds] = _Places(*(_places(kinds, kind) for kind in (Decimal, dt.datetime, tuple)))
        for place in places.numbers:
            if not values[place].is_finite():
                return False
        for place in places.times:
            if values[place].tzinfo is not dt.UTC:
                return False
        return all(self._members[place].covers(values[place]) for place in places.tuples)


class _Members:
    """The members of a tuple, all of one class."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._exact = Exactness(kind)

    def covers(self, members: tuple[object, ...]) -> bool:
        return all(type(member) is self._kind and self._exact.covers(member) for member in members)


def _member(declared: Any) -> type[Any] | None:
    """The class whose instances a field holds in a tuple of any length; None when it is declared as anything else."""
    found = get_args(declared)
    if get_origin(declared) is not tuple or len(found) != 2 or found[1] is not ...:
        return None
    return found[0] if is_value(found[0]) else None


def is_value(kind: object) -> TypeGuard[type[Any]]:
    """Whether it is a class with fields: an event, or something that events hold."""
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or attrs.has(kind))


def field_names(kind: type[Any]) -> list[str]:
    """The fields of such a class, in the order in which they are written."""
    return list(kind.__struct_fields__) if issubclass(kind, msgspec.Struct) else [it.name for it in attrs.fields(kind)]


def _exact_types(declared: Any) -> set[type]:
    """Types whose values of exactly that type are safe in a field; empty when none is."""
    if get_origin(declared) in (Union, types.UnionType):
        return set().union(*map(_exact_types, get_args(declared)))
    is_name = isinstance(declared, type) and issubclass(declared, enum.Enum) and not issubclass(declared, enum.Flag)
    return {declared} if is_name or declared in _PLAIN else set()


def _places(kinds: _Kinds, wanted: type) -> tuple[int, ...]:
    return tuple(place for place, kind in enumerate(kinds) if kind is wanted)


def _getter(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)
