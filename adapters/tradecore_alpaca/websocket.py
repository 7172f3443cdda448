"""One WebSocket: connected without redirects, proxies or logs, and closed at once when its reader leaves.

A redirect would hand the keys of the sign-in message to another host, and the library's debug log would print them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tradecore.errors import BrokerUnauthorized

_OPEN_TIMEOUT_S = 10.0
# A peer that is gone without a goodbye is noticed after the two together.
_PING_EVERY_S = 3.0
_PONG_WITHIN_S = 4.0
_CLOSE_S = 1.0
_QUEUE_FRAMES = 1024

_SILENT = logging.Logger("tradecore_alpaca.silent")  # not of the tree: nobody can turn it on
_SILENT.disabled = True


class SocketLostError(Exception):
    """Raised when a socket does not open, closes, or does not follow the protocol.

    `busy` asks for a long wait before the next try; `silent` means that the other side did not answer at all.
    """

    def __init__(self, reason: str, *, busy: bool = False, silent: bool = False) -> None:
        self.reason = reason
        self.busy = busy
        self.silent = silent
        super().__init__(reason)


class Socket(Protocol):
    """Messages in and out. Both raise `SocketLostError`."""

    async def recv(self) -> bytes:
        """The next message, text or binary, as bytes."""

    async def send(self, message: bytes) -> None:
        """Send a text message."""


Connect = Callable[[str], AbstractAsyncContextManager[Socket]]


class _ConnectDirectly(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def recv(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as closed:
            raise SocketLostError(f"closed: {closed}") from None

    async def send(self, message: bytes) -> None:
        try:
            await self._connection.send(message, text=True)
        except ConnectionClosed as closed:
            raise SocketLostError(f"closed: {closed}") from None


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[Socket]:
    """A connected socket. Raises `SocketLostError`, and `BrokerUnauthorized` for a 401 at the door."""
    connection = await _connect(url)
    try:
        yield _Socket(connection)
    finally:
        # However the reader leaves (also canceled), say goodbye for a second at most, then let go.
        with anyio.move_on_after(_CLOSE_S, shield=True):
            await connection.close()
        connection.transport.abort()


async def _connect(url: str) -> ClientConnection:
    try:
        return await _ConnectDirectly(
            url,
            proxy=None,
            compression=None,
            logger=_SILENT,
            open_timeout=_OPEN_TIMEOUT_S,
            ping_interval=_PING_EVERY_S,
            ping_timeout=_PONG_WITHIN_S,
            close_timeout=_CLOSE_S,
            max_queue=_QUEUE_FRAMES,
        )
    except InvalidStatus as refused:
        status = refused.response.status_code
        if status == 401:
            raise BrokerUnauthorized("HTTP 401: the stream does not accept the keys") from None
        raise SocketLostError(f"HTTP {status} instead of a stream", busy=status == 429) from None
    except (WebSocketException, OSError, TimeoutError, EOFError) as error:
        raise SocketLostError(f"{type(error).__name__}: {error}") from None
