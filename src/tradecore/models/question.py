"""A question on its way through the chain: what is asked, in whose name, and how an answer is read."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

import attrs

from tradecore.domain.messages import Cause
from tradecore.domain.model_call import Criticality
from tradecore.errors import InputError
from tradecore.models.canonical import canonical, digest
from tradecore.models.reading import Reading, read_answer
from tradecore.ports.model import AnswerT, ModelRequest
from tradecore.settings_models import CatalogueSettings

ValueT = TypeVar("ValueT")


@attrs.frozen
class Question(Generic[ValueT]):
    """`logical` is the whole request as canonical JSON, without who asks, when, and which model will answer.

    `chat` makes the request to one model of the catalogue, `read` the value of a message and its finish reason.
    """

    role: str
    criticality: Criticality
    purpose: str
    run: str
    cause: Cause
    agent: str | None
    decision_id: str | None
    deadline: float | None
    logical: bytes
    chat: Callable[[CatalogueSettings], Mapping[str, Any]]
    read: Callable[[bytes, str], Reading[ValueT]]

    @property
    def request_hash(self) -> str:
        """What a recording knows the request by; also the request's name in the side store."""
        return digest(self.logical)


def typed_question(request: ModelRequest[AnswerT]) -> Question[AnswerT]:
    """The question of a typed request. Raises `InputError` for one that makes no sense."""
    _check(request)
    schema = _schema_of(request.answer)
    name = request.answer.__name__
    messages = [{"role": message.speaker.value, "content": message.content} for message in request.messages]
    sampling: dict[str, Any] = {}
    if request.temperature is not None:
        sampling["temperature"] = request.temperature
    if request.seed is not None:
        sampling["seed"] = request.seed
    asked = {
        "role": request.role,
        "criticality": request.criticality.value,
        "messages": messages,
        "schema": schema,
        "schema_name": name,
        **sampling,
    }

    def chat(entry: CatalogueSettings) -> Mapping[str, Any]:
        body: dict[str, Any] = {"model": entry.model, "messages": messages, **sampling}
        body[entry.max_tokens_field] = entry.max_output_tokens
        if entry.structured == "json_schema":
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}
            return body
        if entry.structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        wish = "Answer with one JSON object and nothing else. Its JSON Schema: " + canonical("schema", schema).decode()
        body["messages"] = [*messages, {"role": "system", "content": wish}]
        return body

    return Question(
        role=request.role,
        criticality=request.criticality,
        purpose=request.purpose,
        run=request.run,
        cause=request.cause,
        agent=request.agent,
        decision_id=request.decision_id,
        deadline=request.deadline,
        logical=canonical("messages", asked),
        chat=chat,
        read=lambda message, finish_reason: read_answer(request.answer, message, finish_reason),
    )


@functools.lru_cache(maxsize=256)
def _schema_of(answer: type[AnswerT]) -> Mapping[str, Any]:
    return answer.model_json_schema()


def _check(request: ModelRequest[AnswerT]) -> None:
    for field in ("role", "purpose", "run"):
        if not getattr(request, field):
            raise InputError(field, getattr(request, field), "a text that is not empty")
    if not request.messages:
        raise InputError("messages", request.messages, "at least one message")
    if request.deadline is not None and not math.isfinite(request.deadline):
        raise InputError("deadline", request.deadline, "a finite time of the clock's monotonic seconds")
    warmth = request.temperature
    if warmth is not None and not (warmth.is_finite() and Decimal(0) <= warmth <= Decimal(2)):
        raise InputError("temperature", warmth, "a number from 0 to 2")
