"""Answers that were given a moment ago, by everything that can change an answer. Nothing is kept beyond the process."""

from __future__ import annotations

from collections import OrderedDict

import attrs

from tradecore.ports.clock import Clock
from tradecore.ports.model_provider import Completion

_CAPACITY = 1_000


@attrs.frozen
class Kept:
    """An answer, the question that it was given to, and its age in seconds."""

    completion: Completion
    question_id: str
    answer_hash: str
    age_s: float


class AnswerCache:
    """The key is the hash of provider, address and the whole request as sent; only the newest answer is kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[Completion, str, str, float]] = OrderedDict()

    def find(self, wire_hash: str, ttl_s: float) -> Kept | None:
        """The answer to the same request, if it is not older than `ttl_s` seconds; 0 finds nothing."""
        found = self._kept.get(wire_hash)
        if found is None or ttl_s <= 0:
            return None
        completion, question_id, answer_hash, at = found
        age_s = self._clock.monotonic() - at
        return Kept(completion, question_id, answer_hash, age_s) if age_s <= ttl_s else None

    def keep(self, wire_hash: str, completion: Completion, question_id: str, answer_hash: str) -> None:
        """Keep an answer that was valid."""
        self._kept[wire_hash] = (completion, question_id, answer_hash, self._clock.monotonic())
        self._kept.move_to_end(wire_hash)
        if len(self._kept) > _CAPACITY:
            self._kept.popitem(last=False)
