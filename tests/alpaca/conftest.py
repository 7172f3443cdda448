"""What the tests of the Alpaca adapter share: servers, time that does not pass by itself, and a broker between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import anyio.lowlevel
import httpx
import pytest
from pydantic import SecretStr

from tests.alpaca.scene import Scene
from tests.alpaca.scripted_http import ScriptedHttp, scripted_http
from tests.alpaca.scripted_socket import ScriptedSocket, scripted_socket
from tests.alpaca.served import alpaca_venue, served
from tests.alpaca.standing import KEY_ID, NOW, SECRET, Standing
from tests.paper.staging import FloorStage, opened_floor
from tradecore.settings import BrokerSettings
from tradecore_alpaca.http import Timeouts
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import make_client


class StillClock:
    """Time that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_ns(self) -> int:
        return int(NOW.timestamp()) * 1_000_000_000

    def now(self) -> dt.datetime:
        return NOW

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await anyio.lowlevel.checkpoint()


class Highest:
    """Chance that always draws the highest number."""

    def uniform(self, low: float, high: float) -> float:
        return high


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedHttp]:
    async with scripted_http() as scripted:
        yield scripted


@pytest.fixture
async def socket() -> AsyncIterator[ScriptedSocket]:
    async with scripted_socket() as scripted:
        yield scripted


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client() as http:
        yield http


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def standing(
    server: ScriptedHttp, socket: ScriptedSocket, client: httpx.AsyncClient, clock: StillClock
) -> Standing:
    urls = resolve_urls(BrokerSettings(base_url=server.url, stream_url=socket.url, data_stream_url=socket.url))
    return Standing(
        server,
        socket,
        client,
        urls,
        make_keys(SecretStr(KEY_ID), SecretStr(SECRET)),
        clock,
        clock.slept,
        Highest(),
        Timeouts(connect_s=3.0, read_s=1.5),
    )


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    floor = opened_floor()
    async with served(floor) as url, alpaca_venue(url) as venue:
        yield Scene(FloorStage(venue.broker, floor), floor, url)
    floor.close()
