"""The exchange on a port: its own thread, its own event loop, gone when told to go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, MutableMapping
from types import TracebackType
from typing import Any

import uvicorn

from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.app import create_app
from tradecore_exchange.floor import Floor
from tradecore_exchange.house import House
from tradecore_exchange.pacing import keep_pace
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET, Service
from tradecore_exchange.serving import Serving

Scope = MutableMapping[str, Any]

_START_S = 10.0
_STOP_POLITE_S = 0.6
_RESET = struct.pack("ii", 1, 0)


class _Server(uvicorn.Server):
    """uvicorn, telling when it is ready and able to break a connection."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def abort(self, scope: Scope) -> None:
        """Reset the TCP connection behind a request: nothing more is sent, not even a goodbye."""
        for transport in self._transports(scope):
            wire = transport.get_extra_info("socket")
            if wire is not None:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()

    def freeze(self, scope: Scope, frozen: bool) -> None:
        """Stop reading from the TCP connection behind a request, or go on."""
        for transport in self._transports(scope):
            if transport.is_closing():
                continue
            if frozen:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def _transports(self, scope: Scope) -> Iterator[asyncio.Transport]:
        for protocol in list(self.server_state.connections):
            transport: asyncio.Transport | None = getattr(protocol, "transport", None)
            if transport is not None and getattr(protocol, "client", None) == scope["client"]:
                yield transport


class ExchangeServer:
    """A floor behind HTTP and WebSocket on the loopback interface; also a context manager.

    `port` 0 takes a free one. `speed` lets the market move by itself, that many times as fast as its own time; None
    waits for `POST /_ctl/advance`. `serving` and `accounts` are as `create_app` takes them. All floors are
    closed with the server.

    Raises:
        OSError: on start, when the port is taken.
    """

    def __init__(
        self,
        floor: Floor,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: str = DEFAULT_KEY,
        secret: str = DEFAULT_SECRET,
        speed: float | None = None,
        serving: Serving | None = None,
        accounts: Iterable[AccountEntry] = (),
    ) -> None:
        self.floor = floor
        self.key, self.secret = key, secret
        self.host, self._port, self._speed = host, port, speed
        app = create_app(floor, key=key, secret=secret, serving=serving, accounts=accounts)
        self.house: House = app.state.house
        self.house.host.speed = speed
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=0,
            ws_ping_interval=None,
        )
        self._server = _Server(config)
        self.house.host.abort = self._server.abort
        self.house.host.freeze = self._server.freeze
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def service(self) -> Service:
        """The first account."""
        return self.house.first

    @property
    def port(self) -> int:
        """The bound port; zero before the start when none was chosen."""
        return self._port

    @property
    def base_url(self) -> str:
        """For trading clients: no path, no slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def data_url(self) -> str:
        """For historical data clients; the same server."""
        return self.base_url

    @property
    def stream_url(self) -> str:
        """For trade updates."""
        return f"ws://{self.host}:{self.port}/stream"

    @property
    def data_stream_url(self) -> str:
        """For bars and quotes."""
        return f"ws://{self.host}:{self.port}/v2/iex"

    @property
    def urls(self) -> dict[str, str]:
        """All four, by name."""
        names = ("base_url", "data_url", "stream_url", "data_stream_url")
        return {name: getattr(self, name) for name in names}

    def start(self) -> ExchangeServer:
        """Bind, serve, and return when the first request can be answered."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self.host, self._port))
        except OSError:
            self._socket.close()
            raise
        self._port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="tradecore-exchange", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_S) or self._failure is not None:
            raise RuntimeError("the exchange did not start") from self._failure
        return self

    def stop(self) -> None:
        """End every connection and the thread within a second, and close the floor; again does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._server.should_exit = True
        thread.join(_STOP_POLITE_S)
        self._server.force_exit = True
        thread.join()
        self.house.close()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the server has ended by itself; True when it has."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def __enter__(self) -> ExchangeServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- handed to whoever waits for the start
            self._failure = error
        finally:
            self._server.ready.set()

    async def _serve(self) -> None:
        assert self._socket is not None, "started by start()"
        pace = None if self._speed is None else asyncio.create_task(keep_pace(self.house, self._speed))
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            if pace is not None:
                pace.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pace
