"""The exchange as a venue: started here on a loopback port, or attached to where `broker.base_url` says one runs.

Everything but the replay control goes through the Alpaca adapter, over real HTTP and WebSocket.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import attrs
from pydantic import SecretStr

from tradecore.domain.values import Bar
from tradecore.errors import BrokerUnreachable, ConfigurationError
from tradecore.ports.venue import Venue
from tradecore.settings import Settings
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import connect, make_client
from tradecore_bars import read_bars, seeded_bars
from tradecore_exchange.floor import Floor
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.replay_control import ReplayControl
from tradecore_exchange.server import ExchangeServer
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET
from tradecore_exchange.store import AnotherMarket, Store

_BUILT_IN_SYMBOLS = ("AAA", "BBB")
_RETRY_S = 0.25
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def open_venue(settings: object) -> AbstractAsyncContextManager[Venue]:
    """The venue of these `Settings`, whose market is read now and not first when it opens.

    Raises `ConfigurationError` for addresses that are not on this machine, `InputError` for bars that are none.
    """
    assert isinstance(settings, Settings)
    if not settings.broker.base_url:
        return _embedded(settings, *market_of(settings))
    resolve_urls(settings.broker)
    if urlsplit(settings.broker.base_url).hostname not in _LOOPBACK:
        raise ConfigurationError("broker.base_url: an exchange is on this machine (127.0.0.1); for others use alpaca")
    return _connected(settings)


@asynccontextmanager
async def _embedded(settings: Settings, symbols: list[str], bars: list[Bar], source: str) -> AsyncIterator[Venue]:
    """An exchange of this process, whose books live beside the ledger, so that both survive a kill together."""
    with ExchangeServer(floor_of(settings, symbols, bars, source)) as server:
        section = settings.broker.model_copy(update=server.urls)
        async with _connected(settings.model_copy(update={"broker": section})) as venue:
            yield venue


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Venue]:
    """An exchange that runs already, on this machine."""
    key = settings.api_key_id.get_secret_value() or DEFAULT_KEY
    secret = settings.api_secret_key.get_secret_value() or DEFAULT_SECRET
    urls = resolve_urls(settings.broker)
    async with (
        make_client() as http,
        connect(settings, urls, make_keys(SecretStr(key), SecretStr(secret)), name="exchange") as venue,
    ):
        control = ReplayControl(http, urls.base_url, key, secret)
        told = await _wait_for(control, settings.broker.unreachable_after_s)
        if told is None:
            raise BrokerUnreachable(f"broker.base_url: no exchange answers at {urls.base_url}")
        replay = control if told.get("speed") is None else None
        yield attrs.evolve(venue, replay=replay, symbols=tuple(told["symbols"]))


async def _wait_for(control: ReplayControl, patience_s: float) -> dict[str, Any] | None:
    """What the exchange says of itself, as soon as it does."""
    with anyio.move_on_after(patience_s):
        while True:
            told = await control.describe()
            if told is not None:
                return told
            await anyio.sleep(_RETRY_S)
    return None


def floor_of(settings: Settings, symbols: list[str], bars: list[Bar], source: str) -> Floor:
    """The floor on its store. Raises `ConfigurationError` naming the settings that made another market of it."""
    store, options = _store(settings), ExchangeOptions(seed=settings.market_data.seed)
    try:
        return Floor(symbols, bars, source=source, options=options, store=store)
    except AnotherMarket:
        store.close()
        raise ConfigurationError(
            f"market_data: {store.path} was begun with other bars, symbols or seed: start with the same ones as "
            "before, or name another --ledger"
        ) from None
    except ConfigurationError as error:
        store.close()
        raise ConfigurationError(
            f"market_data: {error} ({store.path}): start with at least as many days as before and the same seed, or "
            "name another --ledger"
        ) from None


def market_of(settings: Settings) -> tuple[list[str], list[Bar], str]:
    """Symbols, bars, and what the bars are in words, without the number of days: a longer market goes on."""
    chosen = settings.market_data
    if not chosen.bars:
        names = list(chosen.symbols or _BUILT_IN_SYMBOLS)
        return names, list(seeded_bars(names, chosen.days, chosen.seed)), f"seeded {chosen.seed}"
    path = Path(chosen.bars)
    bars = read_bars(path, chosen.symbols or None)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return sorted({bar.symbol for bar in bars}), bars, f"file {digest}"


def _store(settings: Settings) -> Store:
    """The exchange's own books: beside the ledger's file, or in memory where the ledger is."""
    if settings.ledger == "memory:":
        return Store(None)
    # A ledger on a server has no file to lie beside: then the books are in the current directory.
    path = settings.ledger.removeprefix("sqlite:///")
    ledger = Path("tradecore.db") if path == settings.ledger else Path(path)
    return Store(ledger.with_name(f"{ledger.stem}.exchange{ledger.suffix or '.db'}"))
