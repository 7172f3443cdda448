"""The gateway: asks the models of a chain one after the other, and records every step before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import structlog

from tradecore.domain.model_call import ChainStep, ModelFailure
from tradecore.domain.values import ZERO
from tradecore.errors import BudgetRefused
from tradecore.ledger import Ledger
from tradecore.models.cache import AnswerCache, Kept
from tradecore.models.call import Call, Caller, Made, Served
from tradecore.models.canonical import canonical
from tradecore.models.question import Question, typed_question
from tradecore.models.reading import Unreadable
from tradecore.models.record import Purse, Record
from tradecore.models.recovery import settle_expired
from tradecore.models.secrets import Secrets
from tradecore.models.steps import Step, chain_of
from tradecore.models.texts import Texts
from tradecore.ports.clock import Clock
from tradecore.ports.model import Abstained, Answered, AnsweredCall, AnswerT, Exhausted, ModelRequest
from tradecore.settings_models import ModelsSettings

_log = structlog.get_logger("tradecore.models")
ValueT = TypeVar("ValueT")


class Gateway:
    """A `ModelGateway` over real providers. One per process and account, on one event loop."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        settings: ModelsSettings,
        steps: Mapping[str, Step],
        purse: Purse,
        secrets: Secrets,
        texts: Texts,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._settings = settings
        self._steps = steps
        self._purse = purse
        self._secrets = secrets
        self._texts = texts
        self._cache = AnswerCache(clock)
        self._caller = Caller(clock, secrets, texts)
        self._occurrences: dict[tuple[str, str], int] = {}

    async def ask(self, request: ModelRequest[AnswerT]) -> Answered[AnswerT] | Abstained[AnswerT] | Exhausted:
        """See `tradecore.ports.model.ModelGateway`."""
        return outcome_of(await self.pursue(typed_question(request)))

    async def pursue(self, question: Question[ValueT]) -> Served[ValueT] | Exhausted:
        """Ask until a model answers or none is left. Raises as `ask`."""
        self._secrets.check(question.logical)
        settle_expired(self._ledger, self._purse.budget, self._clock.now())
        ends = self._clock.monotonic() + self._settings.deadline_s.of(question.criticality)
        deadline = ends if question.deadline is None else min(ends, question.deadline)
        key = (question.run, question.request_hash)
        record = Record(self._ledger, self._clock, self._purse, question, self._occurrences.get(key, 0) + 1)
        self._occurrences[key] = record.occurrence
        for step in chain_of(self._settings, self._steps, question.role, question.criticality):
            found = await self._try(question, record, step, deadline)
            if isinstance(found, Served):
                self._occurrences[key] = record.occurrence
                return found
            record.failed.append(found)
            _log.warning("a model gave no answer", role=question.role, model=step.label, failure=found.failure.value)
        if not record.failed:
            record.failed.append(ChainStep("", "", ModelFailure.NO_MODEL, f"no chain for {question.role}"))
        self._texts.put(question.logical)
        record.exhaust()
        self._occurrences[key] = record.occurrence
        steps, cost = tuple(record.failed), record.cost
        return Exhausted(record.question_id, steps, cost, question.request_hash, record.last_event_id)

    async def _try(
        self, question: Question[ValueT], record: Record, step: Step, deadline: float
    ) -> Served[ValueT] | ChainStep:
        body = canonical("messages", question.chat(step.entry))
        self._secrets.check(body)
        wire_hash = step.wire_hash(body)
        kept = self._cache.find(wire_hash, self._settings.cache_s.get(question.role, 0.0))
        if kept is not None:
            return self._serve_again(question, record, step, kept)
        left_s = deadline - self._clock.monotonic()
        cannot = self._cannot(step, left_s)
        if cannot is not None:
            return step.missed(*cannot)
        timeout_s = min(step.entry.timeout_s, left_s)
        try:
            worst = step.worst_cost(body, step.entry.max_output_tokens)
            ticket = record.begin(step, wire_hash, worst, timeout_s)
        except BudgetRefused as refusal:
            return step.missed(ModelFailure.OVER_BUDGET, str(refusal))
        call = Call(question, record, step, body, wire_hash, ticket, timeout_s)
        made = await self._caller.make(call)
        if not isinstance(made, Made):
            return made
        self._cache.keep(wire_hash, made.completion, record.question_id, made.served.call.answer_hash)
        return made.served

    def _cannot(self, step: Step, left_s: float) -> tuple[ModelFailure, str] | None:
        """Why the step is not to be asked at all, or None."""
        if left_s <= 0:
            return ModelFailure.OUT_OF_TIME, "the deadline is reached"
        if step.price is None:
            return ModelFailure.NO_PRICE, "the settings do not say what it costs"
        if step.provider is None:
            return ModelFailure.NO_KEY, "the environment variable of its provider's key is not set"
        held = step.breaker.held(step.entry.model)
        return None if held is None else (held, "the provider failed or asked for a pause a moment ago")

    def _serve_again(
        self, question: Question[ValueT], record: Record, step: Step, kept: Kept
    ) -> Served[ValueT] | ChainStep:
        try:
            reading = question.read(kept.completion.message, kept.completion.finish_reason)
        except Unreadable as error:
            return step.missed(error.failure, str(error))
        self._texts.put(question.logical)
        record.reuse(step, kept, says_no=reading.abstention is not None)
        call = AnsweredCall(
            question_id=record.question_id,
            provider=step.entry.provider,
            model=step.entry.model,
            attempts=record.attempts,
            input_tokens=None,
            output_tokens=None,
            cost=record.cost,
            latency_s=ZERO,
            cached=True,
            prompt_hash=question.request_hash,
            answer_hash=kept.answer_hash,
            event_id=record.last_event_id,
        )
        return Served(reading, call)


def outcome_of(found: Served[AnswerT] | Exhausted) -> Answered[AnswerT] | Abstained[AnswerT] | Exhausted:
    """What the port promises, from what the chain led to."""
    if isinstance(found, Exhausted):
        return found
    reading = found.reading
    if reading.abstention is None:
        return Answered(reading.value, found.call)
    return Abstained(reading.value, reading.abstention, found.call)
