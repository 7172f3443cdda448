"""A gateway that asks nobody: it gives again what a recorded run was given, or says loudly that it cannot."""

from __future__ import annotations

from typing import TypeVar

from tradecore.errors import ReplayMiss
from tradecore.journal.contract import Journal
from tradecore.models.call import Served
from tradecore.models.gateway import outcome_of
from tradecore.models.question import Question, typed_question
from tradecore.models.reading import Unreadable
from tradecore.models.recording import Recording
from tradecore.ports.model import Abstained, Answered, AnswerT, Exhausted, ModelRequest

ValueT = TypeVar("ValueT")


class ReplayGateway:
    """A `ModelGateway` over a recorded run. It sends nothing, records nothing and spends nothing."""

    def __init__(self, journal: Journal, run: str) -> None:
        """Read the run; what `ModelRequest.run` says is not looked at. Raises what the journal raises."""
        self._recording = Recording(journal, run)
        self._occurrences: dict[str, int] = {}

    @property
    def questions(self) -> int:
        """How many questions the run has."""
        return len(self._recording)

    async def ask(self, request: ModelRequest[AnswerT]) -> Answered[AnswerT] | Abstained[AnswerT] | Exhausted:
        """What the run was told when it asked the same for as many times. Raises `ReplayMiss`, `InputError`."""
        return outcome_of(await self.pursue(typed_question(request)))

    async def pursue(self, question: Question[ValueT]) -> Served[ValueT] | Exhausted:
        """The same for any question. Raises `ReplayMiss`."""
        request_hash = question.request_hash
        occurrence = self._occurrences.get(request_hash, 0) + 1
        tape = self._recording.find(request_hash, occurrence)
        self._occurrences[request_hash] = occurrence
        if tape.exhausted is not None:
            return tape.exhausted
        assert tape.call is not None, "a question ends with an answer or without"
        message = self._recording.answer(request_hash, occurrence, tape.call.answer_hash)
        try:
            reading = question.read(message, tape.finish_reason)
        except Unreadable as error:
            raise ReplayMiss(
                self._recording.run, request_hash, occurrence, f"its answer does not fit: {error}"
            ) from None
        return Served(reading, tape.call)
