"""A loopback HTTP server that plays replies byte for byte, also the ones that no proper server would give."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs


@attrs.frozen
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@attrs.frozen
class Play:
    """What the server does with a request: bytes to write, then how the connection goes on."""

    data: bytes = b""
    then: str = "keep"  # keep | close | reset | hang | drip


HANG = Play(then="hang")
CLOSE = Play(then="close")
RESET = Play(then="reset")
DRIP = Play(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", then="drip")

Script = Callable[[Request], Play]


def reply(status: int, body: object = b"", headers: dict[str, str] | None = None, kind: str = "") -> Play:
    """An HTTP answer; anything but bytes is written as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = kind or ("application/json" if data else "")
    lines = [f"HTTP/1.1 {status} Whatever"]
    if status != 204:
        lines.append(f"content-length: {len(data)}")
    if kind:
        lines.append(f"content-type: {kind}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return Play("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


class ScriptedHttp:
    """`replies` are played in order, the last one again and again; or `script` decides. `requests` is what came."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.replies: list[Play] = []
        self.script: Script | None = None
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    def _next(self, request: Request) -> Play:
        if self.script is not None:
            return self.script(request)
        if not self.replies:
            return CLOSE
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                if not await self._play(self._next(request), writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _play(self, play: Play, writer: asyncio.StreamWriter) -> bool:
        writer.write(play.data)
        await writer.drain()
        match play.then:
            case "hang":
                await asyncio.Event().wait()
            case "drip":
                while True:
                    writer.write(b".")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            case "reset":
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case "close":
                writer.close()
                await writer.wait_closed()
                return False
        return True

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)


@asynccontextmanager
async def scripted_http() -> AsyncIterator[ScriptedHttp]:
    scripted = ScriptedHttp()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        await scripted.stop()
        await server.wait_closed()
