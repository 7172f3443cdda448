"""`/stream`: trade updates as they happen, without replay. The client speaks first."""

from __future__ import annotations

import contextlib
from typing import Any

import anyio
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradecore_exchange.codec import decode, speaks_msgpack
from tradecore_exchange.service import Service, service_of
from tradecore_exchange.trade_hub import Cut, TradeConnection

JSON = Any

_GOING_AWAY = 1001


def _credentials(message: dict[str, JSON]) -> tuple[JSON, JSON] | None:
    """Key and secret of either shape of authentication; None when the message is something else."""
    if message.get("action") == "authenticate":
        data = message.get("data")
        return (data.get("key_id"), data.get("secret_key")) if isinstance(data, dict) else (None, None)
    if message.get("action") == "auth":
        return message.get("key"), message.get("secret")
    return None


def _listening(message: dict[str, JSON]) -> list[str]:
    data = message.get("data")
    streams = data.get("streams") if isinstance(data, dict) else None
    return [name for name in streams if name == "trade_updates"] if isinstance(streams, list) else []


class _Conversation:
    """One socket from greeting to goodbye."""

    def __init__(self, service: Service, socket: WebSocket) -> None:
        self.service = service
        self.socket = socket
        self.connection = TradeConnection()
        self.msgpack = speaks_msgpack(socket)
        self.text = service.text_frames or socket.query_params.get("frames") == "text"

    async def run(self) -> None:
        await self.socket.accept()
        self.service.trades.connections.add(self.connection)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send_all)
                await self._receive_all()
                tasks.cancel_scope.cancel()
        finally:
            self.service.trades.connections.discard(self.connection)

    async def _receive_all(self) -> None:
        authorized = False
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            body = decode(message)
            if body is None:
                continue
            credentials = _credentials(body)
            if credentials is not None:
                authorized = self._authorize(credentials)
                if not authorized:
                    continue
            elif not authorized:
                self._say_unauthorized(str(body.get("action", "")))
            elif body.get("action") == "listen":
                streams = _listening(body)
                self.connection.listening = bool(streams)
                self._say({"stream": "listening", "data": {"streams": streams}})

    def _authorize(self, credentials: tuple[JSON, JSON]) -> bool:
        refused = self.service.faults.take("refuse_auth") is not None
        if refused or credentials != (self.service.key, self.service.secret):
            self._say_unauthorized("authenticate")
            self.connection.listening = False
            return False
        self._say({"stream": "authorization", "data": {"action": "authenticate", "status": "authorized"}})
        return True

    def _say_unauthorized(self, action: str) -> None:
        data = {"action": action, "status": "unauthorized", "message": "access key verification failed"}
        self._say({"stream": "authorization", "data": data})

    def _say(self, body: JSON) -> None:
        """Answers go through the queue too, so that they cannot overtake updates, nor be overtaken."""
        self.connection.queue.put_nowait(msgspec.json.encode(body))

    async def _send_all(self) -> None:
        # Starlette has two ways of saying that the client went while a frame was on its way to it.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                item = await self.connection.queue.get()
                if isinstance(item, Cut):
                    await self._cut(item)
                    return
                await self._send(item)

    async def _send(self, frame: bytes) -> None:
        if self.msgpack:
            with contextlib.suppress(msgspec.DecodeError):
                frame = msgspec.msgpack.encode(msgspec.json.decode(frame))
            await self.socket.send_bytes(frame)
        elif self.text:
            await self.socket.send_text(frame.decode())
        else:
            await self.socket.send_bytes(frame)

    async def _cut(self, how: Cut) -> None:
        self.connection.listening = False
        if how is Cut.ABORT:
            self.service.abort(self.socket.scope)
        else:
            await self.socket.close(_GOING_AWAY)


async def trade_stream(socket: WebSocket) -> None:
    """Serve one connection; any number may listen."""
    await _Conversation(service_of(socket), socket).run()
