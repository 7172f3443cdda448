"""One call to one model: sent once its reservation is durable, and recorded before anybody uses the answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, TypeVar

import anyio
import attrs

from tradecore.domain.events import ModelCallAnswered, ModelCallFailed
from tradecore.domain.model_call import ChainStep, ModelFailure, SettledBy, cost_of
from tradecore.domain.values import ZERO
from tradecore.failpoints import failpoint
from tradecore.models.question import Question
from tradecore.models.reading import Reading, Unreadable
from tradecore.models.record import Record, Ticket, seconds
from tradecore.models.secrets import Secrets
from tradecore.models.steps import Step
from tradecore.models.texts import Texts
from tradecore.ports.clock import Clock
from tradecore.ports.model import AnsweredCall
from tradecore.ports.model_provider import CallFailed, Completion, ProviderRequest

ValueT = TypeVar("ValueT")


@attrs.frozen
class Call(Generic[ValueT]):
    """What is to be sent to whom, under which reservation, and for how long at most (seconds)."""

    question: Question[ValueT]
    record: Record
    step: Step
    body: bytes
    wire_hash: str
    ticket: Ticket
    timeout_s: float


@attrs.frozen
class Served(Generic[ValueT]):
    """An answer as it was read, and where it comes from."""

    reading: Reading[ValueT]
    call: AnsweredCall


@attrs.frozen
class Made(Generic[ValueT]):
    """A call that was answered, with the answer as it came."""

    served: Served[ValueT]
    completion: Completion


class Caller:
    """Makes calls."""

    def __init__(self, clock: Clock, secrets: Secrets, texts: Texts) -> None:
        self._clock = clock
        self._secrets = secrets
        self._texts = texts

    async def make(self, call: Call[ValueT]) -> Made[ValueT] | ChainStep:
        """Send it, read what comes, and record what it was. Raises what the ledger raises."""
        began, breaker = self._clock.monotonic(), call.step.breaker
        breaker.begin()
        outcome: Completion | CallFailed | None = None
        try:
            failpoint("models.call.before")
            outcome = await _send(call)
            failpoint("models.call.after")
        except BaseException:
            gone = CallFailed(ModelFailure.CANCELED, "whoever asked went away", is_billable=True)
            self._fail(call, gone, self._clock.monotonic() - began)
            raise
        finally:
            breaker.end(call.step.entry.model, outcome)
        latency_s = self._clock.monotonic() - began
        if isinstance(outcome, CallFailed):
            return self._fail(call, outcome, latency_s)
        return self._read(call, outcome, latency_s)

    def _read(self, call: Call[ValueT], completion: Completion, latency_s: float) -> Made[ValueT] | ChainStep:
        completion = attrs.evolve(completion, message=self._secrets.hide(completion.message))
        _, answer_hash = self._texts.put(call.question.logical, completion.message)
        try:
            reading = call.question.read(completion.message, completion.finish_reason)
        except Unreadable as error:
            said = CallFailed(error.failure, str(error), is_billable=True)
            return self._fail(call, said, latency_s, completion, answer_hash)
        answered, settled_by = _answered(
            call, completion, latency_s, answer_hash, says_no=reading.abstention is not None
        )
        if not call.record.end(call.ticket, answered, settled_by):
            return call.step.missed(ModelFailure.LOST, "its reservation expired before the answer came")
        return Made(Served(reading, _told(call, answered)), completion)

    def _fail(
        self,
        call: Call[Any],
        failed: CallFailed,
        latency_s: float,
        completion: Completion | None = None,
        answer_hash: str | None = None,
    ) -> ChainStep:
        if completion is None:
            self._texts.put(call.question.logical)
        cost, settled_by = _cost(call, completion, is_billable=failed.is_billable)
        usage = completion.usage if completion else None
        message = self._secrets.hide(failed.message.encode("utf-8", "backslashreplace")).decode()
        event = ModelCallFailed(
            question_id=call.record.question_id,
            attempt=call.ticket.attempt,
            provider=call.step.entry.provider,
            model=call.step.entry.model,
            failure=failed.failure,
            status=failed.status,
            message=message,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cost=cost,
            latency_s=seconds(latency_s),
            answer_hash=answer_hash,
            retry_after_s=None if failed.retry_after_s is None else seconds(failed.retry_after_s),
        )
        call.record.end(call.ticket, event, settled_by)
        return call.step.missed(failed.failure, message)


async def _send(call: Call[Any]) -> Completion | CallFailed:
    provider, entry = call.step.provider, call.step.entry
    assert provider is not None, "a provider without its key is not asked"
    traceparent = f"00-{call.question.cause.trace_id}-{call.wire_hash[:16]}-01"
    request = ProviderRequest(entry.model, call.body, call.timeout_s, entry.stream, traceparent)
    with anyio.move_on_after(call.timeout_s):
        try:
            return await provider.complete(request)
        except Exception as error:  # noqa: BLE001  a plugin that breaks its word must not stop the chain
            return CallFailed(ModelFailure.BROKEN, f"the plugin raised {type(error).__name__}", is_billable=True)
    return CallFailed(ModelFailure.TIMEOUT, f"no whole answer within {call.timeout_s:.3f} s", is_billable=True)


def _answered(
    call: Call[Any], completion: Completion, latency_s: float, answer_hash: str, *, says_no: bool
) -> tuple[ModelCallAnswered, SettledBy]:
    cost, settled_by = _cost(call, completion, is_billable=True)
    usage, first_s = completion.usage, completion.first_token_s
    event = ModelCallAnswered(
        question_id=call.record.question_id,
        attempt=call.ticket.attempt,
        provider=call.step.entry.provider,
        model=call.step.entry.model,
        response_model=completion.response_model,
        response_id=completion.response_id,
        finish_reason=completion.finish_reason,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        cached_input_tokens=usage.cached_input_tokens if usage else None,
        reasoning_tokens=usage.reasoning_tokens if usage else None,
        cost=cost,
        latency_s=seconds(latency_s),
        answer_hash=answer_hash,
        abstained=says_no,
        system_fingerprint=completion.system_fingerprint,
        first_token_s=None if first_s is None else seconds(first_s),
    )
    return event, settled_by


def _cost(call: Call[Any], completion: Completion | None, *, is_billable: bool) -> tuple[Decimal, SettledBy]:
    price = call.step.price
    assert price is not None, "a model without a price is not asked"
    if completion is not None and completion.usage is not None:
        return cost_of(price, completion.usage), SettledBy.USAGE
    return (call.ticket.reserved, SettledBy.RESERVATION) if is_billable else (ZERO, SettledBy.NOTHING)


def _told(call: Call[Any], answered: ModelCallAnswered) -> AnsweredCall:
    return AnsweredCall(
        question_id=answered.question_id,
        provider=answered.provider,
        model=answered.model,
        attempts=call.record.attempts,
        input_tokens=answered.input_tokens,
        output_tokens=answered.output_tokens,
        cost=call.record.cost,
        latency_s=answered.latency_s,
        cached=False,
        prompt_hash=call.question.request_hash,
        answer_hash=answered.answer_hash,
        event_id=call.record.last_event_id,
    )
