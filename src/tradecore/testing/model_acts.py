"""What a model server does with a request: say something, or one of the ways in which providers fail."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import attrs

_BYTES_PER_TOKEN = 4


@attrs.frozen
class Heard:
    """A request as it came in. Header names are in small letters."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


@attrs.frozen
class Say:
    """A whole answer. `usage` None counts nothing; by default it is a quarter of the bytes.

    `tool_calls` are as OpenAI writes them. `delay_s` seconds pass before the first byte.
    """

    content: str | None
    finish_reason: str = "stop"
    usage: tuple[int, int] | None = (-1, -1)
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    refusal: str | None = None
    delay_s: float = 0.0


@attrs.frozen
class Fault:
    """A failure: a `status` with a `body`, or, with `cut_after`, that many bytes of an answer and then silence.

    `hangs_s` seconds pass before anything comes. With `resets` the connection is torn down rather than closed.
    """

    status: int = 200
    body: str = '{"error": {"message": "made to fail"}}'
    headers: Mapping[str, str] = attrs.field(factory=dict)
    hangs_s: float = 0.0
    cut_after: int | None = None
    resets: bool = False

    @classmethod
    def rate_limited(cls, retry_after_s: float | None = None) -> Fault:
        """429, with `Retry-After` where seconds are given."""
        return cls(429, headers={} if retry_after_s is None else {"retry-after": f"{retry_after_s:g}"})

    @classmethod
    def server_error(cls, status: int = 500) -> Fault:
        """5xx."""
        return cls(status)

    @classmethod
    def unauthorized(cls) -> Fault:
        """401."""
        return cls(401)

    @classmethod
    def bad_request(cls) -> Fault:
        """400, as for a context that is too long."""
        return cls(400)

    @classmethod
    def hang(cls, seconds: float = 3_600.0) -> Fault:
        """Nothing at all for that long, or until the server stops."""
        return cls(503, hangs_s=seconds)

    @classmethod
    def cut(cls, after_bytes: int = 60) -> Fault:
        """The beginning of a good answer, then the connection is torn down."""
        return cls(cut_after=after_bytes, resets=True)

    @classmethod
    def nonsense(cls) -> Fault:
        """200, and not the protocol."""
        return cls(200, body="<html>It works!</html>")


Act = Say | Fault


def perform(handler: BaseHTTPRequestHandler, heard: Heard, act: Act, wait: Callable[[float | None], None]) -> None:
    """Answer a request. `wait` waits for so many seconds, or until the server stops."""
    pause_s = act.hangs_s if isinstance(act, Fault) else act.delay_s
    if pause_s:
        wait(pause_s)
    is_streamed = bool(heard.body.get("stream"))
    if isinstance(act, Say):
        _send(handler, _stream(heard, act) if is_streamed else _whole(heard, act), is_streamed=is_streamed)
    elif act.cut_after is not None:
        good = Say('{"action": "HOLD", "reasoning": "' + "so it goes " * 20 + '"}')
        body = _stream(heard, good) if is_streamed else _whole(heard, good)
        _send(handler, body, is_streamed=is_streamed, cut_after=act.cut_after)
        _tear_down(handler)
    else:
        _send(handler, act.body.encode(), status=act.status, headers=act.headers)


def _send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    is_streamed: bool = False,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cut_after: int | None = None,
) -> None:
    handler.send_response(status)
    handler.send_header("content-type", "text/event-stream" if is_streamed else "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.send_header("x-request-id", "req-made-here")
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body if cut_after is None else body[:cut_after])
    handler.wfile.flush()


def _tear_down(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _usage(heard: Heard, say: Say) -> dict[str, int] | None:
    if say.usage is None:
        return None
    given, made = say.usage
    given = len(json.dumps(heard.body.get("messages"))) // _BYTES_PER_TOKEN if given < 0 else given
    made = max(1, len(say.content or "") // _BYTES_PER_TOKEN) if made < 0 else made
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _head(heard: Heard, kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-made-here",
        "object": kind,
        "created": 1_760_000_000,
        "model": str(heard.body.get("model")),
        "system_fingerprint": "fp_made_here",
    }


def _whole(heard: Heard, say: Say) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": say.content}
    if say.refusal is not None:
        message["refusal"] = say.refusal
    if say.tool_calls:
        message["tool_calls"] = list(say.tool_calls)
    choice = {"index": 0, "message": message, "finish_reason": say.finish_reason}
    answer = {**_head(heard, "chat.completion"), "choices": [choice]}
    usage = _usage(heard, say)
    return json.dumps(answer if usage is None else {**answer, "usage": usage}).encode()


def _stream(heard: Heard, say: Say) -> bytes:
    head = _head(heard, "chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    content = say.content or ""
    deltas += [{"content": content[at : at + 8]} for at in range(0, len(content), 8)]
    if say.refusal is not None:
        deltas.append({"refusal": say.refusal})
    deltas += [{"tool_calls": [{"index": number, **call}]} for number, call in enumerate(say.tool_calls)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": say.finish_reason}]})
    usage = _usage(heard, say)
    if usage is not None and heard.body.get("stream_options", {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": usage})
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
