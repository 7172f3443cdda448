"""The exchange behind real HTTP and WebSocket in the test's own event loop, so that a test may touch its floor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.lowlevel
import uvicorn
from pydantic import SecretStr

from tradecore.ports.venue import Venue
from tradecore.settings import BrokerSettings, Settings
from tradecore_alpaca.channel import UNGUARDED, Guards
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import connect
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, Floor, create_app

KEYS = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}


@asynccontextmanager
async def served(floor: Floor) -> AsyncIterator[str]:
    """The base address of a floor that is served here."""
    config = uvicorn.Config(
        create_app(floor), loop="asyncio", http="h11", ws="websockets-sansio", lifespan="off", log_config=None,
        log_level="critical", timeout_graceful_shutdown=0, ws_ping_interval=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started:
            await anyio.lowlevel.checkpoint()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await serving


@asynccontextmanager
async def alpaca_venue(base_url: str, guards: Guards = UNGUARDED, read_s: float = 5) -> AsyncIterator[Venue]:
    """The Alpaca adapter, connected to an exchange."""
    settings = Settings(broker=BrokerSettings(base_url=base_url, connect_timeout_s=2, read_timeout_s=read_s))
    keys = make_keys(SecretStr(DEFAULT_KEY), SecretStr(DEFAULT_SECRET))
    async with connect(settings, resolve_urls(settings.broker), keys, guards=guards) as venue:
        yield venue
