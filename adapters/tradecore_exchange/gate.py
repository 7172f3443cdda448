"""What stands before every route: rate limit, keys, and armed faults."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from starlette.types import ASGIApp

from tradecore_exchange.faults import Fault
from tradecore_exchange.refusals import Refused
from tradecore_exchange.requests import read_object
from tradecore_exchange.service import Service

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON = [(b"content-type", b"application/json")]
_HTML = [(b"content-type", b"text/html")]
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "testclient"})
_FOR_EVER_S = 3_600.0
_STATUS_BODIES: dict[str, tuple[int, bytes, list[tuple[bytes, bytes]]]] = {
    "http_429": (429, b'{"code":42910000,"message":"rate limit exceeded"}', [*_JSON, (b"retry-after", b"1")]),
    "http_500": (500, b'{"code":50010000,"message":"internal server error occurred"}', _JSON),
    "http_502": (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", _HTML),
    "http_503": (503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", _HTML),
    "http_504": (504, b'{"code":50410000,"message":"gateway timeout"}', _JSON),
    "empty_200": (200, b"", _JSON),
    "garbage_200": (200, b"\x00{garbage", _JSON),
    "redirect_302": (302, b"", [(b"location", b"/elsewhere")]),
}


async def _answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = _JSON) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


class Gate:
    """ASGI middleware around the whole application; websockets authenticate by themselves."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or stop it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith("/_ctl"):
            await self._control(scope, receive, send)
            return
        in_rate = self.service.rate.count()

        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.service.rate.headers]
            await send(message)

        if not self._knows(scope):
            await _answer(limited, 401, b'{"message":"unauthorized."}')
        elif not in_rate:
            status, body, headers = _STATUS_BODIES["http_429"]
            await _answer(limited, status, body, headers)
        else:
            fault = self.service.faults.take_for_answer(scope["method"], path)
            if fault is None:
                await self.app(scope, receive, limited)
            else:
                await self._misbehave(fault, scope, receive, limited)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None and client[0] not in _LOOPBACK:
            await _answer(send, 403, b'{"message":"the control API is for this machine only"}')
        elif not self._knows(scope):
            await _answer(send, 401, b'{"message":"unauthorized."}')
        else:
            await self.app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        key, secret = self.service.key.encode(), self.service.secret.encode()
        if headers.get(b"apca-api-key-id") == key and headers.get(b"apca-api-secret-key") == secret:
            return True
        basic = b"Basic " + base64.b64encode(key + b":" + secret)
        return headers.get(b"authorization") == basic

    async def _misbehave(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        if fault.after_accept:
            await self.app(scope, receive, hold)
        elif fault.kind != "delay":
            await self._drain(scope, receive)
        if fault.kind == "delay":
            await asyncio.sleep(fault.ms / 1_000)
            for message in held:
                await send(message)
            if not held:
                await self.app(scope, receive, send)
        elif fault.kind == "reset":
            self.service.abort(scope)
        elif fault.kind == "hang":
            try:
                await self._hang(fault, receive)
            finally:
                # Also when the server stops: it would otherwise say 500, and a hang never says anything.
                self.service.abort(scope)
        else:
            status, body, headers = _STATUS_BODIES[fault.kind]
            await _answer(send, status, body, headers)

    async def _drain(self, scope: Scope, receive: Receive) -> None:
        """Read what came all the same: the judge counts every POST that reached this machine."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        if (scope["method"], scope["path"]) == ("POST", "/v2/orders"):
            with contextlib.suppress(Refused):
                client_order_id = read_object(body).get("client_order_id")
                if isinstance(client_order_id, str):
                    self.service.floor.count_post(client_order_id)
                    self.service.floor.save()

    async def _hang(self, fault: Fault, receive: Receive) -> None:
        """Say nothing until the time is over, the faults are cleared, or the client has gone."""

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        waits = {asyncio.ensure_future(gone()), asyncio.ensure_future(self.service.faults.released.wait())}
        try:
            await asyncio.wait(waits, timeout=fault.ms / 1_000 or _FOR_EVER_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
