"""Answers in OpenAI's form, whole or as server-sent events. What is streamed is recorded already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from tradecore.ports.model import AnsweredCall
from tradecore_openai_endpoint.chat import Chat

_NO_RETRY = {"x-should-retry": "false"}
_PIECE = 64  # characters


def whole(call: AnsweredCall, chat: Chat, model: str, created: int) -> Response:
    """The answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", **chat.message}, "finish_reason": chat.finish_reason}
    answer = {**_head(call, model, created, "chat.completion"), "choices": [choice], "usage": _usage(call)}
    return JSONResponse(answer, headers=_named(call))


def streamed(call: AnsweredCall, chat: Chat, model: str, created: int, *, with_usage: bool) -> Response:
    """The answer in pieces."""
    chunks = _chunks(call, chat, model, created, with_usage=with_usage)
    return StreamingResponse(chunks, media_type="text/event-stream", headers=_named(call))


def failure(status: int, kind: str, message: str) -> Response:
    """An error that no client should repeat by itself: the gateway has tried what there is."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": kind}}
    return JSONResponse(body, status_code=status, headers=_NO_RETRY)


def _chunks(call: AnsweredCall, chat: Chat, model: str, created: int, *, with_usage: bool) -> Iterator[bytes]:
    head = _head(call, model, created, "chat.completion.chunk")
    for delta in _deltas(chat):
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": chat.finish_reason}]})
    if with_usage:
        yield _event({**head, "choices": [], "usage": _usage(call)})
    yield b"data: [DONE]\n\n"


def _deltas(chat: Chat) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    content = chat.message.get("content") or ""
    for at in range(0, len(content), _PIECE):
        yield {"content": content[at : at + _PIECE]}
    if chat.message.get("refusal"):
        yield {"refusal": chat.message["refusal"]}
    for number, made in enumerate(chat.message.get("tool_calls") or ()):
        yield {"tool_calls": [{**made, "index": number}]}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _head(call: AnsweredCall, model: str, created: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{call.question_id}", "object": kind, "created": created, "model": model}


def _usage(call: AnsweredCall) -> dict[str, int]:
    given, made = call.input_tokens or 0, call.output_tokens or 0
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _named(call: AnsweredCall) -> dict[str, str]:
    return {"x-tradecore-question": call.question_id, "x-tradecore-model": f"{call.provider}/{call.model}"}
