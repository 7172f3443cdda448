"""Answers that no route gave: made whole, held back, or sent with other contents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradecore_exchange.rate_limit import RateLimit

JSON = Any
Headers = Iterable[tuple[bytes, bytes]]

AS_JSON = [(b"content-type", b"application/json")]


async def answer(send: Send, status: int, body: bytes, headers: Headers = AS_JSON) -> None:
    """A whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def counted(send: Send, rate: RateLimit) -> Send:
    """The same, with the headers of the rate limit."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *rate.headers]
        await send(message)

    return with_headers


@attrs.define
class Held:
    """The answer of a request that was carried out, before anybody has heard it."""

    status: int
    body: bytes
    messages: list[Message]

    @property
    def json(self) -> JSON:
        """The body, or None when it is not JSON."""
        try:
            return msgspec.json.decode(self.body) if self.body else None
        except msgspec.DecodeError:
            return None

    async def let_go(self, send: Send) -> None:
        """Send it as it is."""
        for message in self.messages:
            await send(message)


async def held(app: ASGIApp, scope: Scope, receive: Receive) -> Held:
    """Carry out a request, and keep its answer; what the streams are to hear of it goes out."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    status = next(message["status"] for message in messages if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
    return Held(status, body, messages)
