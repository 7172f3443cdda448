"""Paper trading opened from settings: one process, no port, books that outlive it."""

from __future__ import annotations

import socket
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tests.alpaca.standing import REQUEST
from tradecore.domain.values import Bar, OrderStatus, OrderType
from tradecore.errors import AlreadyExists, ConfigurationError, InputError
from tradecore.ports.broker import EVER
from tradecore.ports.market_data import DataConnected
from tradecore.ports.venue import OpenVenue, Venue
from tradecore.settings import MarketDataSettings, Settings
from tradecore_exchange.instants import as_datetime
from tradecore_paper.venue import open_venue

pytestmark = pytest.mark.anyio

MARKET = attrs.evolve(REQUEST, order_type=OrderType.MARKET, limit_price=None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def settings(ledger: str = "memory:", **market: object) -> Settings:
    return Settings(ledger=ledger, market_data=MarketDataSettings(days=1, symbols=("KO", "AAPL"), **market))


async def advance(venue: Venue, steps: int) -> None:
    assert venue.replay is not None
    for _ in range(steps):
        await venue.replay.advance()


async def test_a_market_that_moves_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", None)
    opener: OpenVenue = open_venue
    async with opener(settings()) as venue:
        assert (venue.broker.name, venue.symbols) == ("paper", ("AAPL", "KO"))
        assert venue.replay is not None
        before = await venue.replay.state()
        bars = venue.market_data.bars(["KO"])
        assert await anext(bars) == DataConnected()
        after = await venue.replay.advance()
        assert (after.steps, after.done, after.symbols) == (before.steps + 1, False, ("AAPL", "KO"))
        bar = await anext(bars)
        assert isinstance(bar, Bar)
        await bars.aclose()  # type: ignore[attr-defined]
        assert await venue.market_data.history(["KO"], bar.start, after.time) == (bar,)
        assert await venue.market_data.history(["KO"], after.time, after.time) == ()
        assert await venue.broker.now() >= after.time > as_datetime(0)
        await advance(venue, after.total - after.steps if after.total else 0)
        assert (await venue.replay.state()).done
        assert (await venue.replay.advance()).symbols == ()


async def test_its_books_outlive_the_process(tmp_path: Path) -> None:
    ledger = f"sqlite:///{tmp_path / 'tradecore.db'}"
    async with open_venue(settings(ledger)) as venue:
        await advance(venue, 3)
        order = await venue.broker.submit(MARKET)
        await advance(venue, 3)
        held = await venue.broker.positions()
        assert [one.quantity for one in held] == [Decimal("1.5")]
    async with open_venue(settings(ledger)) as venue:
        again = await venue.broker.order(order.broker_order_id)
        assert again is not None
        assert again.status is OrderStatus.FILLED
        assert await venue.broker.positions() == held
        assert len((await venue.broker.fills_since(EVER)).fills) == 1
        with pytest.raises(AlreadyExists):
            await venue.broker.submit(MARKET)
    with pytest.raises(ConfigurationError):
        async with open_venue(settings(ledger, seed=8)):
            pass


def test_bars_that_are_none_are_named_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises((InputError, ConfigurationError)):
        open_venue(settings(bars=str(tmp_path / "missing.csv")))
