"""What a fault does to one request."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.answers import AS_JSON, Held, answer, held
from tradecore_exchange.fault_plan import Strike
from tradecore_exchange.house import House
from tradecore_exchange.refusals import Refused
from tradecore_exchange.requests import read_object
from tradecore_exchange.service import Service

JSON = Any

_HTML = [(b"content-type", b"text/html")]
_FOR_EVER_S = 3_600.0
_FILL_WAIT_MS = 300
_ON_THE_WIRE_S = 0.05
_ANSWERS: dict[str, tuple[int, bytes, list[tuple[bytes, bytes]]]] = {
    "http_429": (429, b'{"code":42910000,"message":"rate limit exceeded"}', [*AS_JSON, (b"retry-after", b"1")]),
    "http_500": (500, b'{"code":50010000,"message":"internal server error occurred"}', AS_JSON),
    "http_502": (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", _HTML),
    "http_503": (503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", _HTML),
    "http_504": (504, b'{"code":50410000,"message":"gateway timeout"}', AS_JSON),
    "empty_200": (200, b"", AS_JSON),
    "garbage_200": (200, b"\x00{garbage", AS_JSON),
    "redirect_302": (302, b"", [(b"location", b"/elsewhere")]),
}
# The broker's own limiter speaks before anything is done; a 429 to what was carried out is a gateway's.
_GATEWAY_429 = (429, b"<html><body><h1>429 Too Many Requests</h1></body></html>", [*_HTML, (b"retry-after", b"1")])


def spoiled(strike: Strike, body: bytes) -> bytes:
    """A good answer with something wrong in it; a list is spoiled in its first element."""
    if strike.kind == "cut_200":
        return body[: len(body) // 2]
    try:
        whole = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    target = whole[0] if isinstance(whole, list) and whole else whole
    if isinstance(target, dict):
        field = strike.field if strike.field in target else next(iter(target), "")
        if strike.kind == "answer_missing_field":
            target.pop(field, None)
        elif strike.kind == "answer_null_field":
            target[field] = None
        else:
            target["status" if "status" in target else field] = "teleported"
    return msgspec.json.encode(whole)


class Misbehaviour:
    """One strike on one request."""

    def __init__(self, app: ASGIApp, house: House, service: Service, strike: Strike) -> None:
        self._app = app
        self._house = house
        self._service = service
        self._strike = strike

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it strike."""
        strike = self._strike
        if strike.kind == kinds.FIRST_THE_FILL:
            await self._fill(scope["path"].rsplit("/", 1)[1])
            await self._app(scope, receive, send)
            return
        done: Held | None = None
        if strike.after_accept:
            done = await held(self._app, scope, receive)
        elif strike.kind != "delay":
            await self._drain(scope, receive)
        match strike.kind:
            case "delay":
                await asyncio.sleep(strike.ms / 1_000)
                if done is None:
                    await self._app(scope, receive, send)
                else:
                    await done.let_go(send)
            case "reset":
                self._service.host.abort(scope)
            case "hang":
                await self._hang(scope, receive)
            case kinds.FIRST_THE_EVENTS if done is not None:
                body = done.json
                order_id = body.get("id", "") if isinstance(body, dict) else scope["path"].rsplit("/", 1)[1]
                await self._fill(order_id)
                await asyncio.sleep(_ON_THE_WIRE_S)
                await done.let_go(send)
            case _ if done is not None and strike.kind in kinds.SPOILING:
                await self._spoil(done, send)
            case "http_429" if done is not None:
                await answer(send, *_GATEWAY_429)
            case kind:
                await answer(send, *_ANSWERS[kind])

    async def _spoil(self, done: Held, send: Send) -> None:
        if done.status // 100 != 2 or not done.body:
            await done.let_go(send)
        else:
            await answer(send, done.status, spoiled(self._strike, done.body))

    async def _fill(self, order_id: str) -> None:
        """Hold on until the order is done or the time is over, and have the streams hear of everything."""
        order = self._service.floor.exchange.book.by_id.get(order_id)
        if self._strike.advance and order is not None and order.is_open:
            self._house.advance(self._service)
        self._house.publish()
        monotonic = self._service.host.monotonic
        until = monotonic() + (self._strike.ms or _FILL_WAIT_MS) / 1_000
        while order is not None and order.is_open and monotonic() < until:
            await asyncio.sleep(0.005)
            self._house.publish()

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
                    self._service.floor.count_post(client_order_id)
                    self._service.floor.save()

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        """Say nothing until the time is over, the faults are cleared, or the client has gone; then break off."""

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        waits = (asyncio.ensure_future(gone()), asyncio.ensure_future(self._service.faults.released.wait()))
        timeout = self._strike.ms / 1_000 or _FOR_EVER_S
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            # Also when the server stops: it would otherwise say 500, and a hang never says anything.
            self._service.host.abort(scope)
