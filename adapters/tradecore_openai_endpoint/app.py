"""The endpoint as an ASGI application. Loopback only, one token per agent, no other host name."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tradecore.domain.identity import parse_trace_id
from tradecore.domain.messages import Cause
from tradecore.errors import InputError, ReplayMiss, SecretInPrompt, TradecoreError
from tradecore.models.call import Served
from tradecore.models.question import Question
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.model import Exhausted
from tradecore_openai_endpoint.chat import Asker, Chat, chat_question
from tradecore_openai_endpoint.replies import failure, streamed, whole

_log = structlog.get_logger("tradecore.endpoint")
_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_LARGEST = 4_000_000  # bytes of a request
ValueT = TypeVar("ValueT")


class Pursuer(Protocol):
    """What asks: a live gateway, or one that replays."""

    async def pursue(self, question: Question[ValueT]) -> Served[ValueT] | Exhausted: ...


class Endpoint:
    """Answers requests of agents, by token, in the name of a run."""

    def __init__(self, gateway: Pursuer, clock: Clock, ids: Ids, run: str, tokens: Mapping[str, str]) -> None:
        """`tokens` by agent. Raises `InputError` for a token that is too short to keep anybody out, or given twice."""
        for agent, token in tokens.items():
            if len(token) < 16 or not token.isascii():
                raise InputError("tokens", agent, "a token of 16 ASCII characters or more for every agent")
        if len(set(tokens.values())) != len(tokens) or not tokens:
            raise InputError("tokens", sorted(tokens), "one token for every agent, and at least one")
        self._gateway = gateway
        self._clock = clock
        self._ids = ids
        self._run = run
        self._tokens = dict(tokens)

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/models", self._models, methods=["GET"]),
            ]
        )

    async def _complete(self, request: Request) -> Response:
        agent = self._agent(request)
        if agent is None:
            return failure(401, "unauthorized", "this endpoint is for agents with a token, on this machine")
        try:
            body = await _body(request)
            question = chat_question(body, self._asker(request, agent))
            found = await self._gateway.pursue(question)
        except (InputError, SecretInPrompt) as error:
            return failure(400, "invalid_request_error", str(error))
        except ReplayMiss as error:
            return failure(404, "replay_miss", str(error))
        except TradecoreError as error:
            _log.error("a question of an agent could not be asked", agent=agent, error=str(error))
            return failure(500, type(error).__name__, str(error))
        if isinstance(found, Exhausted):
            return failure(503, "chain_exhausted", found.reason)
        return self._reply(body, found)

    def _reply(self, body: Mapping[str, Any], found: Served[Chat]) -> Response:
        model, created = str(body["model"]), int(self._clock.now().timestamp())
        if not body.get("stream"):
            return whole(found.call, found.reading.value, model, created)
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        return streamed(found.call, found.reading.value, model, created, with_usage=with_usage)

    async def _models(self, request: Request) -> Response:
        if self._agent(request) is None:
            return failure(401, "unauthorized", "this endpoint is for agents with a token, on this machine")
        return JSONResponse({"object": "list", "data": []})

    def _agent(self, request: Request) -> str | None:
        host = request.headers.get("host", "").rpartition(":")
        if (host[0] or host[2]) not in _HOSTS:
            return None  # a page of somewhere else that a browser was made to ask from
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        known = [agent for agent, token in self._tokens.items() if hmac.compare_digest(token.encode(), given)]
        return known[0] if known else None

    def _asker(self, request: Request, agent: str) -> Asker:
        parts = request.headers.get("traceparent", "").split("-")
        try:
            trace_id = parse_trace_id("traceparent", parts[1] if len(parts) == 4 else "")
        except InputError:
            trace_id = self._ids.trace_id()
        cause = Cause(trace_id, actor=f"agent:{agent}", source="endpoint")
        return Asker(agent, self._run, cause, request.headers.get("x-tradecore-decision"))


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > _LARGEST:
            raise InputError("body", f"more than {_LARGEST} bytes", "a smaller request")
    try:
        body = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError("body", raw[:40], f"JSON ({error})") from None
    if not isinstance(body, dict):
        raise InputError("body", raw[:40], "a JSON object")
    return body


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")
