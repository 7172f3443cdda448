"""`/v2/iex` and `/v2/sip`: bars and quotes as they happen. The server speaks first."""

from __future__ import annotations

import contextlib
from typing import Any

import anyio
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradecore_exchange.codec import decode, speaks_msgpack
from tradecore_exchange.data_hub import CHANNELS, DataConnection
from tradecore_exchange.house import House, house_of

JSON = Any


def _error(code: int, words: str) -> dict[str, JSON]:
    return {"T": "error", "code": code, "msg": words}


class _Conversation:
    """One socket from greeting to goodbye."""

    def __init__(self, house: House, socket: WebSocket) -> None:
        self.house = house
        self.socket = socket
        self.connection = DataConnection()
        self.msgpack = speaks_msgpack(socket)
        self.authorized = False

    async def run(self) -> None:
        await self.socket.accept()
        self.house.host.data.connections[self.connection] = None
        self._say({"T": "success", "msg": "connected"})
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send_all)
                await self._receive_all()
                tasks.cancel_scope.cancel()
        finally:
            self.house.host.data.connections.pop(self.connection, None)

    async def _receive_all(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            body = decode(message)
            action = None if body is None else body.get("action")
            if body is None:
                self._say(_error(400, "invalid syntax"))
            elif action == "auth":
                self._say(self._authorize(body))
            elif not self.authorized:
                self._say(_error(401, "not authenticated"))
            elif action in {"subscribe", "unsubscribe"}:
                self._say(self._subscribe(body, add=action == "subscribe"))
            else:
                self._say(_error(400, "invalid syntax"))

    def _authorize(self, body: dict[str, JSON]) -> dict[str, JSON]:
        if self.authorized:
            return _error(403, "already authenticated")
        service = self.house.find(body.get("key"), body.get("secret"))
        refused = service is not None and service.faults.take("refuse_auth") is not None
        self.authorized = service is not None and not refused
        return {"T": "success", "msg": "authenticated"} if self.authorized else _error(402, "auth failed")

    def _subscribe(self, body: dict[str, JSON], *, add: bool) -> dict[str, JSON]:
        """Change what is wanted; the answer is always the whole of it."""
        for channel in CHANNELS:
            symbols = body.get(channel)
            if isinstance(symbols, list):
                named = {symbol for symbol in symbols if isinstance(symbol, str)}
                wanted = self.connection.wanted[channel]
                self.connection.wanted[channel] = wanted | named if add else wanted - named
        return {"T": "subscription", **{name: sorted(wanted) for name, wanted in self.connection.wanted.items()}}

    def _say(self, body: dict[str, JSON]) -> None:
        self.connection.queue.put_nowait(body)

    async def _send_all(self) -> None:
        """Points that wait go out together, as one array; control messages are alone in theirs."""
        queue = self.connection.queue
        # Starlette has two ways of saying that the client went while a frame was on its way to it.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                batch = [await queue.get()]
                while not queue.empty() and "S" in batch[-1]:
                    batch.append(queue.get_nowait())
                if "S" not in batch[-1]:
                    control = batch.pop()
                    if batch:
                        await self._send(batch)
                    batch = [control]
                await self._send(batch)

    async def _send(self, bodies: list[dict[str, JSON]]) -> None:
        if self.msgpack:
            # msgspec writes an aware datetime as the Timestamp extension, which is what such clients insist on.
            await self.socket.send_bytes(msgspec.msgpack.encode(bodies))
        else:
            await self.socket.send_text(msgspec.json.encode(bodies).decode())


async def data_stream(socket: WebSocket) -> None:
    """Serve one connection; any number may subscribe."""
    await _Conversation(house_of(socket), socket).run()
