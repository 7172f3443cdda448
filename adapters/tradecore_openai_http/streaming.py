"""Server-sent events, put together to one message. Only a stream that says that it is done is an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs

from tradecore.domain.model_call import Usage
from tradecore.ports.model_provider import Completion
from tradecore_openai_http.answers import Unusable, message_bytes, parse_object, read_usage, text_of

_PREFIX = b"data:"
_DONE = b"[DONE]"


@attrs.define
class _Told:
    """What the pieces said so far."""

    content: list[str] = attrs.Factory(list)
    refusal: list[str] = attrs.Factory(list)
    tools: dict[int, dict[str, Any]] = attrs.Factory(dict)
    finish_reason: str = ""
    model: str = ""
    response_id: str = ""
    fingerprint: str = ""
    usage: Usage | None = None
    first_s: float | None = None
    is_done: bool = False


async def read_stream(
    pieces: AsyncIterator[bytes], hide: Callable[[bytes], bytes], elapsed_s: Callable[[], float]
) -> Completion:
    """The whole message of a stream. Raises `Unusable` for one that ends too early."""
    told, rest = _Told(), b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            _take(told, line.strip(), elapsed_s)
    _take(told, rest.strip(), elapsed_s)
    if not told.finish_reason or not told.is_done:
        raise Unusable("the stream ended before the answer did")
    message: dict[str, Any] = {"role": "assistant", "content": "".join(told.content) or None}
    if told.refusal:
        message["refusal"] = "".join(told.refusal)
    if told.tools:
        message["tool_calls"] = [told.tools[index] for index in sorted(told.tools)]
    return Completion(
        # Hidden once more: pieces of a key can come in pieces of a stream.
        message=hide(message_bytes(message)),
        finish_reason=told.finish_reason,
        response_model=told.model,
        response_id=told.response_id,
        usage=told.usage,
        system_fingerprint=told.fingerprint or None,
        first_token_s=told.first_s,
    )


def _take(told: _Told, line: bytes, elapsed_s: Callable[[], float]) -> None:
    if not line.startswith(_PREFIX):
        return  # an empty line, a comment, or the name of an event
    data = line[len(_PREFIX) :].strip()
    if data == _DONE:
        told.is_done = True
        return
    chunk = parse_object(data)
    if "error" in chunk:
        raise Unusable("the stream told of an error")
    told.model = told.model or text_of(chunk, "model")
    told.response_id = told.response_id or text_of(chunk, "id")
    told.fingerprint = told.fingerprint or text_of(chunk, "system_fingerprint")
    told.usage = read_usage(chunk.get("usage")) or told.usage
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return
    told.finish_reason = told.finish_reason or text_of(choice, "finish_reason")
    delta = choice.get("delta")
    if isinstance(delta, dict):
        _take_delta(told, delta, elapsed_s)


def _take_delta(told: _Told, delta: dict[str, Any], elapsed_s: Callable[[], float]) -> None:
    content, refusal = text_of(delta, "content"), text_of(delta, "refusal")
    if (content or delta.get("tool_calls")) and told.first_s is None:
        told.first_s = elapsed_s()
    told.content.append(content)
    if refusal:
        told.refusal.append(refusal)
    calls = delta.get("tool_calls")
    for part in calls if isinstance(calls, list) else ():
        _take_tool(told, part)


def _take_tool(told: _Told, part: object) -> None:
    if not isinstance(part, dict) or not isinstance(part.get("index"), int):
        raise Unusable("a piece of a tool call has no index")
    empty: dict[str, Any] = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    whole = told.tools.setdefault(part["index"], empty)
    whole["id"] = whole["id"] or text_of(part, "id")
    function = part.get("function")
    if isinstance(function, dict):
        whole["function"]["name"] += text_of(function, "name")
        whole["function"]["arguments"] += text_of(function, "arguments")
