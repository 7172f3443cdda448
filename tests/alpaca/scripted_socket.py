"""A loopback WebSocket server: each connection is played by the next script; what the client said is kept."""

from __future__ import annotations

import asyncio
import http
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One connected client."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.heard: list[object] = []

    async def hear(self) -> object:
        """The client's next message, parsed."""
        message = json.loads(await self.connection.recv())
        self.heard.append(message)
        return message

    async def say(self, *messages: object, binary: bool = False) -> None:
        """Send each: bytes and text as they are, anything else as JSON."""
        for message in messages:
            data = message if isinstance(message, str | bytes) else json.dumps(message)
            if binary and isinstance(data, str):
                data = data.encode()
            await self.connection.send(data)

    async def stay(self) -> None:
        """Keep the connection until the client leaves."""
        await self.connection.wait_closed()


class ScriptedSocket:
    """`scripts` are played in order, the last one again and again; `refusals` come before, as HTTP answers."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.peers: list[Peer] = []
        self.upgrades = 0
        self.left = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"

    async def play(self, connection: ServerConnection) -> None:
        peer = Peer(connection)
        self.peers.append(peer)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            await script(peer)
        except ConnectionClosed:
            pass
        finally:
            self.left.set()

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        self.upgrades += 1
        if not self.refusals:
            return None
        status, headers = self.refusals.pop(0)
        told = Headers({**headers, "content-length": "0", "connection": "close"})
        return Response(status, http.HTTPStatus(status).phrase, told)


@asynccontextmanager
async def scripted_socket() -> AsyncIterator[ScriptedSocket]:
    scripted = ScriptedSocket()
    async with serve(
        scripted.play, "127.0.0.1", 0, process_request=scripted.refuse, ping_interval=None, close_timeout=1
    ) as server:
        scripted.port = next(iter(server.sockets)).getsockname()[1]
        yield scripted
