"""Old shapes of events, read as new ones. What is stored is never edited.

An upcast is a pure function from the JSON data of one schema version to that of the next. A rename is an upcast too: it
goes on counting under the new name, so `old.name` 2 becomes `new.name` 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Data = dict[str, Any]
Upcast = Callable[[Data], Data]


@attrs.frozen
class Step:
    """From one schema version to the next.

    `renamed` (old field to new) and `dropped` (old field to the reason) say which fields do not keep their names:
    whatever else is missing afterwards was lost by mistake, and `lost_fields` says so.
    """

    name: str
    schema: int
    upcast: Upcast
    into: str
    renamed: Mapping[str, str] = attrs.field(factory=dict)
    dropped: Mapping[str, str] = attrs.field(factory=dict)


class Upcasters:
    """The steps by name and schema version; filled while modules are imported, read ever after."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Step] = {}

    def register(
        self,
        name: str,
        from_schema: int,
        upcast: Upcast,
        *,
        into: str | None = None,
        renamed: Mapping[str, str] | None = None,
        dropped: Mapping[str, str] | None = None,
    ) -> None:
        """Read schema `from_schema` of `name` as the next one, of the same name or of the name `into`."""
        assert from_schema >= 1, "schema versions count from one"
        assert (name, from_schema) not in self._steps, "there is one way from a version to the next"
        self._steps[name, from_schema] = Step(name, from_schema, upcast, into or name, renamed or {}, dropped or {})

    def steps(self) -> tuple[Step, ...]:
        """Every step, in the order of registration."""
        return tuple(self._steps.values())

    def upcast(self, name: str, schema: int, data: Data) -> tuple[str, int, Data]:
        """The newest name, schema version and data that the steps lead to; what came is not changed.

        A step that fails raises what it raises: `KeyError`, `TypeError` or `ValueError` for data it was not made for.
        """
        while (step := self._steps.get((name, schema))) is not None:
            data = step.upcast(dict(data))
            name, schema = step.into, schema + 1
        return name, schema, data

    def newest(self, name: str) -> int:
        """The newest schema version of a name that a step begins at, 0 when none does."""
        return max((schema for known, schema in self._steps if known == name), default=0)


def lost_fields(step: Step, before: Data) -> set[str]:
    """The fields of `before` that the step neither keeps, nor says it renames or drops."""
    after = step.upcast(dict(before))
    kept = {field: step.renamed.get(field, field) for field in before if field not in step.dropped}
    return {field for field, now in kept.items() if now not in after}


UPCASTERS = Upcasters()
"""Every upcast of tradecore."""

# From schema 2 on an order may be of an amount of money instead of a quantity; every order of schema 1 has a quantity.
UPCASTERS.register("trade.order.planned", 1, lambda data: data)


def _whole_limits(data: Data) -> Data:
    three = ("max_order_qty", "max_order_notional", "max_open_orders")
    limits = {"version": data.pop("limits_version"), **{name: data.pop(name) for name in three}}
    return {**data, "limits": limits, "who": ""}


# From schema 2 on the limits are one object; schema 1 knew three of them.
UPCASTERS.register(
    "risk.limits.set",
    1,
    _whole_limits,
    renamed={
        "limits_version": "limits",
        "max_order_qty": "limits",
        "max_order_notional": "limits",
        "max_open_orders": "limits",
    },
)

# Schema 3 knows more limits; those of schema 2 are not set.
UPCASTERS.register("risk.limits.set", 2, lambda data: data)

# A plan may name prices in the place of shares; one that was told before named none.
UPCASTERS.register("trade.exit.armed", 1, lambda data: data)
