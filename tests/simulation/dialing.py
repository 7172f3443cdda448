"""TCP in memory below the shipped HTTP client: what goes over it is real HTTP/1.1, late, lost or cut off."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import functools
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from importlib import metadata
from types import SimpleNamespace
from typing import Any

from httpcore._async import http11
from httpx._transports import default as transports

from tests.simulation.hosts import HOST, Host, Killed
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Link, Network
from tradecore.runner import plugins

Server = Callable[["Connection"], Coroutine[Any, Any, None]]
_LONG_S = 3_600.0


class Connection(asyncio.Transport):
    """One connection: a transport for the process that dialled, and bytes in and out for the server."""

    def __init__(self, dialer: Dialer, process: Host, link: Link, protocol: Any, port: int) -> None:
        super().__init__()
        self.process = process
        self.port = port
        self.call: Any = None
        """What the client asks for just now, for whoever watches."""
        self._dialer = dialer
        self._link = link
        self._protocol = protocol
        self._to_server: asyncio.Queue[bytes] = asyncio.Queue()
        self._last = [0.0, 0.0]
        self._is_closing = self.is_at_end = False
        self._mute = [False, False]

    # --- the client's side ------------------------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Send bytes. A stream that loses some never goes on."""
        if self.process.is_dead:
            raise Killed(self.process.name)
        self._dialer.watch(self, bytes(data))
        self._mute[1] |= self._link.mode in ("refuse", "lose_request")
        if not (self._is_closing or self._mute[1]):
            self._later(1, self._to_server.put_nowait, bytes(data))

    def close(self) -> None:
        """Say goodbye."""
        if not self._is_closing:
            self._is_closing = True
            self._later(1, self._to_server.put_nowait, b"")
            self._dialer.loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._is_closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket, of which the client asks where it leads, and whether there is something to read."""
        return _Socket(self) if name == "socket" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is room for everything."""

    def pause_reading(self) -> None:
        """The protocol keeps what comes."""

    def resume_reading(self) -> None:
        """The protocol keeps what comes."""

    # --- the server's side ------------------------------------------------------------------------------------------

    async def receive(self) -> bytes:
        """What the client sent; nothing once it is gone."""
        return await self._to_server.get()

    def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        self._mute[0] |= self._link.mode != ""
        if not self._mute[0]:
            self._later(0, self._arrive, data)

    def end(self) -> None:
        """Close it, after what was sent."""
        self._later(0, self._arrive, b"")

    def reset(self) -> None:
        """Break it."""
        self._later(0, self._break)

    def forget(self) -> None:
        """The client's process is gone: its machine says so."""
        self._later(1, self._to_server.put_nowait, b"")

    def _arrive(self, data: bytes) -> None:
        if self._is_closing or self.is_at_end:
            return
        if data:
            self._protocol.data_received(data)
        else:
            self.is_at_end = True
            self._protocol.eof_received()

    def _break(self) -> None:
        if not self._is_closing:
            self._is_closing = self.is_at_end = True
            self._protocol.connection_lost(ConnectionResetError(errno.ECONNRESET, "connection reset by peer"))

    def _later(self, way: int, deliver: Callable[..., None], *given: Any) -> None:
        """In order, a little later."""
        network = self._dialer.network
        at = max(self._last[way], network.loop.time() + network.latency_s(self._link))
        self._last[way] = at
        network.loop.call_at(at, deliver, *given, context=self._dialer.context)


class _Socket:
    """What the client asks of a socket."""

    family = socket.AF_INET

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fileno(self) -> int:
        """Something without anything to read; no descriptor at all once the server has closed."""
        return -1 if self._connection.is_at_end else _quiet()

    def getsockname(self) -> tuple[str, int]:
        """Where it comes from."""
        return "10.0.0.9", 50_000

    def getpeername(self) -> tuple[str, int]:
        """Where it leads."""
        return "10.0.0.1", self._connection.port


class Dialer:
    """Opens connections to servers, which are known by their ports."""

    def __init__(self, network: Network, link_of: Callable[[Host], Link], watch: Callable[..., None]) -> None:
        self.network = network
        self.loop = network.loop
        self.host = Host("models")
        self.context = contextvars.copy_context()
        self.context.run(HOST.set, self.host)
        self.watch: Callable[[Connection, bytes], None] = watch
        self.servers: dict[int, Server] = {}
        self.refusing: set[int] = set()
        self._link_of = link_of
        self._open: list[Connection] = []

    async def connect(self, make: Callable[[], Any], _host: str, port: int, **_: object) -> tuple[Connection, Any]:
        """What the loop's `create_connection` is here. Raises `OSError`."""
        process = HOST.get()
        if process.is_dead:
            raise Killed(process.name)
        link = self._link_of(process)
        await asyncio.sleep(self.network.latency_s(link))
        if link.mode == "refuse" or port in self.refusing:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "connection refused")
        if link.mode:
            await asyncio.sleep(_LONG_S)
        protocol = make()
        connection = Connection(self, process, link, protocol, port)
        self._open.append(connection)
        protocol.connection_made(connection)
        self.loop.start(self.host, self.servers[port](connection))
        return connection, protocol

    def forget(self, process: Host) -> None:
        """A process ended."""
        for connection in [one for one in self._open if one.process is process]:
            self._open.remove(connection)
            connection.forget()


@functools.cache
def _quiet() -> int:
    """A descriptor with nothing to read."""
    return os.pipe()[0]


def virtual_http(loop: SimulatedLoop) -> Callable[[], None]:
    """Have idle connections age in virtual time, and spare what no process needs again; returns what puts it back."""
    _expect_goodbyes()
    patches: tuple[tuple[Any, str, Any], ...] = (
        (http11, "time", SimpleNamespace(monotonic=loop.time)),
        (transports, "create_ssl_context", _tls),
        (plugins, "entry_points", _entry_points),
    )
    rights = [vars(module)[name] for module, name, _ in patches]
    for module, name, value in patches:
        setattr(module, name, value)

    def restore() -> None:
        for (module, name, _), right in zip(patches, rights, strict=True):
            setattr(module, name, right)

    return restore


@functools.cache
def _expect_goodbyes() -> None:
    """What a killed process left waiting in its client says, when it is collected, that there is no loop any more."""
    hook = sys.unraisablehook

    def hear(said: Any) -> None:
        if "no running event loop" not in str(said.exc_value):
            hook(said)

    sys.unraisablehook = hear


_tls = functools.cache(vars(transports)["create_ssl_context"])
_entry_points = functools.cache(metadata.entry_points)
