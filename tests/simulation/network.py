"""The way to the exchange, without sockets: requests and messages as bytes, late, lost or cut where the seed says."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import random
from collections.abc import Mapping, MutableMapping
from typing import Any, cast
from urllib.parse import unquote, urlencode, urlsplit

import attrs
import httpx
from starlette.applications import Starlette

from tests.simulation.hosts import HOST, Host, Killed
from tests.simulation.loop import SimulatedLoop
from tradecore_alpaca.http import FIRST_BYTE

Scope = MutableMapping[str, Any]


@attrs.define(eq=False)
class Link:
    """The network of one machine. `mode` is what becomes of requests: '', 'refuse', 'lose_request', 'lose_answer'."""

    mode: str = ""
    slow_s: float = 0.0


@attrs.define(eq=False)
class Request:
    """A request as the network carries it."""

    method: str
    path: str
    query: bytes
    headers: dict[str, str]
    body: bytes


@attrs.define(eq=False)
class Reply:
    """An answer as the adapter reads it."""

    status_code: int
    headers: dict[str, str]
    content: bytes


@attrs.define(eq=False)
class Exchange:
    """One HTTP exchange that is under way."""

    host: Host
    answer: asyncio.Future[Reply]
    gone: asyncio.Event


class Network:
    """Everything between the processes and the exchange."""

    def __init__(self, loop: SimulatedLoop, seed: int) -> None:
        self.loop = loop
        self.rng = random.Random(f"network:{seed}")
        self.server = Host("exchange")
        self.context = contextvars.copy_context()  # what is on the way does not end with who sent it
        self.context.run(HOST.set, self.server)
        self.app: Starlette | None = None
        self.under_way: dict[int, Exchange] = {}
        self.sockets: dict[int, Any] = {}
        self._ports = 10_000

    def port(self) -> int:
        """A client's address: a port that nobody had before."""
        self._ports += 1
        return self._ports

    def latency_s(self, link: Link) -> float:
        """Seconds on the way: mostly a few milliseconds."""
        draw = self.rng.random()
        return link.slow_s * draw + (0.001 + 0.01 * draw if draw < 0.97 else draw * 0.4)

    def abort(self, scope: Scope) -> None:
        """Reset the connection behind a request."""
        port = scope["client"][1]
        if (exchange := self.under_way.get(port)) is not None:
            if not exchange.answer.done():
                exchange.answer.set_exception(httpx.ReadError("connection reset by peer"))
        elif (socket := self.sockets.get(port)) is not None:
            socket.cut("reset by peer")

    def freeze(self, scope: Scope, frozen: bool) -> None:
        """A server that does not read nor write for a while."""
        socket = self.sockets.get(scope["client"][1])
        if socket is not None:
            socket.hold(frozen)

    def forget(self, host: Host) -> None:
        """A process ended: its connections are closed by its machine."""
        for exchange in self.under_way.values():
            if exchange.host is host:
                exchange.gone.set()
        for socket in list(self.sockets.values()):
            if socket.host is host:
                socket.cut("its process ended")


class Wire(httpx.AsyncClient):
    """The HTTP client of one process, as far as the adapter uses one: what `httpx` does to bytes is left out."""

    def __init__(self, network: Network, host: Host, link: Link, watcher: Any) -> None:
        self._network = network
        self._host = host
        self._link = link
        self._watcher = watcher

    async def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str],
        auth: httpx.Auth,
        timeout: httpx.Timeout,  # noqa: ASYNC109 - as httpx has it
        extensions: Mapping[str, Any] | None = None,
        **_: object,
    ) -> Reply:
        """Send a request and wait for its answer. Raises as `httpx` does."""
        if self._host.is_dead:
            raise Killed(self._host.name)
        if extensions is not None:
            await extensions["trace"](FIRST_BYTE, {})
        request = Request(method, _path_of(url), urlencode(params or {}).encode(), dict(headers), content or b"")
        next(auth.auth_flow(cast("httpx.Request", request)))
        self._watcher(self._host, method, request.path, request.body or request.query)
        network, link = self._network, self._link
        if link.mode == "refuse":
            await asyncio.sleep(network.latency_s(link))
            raise httpx.ConnectError("connection refused")
        port = network.port()
        exchange = Exchange(self._host, network.loop.create_future(), asyncio.Event())
        network.under_way[port] = exchange
        if link.mode != "lose_request":
            network.loop.start(network.server, _serve(network, exchange, request, port, link))
        try:
            async with asyncio.timeout(timeout.read):
                return await exchange.answer
        except TimeoutError:
            raise httpx.ReadTimeout("nothing came") from None
        finally:
            exchange.gone.set()
            network.under_way.pop(port, None)


@functools.lru_cache(maxsize=10_000)
def _path_of(url: str) -> str:
    return urlsplit(url).path


async def _serve(network: Network, exchange: Exchange, request: Request, port: int, link: Link) -> None:
    await asyncio.sleep(network.latency_s(link))
    if exchange.host.is_dead and network.rng.random() < 0.5:
        return  # it never left the machine
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": request.query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
        "client": ("127.0.0.1", port),
        "server": ("exchange", 80),
    }
    pending = [{"type": "http.request", "body": request.body, "more_body": False}]
    started: dict[str, Any] = {}
    content: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if pending:
            return pending.pop()
        await exchange.gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
            return
        content.append(message.get("body", b""))
        if not message.get("more_body", False) and link.mode != "lose_answer":
            headers = {name.decode(): value.decode() for name, value in started["headers"]}
            told = Reply(started["status"], headers, b"".join(content))
            network.loop.call_later(network.latency_s(link), _settle, exchange.answer, told)

    assert network.app is not None, "the exchange is open"
    await network.app(scope, receive, send)


def _settle(answer: asyncio.Future[Any], told: Any) -> None:
    if not answer.done():
        answer.set_result(told)
