"""A WebSocket in memory, between the adapter's own protocol code and the exchange's application."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.simulation.hosts import Host, Killed
from tests.simulation.network import Link, Network
from tradecore_alpaca.websocket import Socket, SocketLostError

_PINGS_S = 7.0
_OPEN_S = 10.0


class MemorySocket:
    """One connection: two queues, a delay in between, and ways to break."""

    def __init__(self, network: Network, host: Host, link: Link) -> None:
        self.network = network
        self.host = host
        self.link = link
        self.port = network.port()
        self.to_client: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.opened: asyncio.Future[int] = network.loop.create_future()
        self.reason = "closed"
        self._is_cut = False
        self._held: deque[bytes | None] | None = None
        self._last = [0.0, 0.0]
        network.sockets[self.port] = self

    # --- the client's side ------------------------------------------------------------------------------------------

    async def recv(self) -> bytes:
        """The next message."""
        message = await self.to_client.get()
        if message is None:
            self.to_client.put_nowait(None)
            raise SocketLostError(self.reason)
        return message

    async def send(self, message: bytes) -> None:
        """Send a message."""
        if self._is_cut:
            raise SocketLostError(self.reason)
        self._later(1, self.to_server.put_nowait, {"type": "websocket.receive", "text": message.decode()})

    # --- what happens to it -----------------------------------------------------------------------------------------

    def cut(self, reason: str) -> None:
        """Break it for both sides, without a goodbye."""
        if not self._is_cut:
            self._is_cut = True
            self.reason = reason
            self.network.sockets.pop(self.port, None)
            self._later(0, self.to_client.put_nowait, None)
            self._later(1, self.to_server.put_nowait, {"type": "websocket.disconnect", "code": 1006})
            if not self.opened.done():
                self.opened.set_result(0)

    def hold(self, held: bool) -> None:
        """Let nothing through, or let through what waits; for too long, and the client gives it up."""
        if held and self._held is None:
            self._held = deque()
            self.network.loop.call_later(_PINGS_S, self._give_up, self._held, context=self.network.context)
        elif not held and self._held is not None:
            waiting, self._held = self._held, None
            for message in waiting:
                self._later(0, self.to_client.put_nowait, message)

    def _give_up(self, held: deque[bytes | None]) -> None:
        if self._held is held:
            self.cut("pings were not answered")

    def leave(self) -> None:
        """The client says goodbye."""
        if not self._is_cut:
            self._is_cut = True
            self.network.sockets.pop(self.port, None)
            self._later(1, self.to_server.put_nowait, {"type": "websocket.disconnect", "code": 1000})

    def _later(self, way: int, deliver: Callable[[Any], None], message: Any) -> None:
        """In order, a little later."""
        loop = self.network.loop
        at = max(self._last[way], loop.time() + self.network.latency_s(self.link))
        self._last[way] = at
        loop.call_at(at, deliver, message, context=self.network.context)

    # --- the server's side ------------------------------------------------------------------------------------------

    async def serve(self, path: str, query: str) -> None:
        """Run the exchange's application on this connection."""
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [],
            "client": ("127.0.0.1", self.port),
            "server": ("exchange", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        first = [{"type": "websocket.connect"}]

        async def receive() -> dict[str, Any]:
            return first.pop() if first else await self.to_server.get()

        assert self.network.app is not None, "the exchange is open"
        await self.network.app(scope, receive, self._from_server)

    async def _from_server(self, message: MutableMapping[str, Any]) -> None:
        kind = message["type"]
        if kind in ("websocket.accept", "websocket.http.response.start"):
            if not self.opened.done():
                self.opened.set_result(101 if kind == "websocket.accept" else message["status"])
        elif kind == "websocket.close":
            self.reason = f"closed: {message.get('code')}"
            self._to_client(None)
        elif kind == "websocket.send":
            data = message.get("bytes")
            self._to_client(data if data is not None else message["text"].encode())

    def _to_client(self, message: bytes | None) -> None:
        if self._is_cut:
            return
        if self._held is not None:
            self._held.append(message)
        else:
            self._later(0, self.to_client.put_nowait, message)


def connector(network: Network, host: Host, link: Link) -> Callable[[str], AbstractAsyncContextManager[Socket]]:
    """What opens sockets for a process."""

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator[Socket]:
        if host.is_dead:
            raise Killed(host.name)
        await asyncio.sleep(network.latency_s(link))
        if link.mode == "refuse":
            raise SocketLostError("connection refused")
        if link.mode:
            await asyncio.sleep(_OPEN_S)
            raise SocketLostError("TimeoutError: no answer")
        parts = urlsplit(url)
        socket = MemorySocket(network, host, link)
        network.loop.start(network.server, socket.serve(parts.path, parts.query))
        status = await socket.opened
        if status != 101:
            socket.leave()
            raise SocketLostError(f"HTTP {status} instead of a stream", busy=status == 429)
        try:
            yield socket
        finally:
            socket.leave()

    return connect
