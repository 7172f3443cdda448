"""Faults that a test arms, and what was made of them. They are never durable."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

import attrs

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.endpoints import CANCEL, REPLACE, endpoint_of
from tradecore_exchange.fault_log import FaultLog
from tradecore_exchange.fault_plan import FaultPlan, Strike
from tradecore_exchange.refusals import Refused, invalid

JSON = Any


@attrs.define
class Fault:
    """One armed fault.

    `count` times, then it is gone; each time only with `probability`. `after_accept`: the request is carried out first.
    `ms` is a duration (0: the kind's own default). `method` and `path` (a prefix) choose requests, `endpoint` one kind
    of them; without any, POST /v2/orders. `event` chooses updates of the stream. `on_update` delays a cut of the stream
    to the next update, which is lost. `field` is what is made null, left out or misspelt. `advance` lets the market be
    moved for a fill that comes first.
    """

    kind: str
    count: int = 1
    probability: float = 1.0
    after_accept: bool = False
    ms: int = 0
    method: str | None = None
    path: str | None = None
    endpoint: str | None = None
    event: str | None = None
    on_update: bool = False
    field: str = "submitted_at"
    advance: bool = False

    def hits(self, method: str, path: str) -> bool:
        """True for a request that it spoils."""
        endpoint = endpoint_of(method, path)
        if self.endpoint is not None:
            return endpoint == self.endpoint
        if self.method is None and self.path is None:
            if self.kind == kinds.FIRST_THE_FILL:
                return endpoint in {CANCEL, REPLACE}
            return method == "POST" and path == "/v2/orders"
        return self.method in {None, method} and path.startswith(self.path or "/")

    def strike(self) -> Strike:
        """What it does, once."""
        after = self.after_accept or self.kind in kinds.SPOILING | {kinds.FIRST_THE_EVENTS}
        return Strike(self.kind, after, self.ms, self.field, self.advance)


_TYPES: dict[str, type] = {name: type(value) for name, value in attrs.asdict(Fault("hang")).items()}
_TYPES |= {"method": str, "path": str, "endpoint": str, "event": str}


def fault_from(body: dict[str, JSON]) -> Fault:
    """The fault that a control request describes. Raises `Refused` for a word or a type that is not known."""
    fields: dict[str, JSON] = {}
    for name, value in body.items():
        expected = _TYPES.get(name)
        if expected is None:
            raise Refused(invalid(f"unknown field {name} of a fault; known: {', '.join(sorted(_TYPES))}"))
        plain = int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
        if expected is float and isinstance(value, Decimal):
            plain = float(value)
        if type(plain) is not expected:
            raise Refused(invalid(f"{name} of a fault must be {expected.__name__}"))
        fields[name] = plain
    if fields.get("kind") not in kinds.KINDS:
        raise Refused(invalid(f"unknown kind of fault; known: {', '.join(sorted(kinds.KINDS))}"))
    if not 0 < fields.get("probability", 1.0) <= 1:
        raise Refused(invalid("probability of a fault must be above 0 and at most 1"))
    return Fault(**fields)


class Faults:
    """The armed faults, taken one use at a time, and the plan. `released` ends every hang when faults are cleared."""

    def __init__(self, seed: int = 0) -> None:
        self.armed: list[Fault] = []
        self.plan: FaultPlan | None = None
        self.log = FaultLog()
        self.released = asyncio.Event()
        self._chance = random.Random(f"{seed}:armed")  # noqa: S311 -- repeatable on purpose

    def arm(self, fault: Fault) -> None:
        """Arm a fault behind those already armed."""
        if fault.count > 0:
            self.armed.append(fault)

    def clear(self) -> None:
        """Disarm all, drop the plan, and let hanging requests go."""
        self.armed.clear()
        self.plan = None
        self.released.set()
        self.released = asyncio.Event()

    def for_request(self, method: str, path: str) -> Strike | None:
        """What this request meets."""
        if not self.armed and self.plan is None:
            return None
        endpoint = endpoint_of(method, path)
        hit = next((one for one in self.armed if one.kind in kinds.ANSWER and one.hits(method, path)), None)
        return self._struck(hit, "request", endpoint, kinds.kinds_for(endpoint))

    def for_update(self, event: str, *, of_sibling: bool, is_heard: bool) -> Strike | None:
        """What this message of the trade stream meets. `of_sibling`: it tells the end of a leg by the other leg."""
        if not self.armed and self.plan is None:
            return None
        possible = kinds.STREAM if of_sibling else kinds.STREAM - {kinds.SIBLING}
        hit = (one for one in self.armed if one.kind in possible and one.event in {None, event})
        return self._struck(next(hit, None), "stream", event, possible, is_heard=is_heard)

    def for_connection(self, moment: frozenset[str]) -> Strike | None:
        """What a connection to the trade stream meets at one of its moments (`fault_kinds.AT_...`)."""
        hit = next((one for one in self.armed if one.kind in moment), None)
        return self._struck(hit, "connection", min(moment), moment)

    def standing(self, kind: str) -> Fault | None:
        """The first armed fault of a kind, without using it up."""
        return next((fault for fault in self.armed if fault.kind == kind), None)

    def take(self, kind: str) -> Fault | None:
        """Use up one of a kind."""
        fault = self.standing(kind)
        if fault is not None:
            self._use(fault)
            self.log.note("armed", "events", kind, kind)
        return fault

    def _struck(
        self, hit: Fault | None, where: str, target: str, possible: frozenset[str], *, is_heard: bool = True
    ) -> Strike | None:
        """The armed fault goes before the plan, whose count of messages goes on all the same, even unheard."""
        planned = self.plan.draw(where, target, possible) if self.plan is not None else None
        if not is_heard:
            return None
        if hit is not None and (hit.probability >= 1 or self._chance.random() < hit.probability):
            self._use(hit)
            strike = hit.strike()
            self.log.note("armed", where, target, strike.kind, after=strike.after_accept, ms=strike.ms)
            return strike
        if planned is not None:
            self.log.note("plan", where, target, planned.kind, after=planned.after_accept, ms=planned.ms)
        return planned

    def _use(self, fault: Fault) -> None:
        fault.count -= 1
        if fault.count <= 0:
            self.armed.remove(fault)
