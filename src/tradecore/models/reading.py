"""What a model said, read as what it was asked for: exact numbers, no key twice, nothing that the schema lacks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Generic, TypeVar

import attrs
from pydantic import ValidationError

from tradecore.domain.model_call import ModelFailure
from tradecore.ports.model import AnswerT

ValueT = TypeVar("ValueT")
_FENCES = ("```json\n", "```\n")
_SHOWN = 300


class Unreadable(Exception):
    """The model's message is no answer; `failure` says in which way. It never leaves the gateway."""

    def __init__(self, failure: ModelFailure, why: str) -> None:
        self.failure = failure
        super().__init__(why[:_SHOWN])


@attrs.frozen
class Reading(Generic[ValueT]):
    """A message, read. `abstention` is why nothing should be done, None where the question is answered."""

    value: ValueT
    abstention: str | None = None


def read_answer(answer: type[AnswerT], message: bytes, finish_reason: str) -> Reading[AnswerT]:
    """The content of a model's message as an answer. Raises `Unreadable`."""
    check_finish(finish_reason)
    content = _content(message)
    try:
        plain = json.loads(content, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Unreadable(ModelFailure.INVALID, f"not JSON: {error}") from None
    try:
        value = answer.model_validate(plain)
    except ValidationError as error:
        raise Unreadable(ModelFailure.INVALID, _explain(error)) from None
    except RecursionError:
        raise Unreadable(ModelFailure.INVALID, "nested too deeply") from None
    return Reading(value, value.abstention())


def check_finish(finish_reason: str) -> None:
    """Raises `Unreadable` for a message that the model did not end by itself."""
    if finish_reason == "length":
        raise Unreadable(ModelFailure.INCOMPLETE, "the answer reached the limit of output tokens")
    if finish_reason == "content_filter":
        raise Unreadable(ModelFailure.DECLINED, "a filter of the provider withheld the answer")


def _content(message: bytes) -> str:
    said = json.loads(message)
    if said.get("refusal"):
        raise Unreadable(ModelFailure.DECLINED, f"the model declined: {said['refusal']}")
    content = said.get("content")
    if not isinstance(content, str) or not content.strip():
        raise Unreadable(ModelFailure.INVALID, "the message has no text")
    return _without_fence(content.strip())


def _without_fence(text: str) -> str:
    for fence in _FENCES:
        if text.startswith(fence) and text.endswith("```"):
            return text[len(fence) : -3]
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _explain(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in problems[:5])
