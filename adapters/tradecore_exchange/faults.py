"""Faults that a test arms: what goes wrong, how often, and where. They are never durable."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import attrs

from tradecore_exchange.refusals import Refused, invalid

JSON = Any

ANSWER_KINDS = frozenset(
    {
        "delay",
        "empty_200",
        "garbage_200",
        "hang",
        "http_429",
        "http_500",
        "http_502",
        "http_503",
        "http_504",
        "redirect_302",
        "reset",
    }
)
UPDATE_KINDS = frozenset(
    {"duplicate_update", "non_json", "null_field", "reorder_updates", "stream_mute", "unknown_event", "unknown_status"}
)
CUT_KINDS = frozenset({"stream_drop", "stream_abort"})
OTHER_KINDS = frozenset({"fill_before_answer", "lookup_404", "refuse_auth"})
KINDS = ANSWER_KINDS | UPDATE_KINDS | CUT_KINDS | OTHER_KINDS


@attrs.define
class Fault:
    """One armed fault.

    `count` times, then it is gone. `after_accept`: the request is carried out first. `ms` is a duration (0: the kind's
    own default). `method` and `path` (a prefix) choose requests; without either, POST /v2/orders. `on_update` delays a
    cut of the stream to the next update, which is lost. `field` is what `null_field` makes null. `advance` lets
    `fill_before_answer` move the market itself.
    """

    kind: str
    count: int = 1
    after_accept: bool = False
    ms: int = 0
    method: str | None = None
    path: str | None = None
    on_update: bool = False
    field: str = "submitted_at"
    advance: bool = False

    def hits(self, method: str, path: str) -> bool:
        """True for a request that it spoils."""
        if self.method is None and self.path is None:
            return method == "POST" and path == "/v2/orders"
        return self.method in {None, method} and path.startswith(self.path or "/")


_TYPES: dict[str, type] = {name: type(value) for name, value in attrs.asdict(Fault("hang")).items()}
_TYPES |= {"method": str, "path": str}


def fault_from(body: dict[str, JSON]) -> Fault:
    """The fault that a control request describes. Raises `Refused` for a word or a type that is not known."""
    fields: dict[str, JSON] = {}
    for name, value in body.items():
        expected = _TYPES.get(name)
        if expected is None:
            raise Refused(invalid(f"unknown field {name} of a fault; known: {', '.join(sorted(_TYPES))}"))
        plain = int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
        if type(plain) is not expected:
            raise Refused(invalid(f"{name} of a fault must be {expected.__name__}"))
        fields[name] = plain
    if fields.get("kind") not in KINDS:
        raise Refused(invalid(f"unknown kind of fault; known: {', '.join(sorted(KINDS))}"))
    return Fault(**fields)


class Faults:
    """The armed faults, taken one use at a time. `released` ends every hang when faults are cleared."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.released = asyncio.Event()

    def arm(self, fault: Fault) -> None:
        """Arm a fault behind those already armed."""
        if fault.count > 0:
            self.armed.append(fault)

    def clear(self) -> None:
        """Disarm all, and let hanging requests go."""
        self.armed.clear()
        self.released.set()
        self.released = asyncio.Event()

    def take(self, *kinds: str) -> Fault | None:
        """Use up one of the first armed fault among `kinds`."""
        return self._take(next((fault for fault in self.armed if fault.kind in kinds), None))

    def take_for_answer(self, method: str, path: str) -> Fault | None:
        """Use up one of the first fault that spoils this request."""
        if not self.armed:
            return None
        hit = (fault for fault in self.armed if fault.kind in ANSWER_KINDS and fault.hits(method, path))
        return self._take(next(hit, None))

    def standing(self, kind: str) -> Fault | None:
        """The first armed fault of a kind, without using it up."""
        return next((fault for fault in self.armed if fault.kind == kind), None)

    def _take(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.armed.remove(fault)
        return fault
