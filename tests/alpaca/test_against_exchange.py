"""The adapter against the exchange: another implementation of the same protocol, over real HTTP and WebSocket."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import anyio
import attrs
import httpx
import pytest
from pydantic import SecretStr

from tests.alpaca.standing import REQUEST
from tests.exchange.play import Play, small_floor
from tradecore.domain.values import Bar, OrderStatus, OrderType, Side
from tradecore.errors import AlreadyExists, BrokerRefused, BrokerUnauthorized, NotSent, OutcomeUnknown
from tradecore.ports.broker import OrderReport, OrderRequest, Report, StreamConnected, UnknownReport
from tradecore.ports.market_data import DataConnected
from tradecore.ports.venue import Venue
from tradecore.runner.system import SystemClock, SystemRng
from tradecore.settings import BrokerSettings, Settings
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import connect, make_venue
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeServer

pytestmark = pytest.mark.anyio

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MARKET = attrs.evolve(REQUEST, symbol="AAPL", quantity=Decimal(10), order_type=OrderType.MARKET, limit_price=None)
PATIENT = attrs.evolve(MARKET, order_type=OrderType.LIMIT, limit_price=Decimal("1.01"), client_order_id="tc-patient")


@pytest.fixture
def play() -> Iterator[Play]:
    with ExchangeServer(small_floor()) as server, Play(server) as play:
        yield play


def settings(play: Play) -> Settings:
    return Settings(broker=BrokerSettings(**play.server.urls, connect_timeout_s=1, read_timeout_s=1))


@pytest.fixture
async def venue(play: Play) -> AsyncIterator[Venue]:
    keys = make_keys(SecretStr(DEFAULT_KEY), SecretStr(DEFAULT_SECRET))
    async with connect(settings(play), resolve_urls(settings(play).broker), keys) as venue:
        yield venue


async def submitted(play: Play, venue: Venue, request: OrderRequest) -> str:
    play.advance()
    order = await venue.broker.submit(request)
    assert order.status is OrderStatus.PENDING_NEW
    return order.broker_order_id


async def test_an_order_from_submit_to_position(play: Play, venue: Venue) -> None:
    broker = venue.broker
    cash = (await broker.account()).cash
    order_id = await submitted(play, venue, MARKET)
    play.advance(5)
    for order in (await broker.order(order_id), await broker.order_by_client_id("tc-1")):
        assert order is not None
        assert (order.status, order.filled_qty, order.side) == (OrderStatus.FILLED, Decimal(10), Side.BUY)
    assert [order.broker_order_id for order in (await broker.orders_since(LONG_AGO)).orders] == [order_id]
    page = await broker.fills_since(LONG_AGO)
    assert page.unreadable == ()
    assert sum(fill.quantity for fill in page.fills) == page.fills[-1].cumulative_qty == Decimal(10)
    (position,) = await broker.positions()
    assert (position.symbol, position.quantity) == ("AAPL", Decimal(10))
    assert (await broker.account()).cash == cash - sum(fill.quantity * fill.price for fill in page.fills)


async def test_account_assets_and_clock(play: Play, venue: Venue) -> None:
    account = await venue.broker.account()
    assert account.paper
    assert not account.trading_blocked
    assert {asset.symbol for asset in await venue.broker.assets()} == {"AAPL", "MSFT"}
    assert (await venue.broker.now()).utcoffset() == dt.timedelta(0)


async def test_cancel_and_its_refusals(play: Play, venue: Venue) -> None:
    order_id = await submitted(play, venue, PATIENT)
    play.advance()
    await venue.broker.cancel(order_id)
    play.advance()
    order = await venue.broker.order(order_id)
    assert order is not None
    assert order.status is OrderStatus.CANCELED
    filled_id = await submitted(play, venue, MARKET)
    play.advance(5)
    for unknown in (filled_id, "3795cafe-fd54-4f66-a31e-66774be875ca"):
        with pytest.raises(BrokerRefused):
            await venue.broker.cancel(unknown)
    assert await venue.broker.order("3795cafe-fd54-4f66-a31e-66774be875ca") is None
    assert await venue.broker.order_by_client_id("tc-never") is None


async def test_a_second_order_under_one_id(play: Play, venue: Venue) -> None:
    await submitted(play, venue, MARKET)
    with pytest.raises(AlreadyExists):
        await venue.broker.submit(MARKET)
    assert len((await venue.broker.orders_since(LONG_AGO)).orders) == 1


@pytest.mark.parametrize("after_accept", [True, False])
@pytest.mark.parametrize(
    "kind",
    ["empty_200", "garbage_200", "hang", "http_500", "http_502", "http_503", "http_504", "redirect_302", "reset"],
)
async def test_after_every_fault_the_look_up_tells_the_truth(
    play: Play, venue: Venue, kind: str, after_accept: bool
) -> None:
    play.advance()
    play.arm(kind, after_accept=after_accept)
    with pytest.raises(OutcomeUnknown):
        await venue.broker.submit(MARKET)
    found = await venue.broker.order_by_client_id("tc-1")
    assert (found is not None) == after_accept
    judged = play.judge()
    assert len(judged["orders"]) == int(after_accept)
    assert judged["posts"] == {"tc-1": 1}


async def test_a_rate_limit(play: Play, venue: Venue) -> None:
    play.advance()
    play.arm("http_429")
    with pytest.raises(NotSent):
        await venue.broker.submit(MARKET)
    assert play.judge()["orders"] == []


async def test_wrong_keys_everywhere(play: Play) -> None:
    keys = make_keys(SecretStr("another"), SecretStr("pair"))
    async with httpx.AsyncClient(trust_env=False) as http:
        venue = make_venue(settings(play), http, resolve_urls(settings(play).broker), keys, SystemClock(), SystemRng())
        with pytest.raises(BrokerUnauthorized):
            await venue.broker.account()
        with pytest.raises(BrokerUnauthorized):
            await venue.broker.submit(MARKET)
        with pytest.raises(BrokerUnauthorized):
            await anext(venue.broker.reports())
        with pytest.raises(BrokerUnauthorized):
            await anext(venue.market_data.bars(["AAPL"]))


async def until_filled(reports: AsyncIterator[Report]) -> list[Report]:
    seen = []
    with anyio.fail_after(10):
        async for report in reports:
            seen.append(report)
            if isinstance(report, OrderReport) and report.order.status is OrderStatus.FILLED:
                break
    return seen


async def test_the_stream_and_the_record_tell_the_same_fills(play: Play, venue: Venue) -> None:
    reports = venue.broker.reports()
    assert await anext(reports) == StreamConnected()
    await submitted(play, venue, MARKET)
    play.advance(5)
    seen = await until_filled(reports)
    await reports.aclose()  # type: ignore[attr-defined]
    assert all(isinstance(report, OrderReport) for report in seen)
    streamed = [report.fill for report in seen if isinstance(report, OrderReport) and report.fill is not None]
    recorded = (await venue.broker.fills_since(LONG_AGO)).fills
    what = [(fill.broker_order_id, fill.cumulative_qty, fill.quantity, fill.price) for fill in streamed]
    assert what == [(fill.broker_order_id, fill.cumulative_qty, fill.quantity, fill.price) for fill in recorded]


@pytest.mark.parametrize("kind", ["unknown_event", "unknown_status", "non_json", "null_field"])
async def test_an_update_that_cannot_be_read_is_parked(play: Play, venue: Venue, kind: str) -> None:
    reports = venue.broker.reports()
    await anext(reports)
    await submitted(play, venue, MARKET)
    play.arm(kind, **({"field": "symbol"} if kind == "null_field" else {}))
    play.advance(5)
    with anyio.fail_after(10):
        while not isinstance(await anext(reports), UnknownReport):
            pass
    await reports.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["stream_drop", "stream_abort"])
async def test_the_stream_comes_back(play: Play, venue: Venue, kind: str) -> None:
    reports = venue.broker.reports()
    assert await anext(reports) == StreamConnected()
    play.arm(kind)
    with anyio.fail_after(10):
        while await anext(reports) != StreamConnected():
            pass
    await submitted(play, venue, MARKET)
    play.advance(5)
    assert await until_filled(reports)
    await reports.aclose()  # type: ignore[attr-defined]


async def test_bars_as_they_close_and_as_they_closed(play: Play, venue: Venue) -> None:
    bars = venue.market_data.bars(["AAPL", "MSFT"])
    assert await anext(bars) == DataConnected()
    play.advance(3)
    told: list[Bar] = []
    with anyio.fail_after(10):
        while len(told) < 6:
            bar = await anext(bars)
            assert isinstance(bar, Bar)
            told.append(bar)
    await bars.aclose()  # type: ignore[attr-defined]
    first, last = told[0].start, told[-1].start
    read = await venue.market_data.history(["AAPL", "MSFT"], first, last + dt.timedelta(minutes=1))
    assert sorted(told, key=lambda bar: (bar.start, bar.symbol)) == list(read)
    assert {bar.start for bar in await venue.market_data.history(["AAPL"], first, last)} == {
        bar.start for bar in told
    } - {last}
