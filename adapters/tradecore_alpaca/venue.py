"""Opening the venue: addresses and keys from the settings, one HTTP client for everything, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx

from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore.ports.venue import Venue
from tradecore.settings import BrokerSettings, Settings
from tradecore_alpaca.breaker import Trip
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.budget import Pace
from tradecore_alpaca.channel import UNGUARDED, Guards
from tradecore_alpaca.http import Timeouts
from tradecore_alpaca.keys import Keys, make_keys
from tradecore_alpaca.market_data import AlpacaMarketData
from tradecore_alpaca.urls import Urls, check_environment, resolve_urls
from tradecore_alpaca.websocket import Connect, open_socket

_CONNECTIONS = 20


def open_venue(settings: object) -> AbstractAsyncContextManager[Venue]:
    """The venue of these `Settings`. Raises `ConfigurationError` at once for wrong addresses or missing keys."""
    assert isinstance(settings, Settings)
    urls = resolve_urls(settings.broker)
    check_environment(settings.api_base_url, urls)
    keys = make_keys(settings.api_key_id, settings.api_secret_key)
    return connect(settings, urls, keys, guards=guards_of(settings.broker))


@asynccontextmanager
async def connect(
    settings: Settings,
    urls: Urls,
    keys: Keys,
    *,
    clock: Clock | None = None,
    rng: Rng | None = None,
    guards: Guards = UNGUARDED,
    name: str = "alpaca",
) -> AsyncIterator[Venue]:
    """A venue at these addresses, of Alpaca or of whoever speaks its protocol; system clock and chance by default.

    Without `guards`, requests are not paced and never held up.
    """
    from tradecore.runner.system import SystemClock, SystemRng

    async with make_client() as http:
        clock, rng = clock or SystemClock(), rng or SystemRng()
        yield make_venue(settings, http, urls, keys, clock, rng, guards=guards, name=name)


def guards_of(broker: BrokerSettings) -> Guards:
    """Pace and breaker as the settings want them; zero turns either off."""
    per_minute, failures = broker.requests_per_minute, broker.breaker_failures
    pace = Pace(per_minute, broker.request_patience_s) if per_minute else None
    trip = Trip(failures, broker.breaker_window_s, broker.breaker_open_s) if failures else None
    return Guards(pace, trip)


def make_client() -> httpx.AsyncClient:
    """An HTTP client that repeats nothing, follows nothing, and takes nothing from the environment."""
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(
            retries=0, trust_env=False, limits=httpx.Limits(max_connections=_CONNECTIONS)
        ),
        trust_env=False,
        follow_redirects=False,
    )


def make_venue(
    settings: Settings,
    http: httpx.AsyncClient,
    urls: Urls,
    keys: Keys,
    clock: Clock,
    rng: Rng,
    *,
    socket: Connect = open_socket,
    guards: Guards = UNGUARDED,
    name: str = "alpaca",
) -> Venue:
    """Broker and market data over a given client; nothing is connected yet, and the client stays the caller's."""
    timeouts = Timeouts(settings.broker.connect_timeout_s, settings.broker.read_timeout_s)
    budget_s = settings.broker.unreachable_after_s
    broker = AlpacaBroker(
        http,
        urls,
        keys,
        clock,
        rng,
        timeouts=timeouts,
        budget_s=budget_s,
        connect=socket,
        guards=guards,
        replay_events=settings.broker.replay_events,
        name=name,
    )
    data = AlpacaMarketData(http, urls, keys, clock, rng, timeouts=timeouts, budget_s=budget_s, connect=socket)
    return Venue(broker, data)
