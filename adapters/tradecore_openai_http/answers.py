"""A chat completion as JSON, checked before it is believed."""

from __future__ import annotations

import json
from typing import Any

from tradecore.domain.model_call import Usage
from tradecore.models.canonical import canonical
from tradecore.ports.model_provider import Completion

_SHOWN = 120


class Unusable(Exception):
    """What came is not what the protocol promises."""


def read_completion(body: bytes) -> Completion:
    """The first choice of a completion. Raises `Unusable`."""
    answer = parse_object(body)
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    finish_reason = choice.get("finish_reason") if isinstance(choice, dict) else None
    if not isinstance(message, dict) or not isinstance(finish_reason, str):
        raise Unusable("the answer has no finished message")
    return Completion(
        message=message_bytes(message),
        finish_reason=finish_reason,
        response_model=text_of(answer, "model"),
        response_id=text_of(answer, "id"),
        usage=read_usage(answer.get("usage")),
        system_fingerprint=text_of(answer, "system_fingerprint") or None,
    )


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises `Unusable`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unusable(f"not a JSON object: {body[:_SHOWN]!r}")
    return found


def message_bytes(message: dict[str, Any]) -> bytes:
    """The message in one way of writing, as it is kept."""
    return canonical("message", message)


def text_of(answer: dict[str, Any], key: str) -> str:
    """A text, empty where there is none."""
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def read_usage(usage: object) -> Usage | None:
    """The tokens that were counted; None unless both counts are whole numbers of zero or more."""
    if not isinstance(usage, dict):
        return None
    given, made = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if given is None or made is None:
        return None
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens") or 0
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens") or 0
    return Usage(given, made, min(cached, given), reasoning)


def _count(source: object, key: str) -> int | None:
    value = source.get(key) if isinstance(source, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
