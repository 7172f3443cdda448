"""A recorded run: what was asked in it and how each question ended, read from the ledger."""

from __future__ import annotations

import attrs

from tradecore.domain.events import (
    Event,
    ModelAnswerReused,
    ModelCallAnswered,
    ModelCallFailed,
    ModelCallRequested,
    ModelChainExhausted,
)
from tradecore.domain.messages import Recorded
from tradecore.domain.values import ZERO
from tradecore.errors import InputError, ReplayMiss
from tradecore.journal.contract import Journal
from tradecore.journal.side_store import Erased
from tradecore.ports.model import AnsweredCall, Exhausted

_Begin = ModelCallRequested | ModelAnswerReused | ModelChainExhausted
_PAGE = 2_000


@attrs.frozen
class Tape:
    """The end of a question: an answer with its finish reason, or none."""

    call: AnsweredCall | None
    finish_reason: str
    exhausted: Exhausted | None


class Recording:
    """The questions of a run by the hash of the request and its occurrence."""

    def __init__(self, journal: Journal, run: str) -> None:
        """Read the run from the ledger. Raises what the journal raises."""
        self.run = run
        self._journal = journal
        self._events: dict[str, list[Recorded[Event]]] = {}
        self._keys: dict[tuple[str, int], str] = {}
        position = 0
        while page := journal.read(position, _PAGE):
            for recorded in page:
                self._take(recorded)
            position = page[-1].envelope.position

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, request_hash: str, occurrence: int) -> Tape:
        """How the question ended. Raises `ReplayMiss` when it was not asked, or never answered."""
        question_id = self._keys.get((request_hash, occurrence))
        if question_id is None:
            raise ReplayMiss(self.run, request_hash, occurrence, "it was not asked in this run")
        tape = _tape(question_id, self._events[question_id])
        if tape is None:
            raise ReplayMiss(self.run, request_hash, occurrence, "the run ended before it was answered")
        return tape

    def answer(self, request_hash: str, occurrence: int, answer_hash: str) -> bytes:
        """The model's message. Raises `ReplayMiss` when it was erased or never kept."""
        try:
            content = self._journal.texts.get(answer_hash)
        except InputError:
            raise ReplayMiss(self.run, request_hash, occurrence, "its answer was never kept") from None
        if isinstance(content, Erased):
            raise ReplayMiss(self.run, request_hash, occurrence, "its answer was erased")
        return content

    def _take(self, recorded: Recorded[Event]) -> None:
        event = recorded.event
        if isinstance(event, _Begin) and event.run == self.run:
            self._keys[event.request_hash, event.occurrence] = event.question_id
            self._events.setdefault(event.question_id, []).append(recorded)
        elif isinstance(event, ModelCallAnswered | ModelCallFailed) and event.question_id in self._events:
            self._events[event.question_id].append(recorded)


def _tape(question_id: str, events: list[Recorded[Event]]) -> Tape | None:
    cost, attempts, prompt_hash = ZERO, 0, ""
    for recorded in events:
        event, event_id = recorded.event, recorded.envelope.event_id
        match event:
            case ModelCallRequested():
                attempts, prompt_hash = event.attempt, event.prompt_hash
            case ModelCallFailed():
                cost += event.cost
            case ModelCallAnswered():
                cost += event.cost
                call = AnsweredCall(
                    question_id=question_id,
                    provider=event.provider,
                    model=event.model,
                    attempts=attempts,
                    input_tokens=event.input_tokens,
                    output_tokens=event.output_tokens,
                    cost=cost,
                    latency_s=event.latency_s,
                    cached=False,
                    prompt_hash=prompt_hash,
                    answer_hash=event.answer_hash,
                    event_id=event_id,
                )
                return Tape(call, event.finish_reason, None)
            case ModelAnswerReused():
                call = AnsweredCall(
                    question_id=question_id,
                    provider=event.provider,
                    model=event.model,
                    attempts=attempts,
                    input_tokens=None,
                    output_tokens=None,
                    cost=cost,
                    latency_s=ZERO,
                    cached=True,
                    prompt_hash=event.prompt_hash,
                    answer_hash=event.answer_hash,
                    event_id=event_id,
                )
                return Tape(call, event.finish_reason, None)
            case ModelChainExhausted():
                return Tape(None, "", Exhausted(question_id, event.steps, cost, event.prompt_hash, event_id))
    return None
