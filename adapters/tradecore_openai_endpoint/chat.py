"""A chat completion of a foreign client as a question to the gateway: what is understood, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from tradecore.domain.messages import Cause
from tradecore.domain.model_call import Criticality, ModelFailure
from tradecore.domain.values import parse_word
from tradecore.errors import InputError
from tradecore.models.canonical import canonical
from tradecore.models.question import Question
from tradecore.models.reading import Reading, Unreadable, check_finish
from tradecore.settings_models import CatalogueSettings

# Parameters that go to the model as they are. Others may cost money in ways that no reservation counts.
_PASSED = frozenset(
    {
        "frequency_penalty", "logit_bias", "messages", "parallel_tool_calls", "presence_penalty", "reasoning_effort",
        "response_format", "seed", "stop", "temperature", "tool_choice", "tools", "top_p",
    }
)  # fmt: skip
_LIMITS = ("max_completion_tokens", "max_tokens")
_IGNORED = frozenset({"model", "stream", "stream_options", "user", "metadata", "store", "n", *_LIMITS})


@attrs.frozen
class Chat:
    """A message of a model as the client gets it."""

    message: Mapping[str, Any]
    finish_reason: str


@attrs.frozen
class Asker:
    """Who asks: the agent behind the token, the run, and the trace to go on with."""

    agent: str
    run: str
    cause: Cause
    decision_id: str | None = None
    deadline: float | None = None


def chat_question(body: Mapping[str, Any], asker: Asker) -> Question[Chat]:
    """The question of a request body. Raises `InputError` naming the field that is not understood."""
    role, criticality = _role(body.get("model"))
    _check(body)
    passed = {name: body[name] for name in sorted(_PASSED & body.keys()) if body[name] is not None}
    limit = _limit(body)
    asked = {"role": role, "criticality": criticality.value, "chat": passed, "max_tokens": limit}

    def chat(entry: CatalogueSettings) -> Mapping[str, Any]:
        most = entry.max_output_tokens if limit is None else min(limit, entry.max_output_tokens)
        return {**passed, "model": entry.model, entry.max_tokens_field: most}

    wants_json = _wants_json(body)
    return Question(
        role=role,
        criticality=criticality,
        purpose=f"asked by {asker.agent}",
        run=asker.run,
        cause=asker.cause,
        agent=asker.agent,
        decision_id=asker.decision_id,
        deadline=asker.deadline,
        logical=canonical("messages", asked),
        chat=chat,
        read=lambda message, finish_reason: _read(message, finish_reason, wants_json=wants_json),
    )


def _read(message: bytes, finish_reason: str, *, wants_json: bool) -> Reading[Chat]:
    if finish_reason != "length":  # the client may have asked for few tokens, and is told
        check_finish(finish_reason)
    said = json.loads(message)
    calls = said.get("tool_calls") or ()
    content = said.get("content")
    if not calls and not content and not said.get("refusal"):
        raise Unreadable(ModelFailure.INVALID, "the message says nothing")
    texts = [call.get("function", {}).get("arguments") for call in calls]
    if wants_json and not calls:
        texts.append(content)
    for text in texts:
        try:
            json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise Unreadable(ModelFailure.INVALID, f"not JSON: {error}") from None
    return Reading(Chat(said, finish_reason))


def _role(model: object) -> tuple[str, Criticality]:
    """`ROLE` or `ROLE/CRITICALITY`, which is what the client believes to be a model."""
    if not isinstance(model, str) or not model:
        raise InputError("model", model, "a role, or a role and a criticality such as trader/high")
    role, slash, criticality = model.partition("/")
    return role, parse_word("model", criticality, Criticality) if slash else Criticality.MEDIUM


def _check(body: Mapping[str, Any]) -> None:
    unknown = sorted(body.keys() - _PASSED - _IGNORED)
    if unknown:
        raise InputError(
            unknown[0], body[unknown[0]], "no such parameter: " + ", ".join(sorted(_PASSED)) + " are known"
        )
    if body.get("n") not in (None, 1):
        raise InputError("n", body["n"], "1: every answer is paid for")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise InputError("messages", type(messages).__name__, "a list of messages")
    for one in messages:
        content = one.get("content")
        if isinstance(content, list) and any(not isinstance(p, dict) or p.get("type") != "text" for p in content):
            raise InputError("messages", "a part that is no text", "text: what else costs cannot be told beforehand")


def _limit(body: Mapping[str, Any]) -> int | None:
    for name in _LIMITS:
        value = body.get(name)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(name, value, "a whole number of one or more")
            return value
    return None


def _wants_json(body: Mapping[str, Any]) -> bool:
    wish = body.get("response_format")
    return isinstance(wish, dict) and wish.get("type") in ("json_object", "json_schema")
