"""The endpoint on a port of 127.0.0.1, in the event loop of whoever opens it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import uvicorn

from tradecore_openai_endpoint.app import Endpoint


class _Server(uvicorn.Server):
    """uvicorn, telling when it is ready, without its signal handlers: those are the runner's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(endpoint: Endpoint, port: int = 0) -> AsyncIterator[str]:
    """Serve until the end of the block; gives the base URL for clients. `port` 0 takes a free one.

    Raises `OSError` when the port is taken.
    """
    taken = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        endpoint.app(),
        log_config=None,
        lifespan="off",
        ws="none",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [taken])
        try:
            await server.ready.wait()
            yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
