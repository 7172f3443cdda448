"""Faults by seed: which request and which message is struck, and by what, the same in every run."""

from __future__ import annotations

import collections
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeGuard

import attrs

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.numbers import is_whole
from tradecore_exchange.refusals import Refused, invalid

JSON = Any


@attrs.frozen
class Strike:
    """What one request, message or connection meets. The fields are those of an armed fault."""

    kind: str
    after_accept: bool = False
    ms: int = 0
    field: str = "submitted_at"
    advance: bool = False


@attrs.frozen
class PlanTerms:
    """`intensity` is the chance, 0 to 1, of each request, message and connection to be struck.

    `ms_max` is the longest delay in milliseconds. `kinds` and `targets` (endpoints and events) narrow the choice when
    they are not empty. After `limit` strikes there are no more, so that whatever recovers can be watched recovering;
    None: no end. `advance` lets faults that need a fill move the market.
    """

    seed: int
    intensity: float
    kinds: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    ms_max: int = 200
    limit: int | None = None
    advance: bool = False


@attrs.define
class FaultPlan:
    """Each draw depends on the seed, on what is struck, and on how many of its kind came before; on nothing else.

    So two runs that ask the same questions in another order still meet the same faults.
    """

    terms: PlanTerms
    struck: int = 0
    _seen: collections.Counter[str] = attrs.field(factory=collections.Counter, init=False)

    def draw(self, where: str, target: str, possible: frozenset[str]) -> Strike | None:
        """What the next one of this target meets."""
        terms = self.terms
        self._seen[f"{where}:{target}"] += 1
        if terms.limit is not None and self.struck >= terms.limit:
            return None
        if terms.targets and target not in terms.targets:
            return None
        chance = random.Random(f"{terms.seed}:{where}:{target}:{self._seen[f'{where}:{target}']}")  # noqa: S311
        if chance.random() >= terms.intensity:
            return None
        choice = sorted(possible & terms.kinds if terms.kinds else possible)
        if not choice:
            return None
        self.struck += 1
        kind = chance.choice(choice)
        after = kind in kinds.SPOILING | {kinds.FIRST_THE_EVENTS} or (kind in kinds.BREAKING and chance.random() < 0.5)
        ms = chance.randint(1, terms.ms_max)
        field = chance.choice(("submitted_at", "updated_at", "status", "filled_qty", "id"))
        return Strike(kind, after, ms, field, terms.advance)


def plan_from(body: Mapping[str, JSON]) -> PlanTerms:
    """The terms that a control request describes. Raises `Refused`."""
    unknown = sorted(body.keys() - {field.name for field in attrs.fields(PlanTerms)})
    if unknown:
        raise Refused(invalid(f"unknown field {unknown[0]} of a plan"))
    intensity: JSON = body.get("intensity")
    if not _is_number(intensity) or not 0 <= intensity <= 1:
        raise Refused(invalid("intensity of a plan must be from 0 to 1"))
    seed, ms_max, limit = _whole(body, "seed", 0), _whole(body, "ms_max", 200), None
    if body.get("limit") is not None:
        limit = _whole(body, "limit", 0)
    chosen, targets = _words(body, "kinds"), _words(body, "targets")
    if not chosen <= kinds.KINDS:
        raise Refused(invalid(f"unknown kind of fault; known: {', '.join(sorted(kinds.KINDS))}"))
    advance = body.get("advance") is True
    return PlanTerms(seed, float(intensity), chosen, targets, max(1, ms_max), limit, advance)


def _whole(body: Mapping[str, JSON], name: str, default: int) -> int:
    value = body.get(name, Decimal(default))
    if not _is_number(value) or not is_whole(value) or value < 0:
        raise Refused(invalid(f"{name} of a plan must be a whole number of zero or more"))
    return int(value)


def _is_number(value: JSON) -> TypeGuard[Decimal]:
    return isinstance(value, Decimal)


def _words(body: Mapping[str, JSON], name: str) -> frozenset[str]:
    words = body.get(name) or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Refused(invalid(f"{name} of a plan must be a list of words"))
    return frozenset(words)
