"""`/stream`: trade updates as they happen, without replay. The client speaks first."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import anyio
import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.codec import decode, speaks_msgpack
from tradecore_exchange.house import House, house_of
from tradecore_exchange.service import Service
from tradecore_exchange.trade_hub import Cut, Freeze, TradeConnection
from tradecore_exchange.trade_record import still_new
from tradecore_exchange.wire import trade_update_json

JSON = Any

_GOING_AWAY = 1001
_POLICY = 1008
# Without a closing frame the code is 1005 or 1006: nobody said goodbye.
_GOODBYES = frozenset({1000, 1001})


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
    """One socket from greeting to goodbye. It belongs to no account before it has authenticated."""

    def __init__(self, house: House, socket: WebSocket) -> None:
        self.house = house
        self.socket = socket
        self.service: Service | None = None
        self.connection = TradeConnection()
        self.politely = False
        self.msgpack = speaks_msgpack(socket)
        self.text = house.host.serving.text_frames or socket.query_params.get("frames") == "text"

    async def run(self) -> None:
        # Whose connection it will be is not yet known: faults of the beginning are those of the first account.
        faults = self.house.first.faults
        refusal = faults.for_connection(kinds.AT_UPGRADE)
        if refusal is not None or all(service.trades.is_full for service in self.house.services):
            status = 404 if refusal is not None and refusal.kind == "upgrade_404" else 429
            await self.socket.send_denial_response(Response(status_code=status))
            return
        await self.socket.accept()
        if faults.for_connection(kinds.AT_START) is not None:
            self._say({"stream": "greeting", "data": {"msg": "connected"}})
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send_all)
                await self._receive_all()
                tasks.cancel_scope.cancel()
        finally:
            if self.service is not None:
                self.service.trades.leave(self.connection, politely=self.politely)

    async def _receive_all(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                self.politely = self.politely or message.get("code") in _GOODBYES
                return
            body = decode(message)
            if body is None:
                continue
            credentials = _credentials(body)
            if credentials is not None:
                self._authorize(*credentials)
            elif self.service is None:
                self._say_unauthorized(str(body.get("action", "")))
            elif body.get("action") == "listen":
                self._listen(self.service, _listening(body))

    def _authorize(self, key: JSON, secret: JSON) -> None:
        service = self.house.find(key, secret)
        strike = (service or self.house.first).faults.for_connection(kinds.AT_AUTHENTICATION)
        if strike is not None and strike.kind == "auth_mute":
            return
        if service is None or strike is not None:
            self.connection.listening = False
            self._say_unauthorized("authenticate")
            return
        if self.service is None:
            if service.trades.is_full:
                self.connection.queue.put_nowait(Cut.CLOSE)
                return
            self.service = service
            service.trades.enter(self.connection)
        self._say({"stream": "authorization", "data": {"action": "authenticate", "status": "authorized"}})

    def _listen(self, service: Service, streams: list[str]) -> None:
        self.connection.listening = bool(streams)
        self._say({"stream": "listening", "data": {"streams": streams}})
        if streams and service.faults.for_connection(kinds.AT_LISTENING) is not None:
            for update in still_new(service.floor):
                self._say(trade_update_json(update))

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
                match await self.connection.queue.get():
                    case Cut() as cut:
                        await self._cut(cut)
                        return
                    case Freeze(ms=ms):
                        await self._freeze(ms)
                    case frame:
                        await self._send(frame)

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
            self.house.host.abort(self.socket.scope)
        else:
            self.politely = True
            await self.socket.close(_GOING_AWAY if self.service is not None else _POLICY)

    async def _freeze(self, ms: int) -> None:
        """A peer that is there and does nothing: pings are not answered either."""
        self.house.host.freeze(self.socket.scope, True)
        try:
            await asyncio.sleep(ms / 1_000)
        finally:
            self.house.host.freeze(self.socket.scope, False)


async def trade_stream(socket: WebSocket) -> None:
    """Serve one connection; how many may listen is the exchange's policy."""
    await _Conversation(house_of(socket), socket).run()
