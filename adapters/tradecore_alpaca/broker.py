"""`tradecore.ports.broker.Broker` over Alpaca's Trading API."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator

import httpx
import msgspec
import structlog

from tradecore.errors import BrokerUnreachable, OutcomeUnknown, ProtocolError
from tradecore.ports.broker import (
    ActivityPage,
    Asset,
    BrokerAccount,
    BrokerOrder,
    BrokerPosition,
    FillPage,
    OrderPage,
    OrderRequest,
    ReplaceRequest,
    Report,
)
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore_alpaca.account_activities import read_activities_since
from tradecore_alpaca.activities import read_fills_since
from tradecore_alpaca.bodies import order_body, replace_body, suspend_body
from tradecore_alpaca.channel import UNGUARDED, Channel, Guards
from tradecore_alpaca.decode import decode_account, decode_asset, decode_clock, decode_position
from tradecore_alpaca.event_replay import EventReplay
from tradecore_alpaca.http import AlpacaHttp, Timeouts
from tradecore_alpaca.instructions import Instructions, path_segment
from tradecore_alpaca.json_text import read
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.order_json import decode_order
from tradecore_alpaca.orders import read_orders_since
from tradecore_alpaca.questions import Questions
from tradecore_alpaca.trade_stream import TradeStream
from tradecore_alpaca.urls import Urls
from tradecore_alpaca.websocket import Connect, open_socket

_log = structlog.get_logger(__name__)


class AlpacaBroker:
    """An account at Alpaca, or at whoever speaks its protocol. The HTTP client is given and not closed here."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: Urls,
        keys: Keys,
        clock: Clock,
        rng: Rng,
        *,
        timeouts: Timeouts | None = None,
        budget_s: float = 10.0,
        connect: Connect = open_socket,
        guards: Guards = UNGUARDED,
        replay_events: bool = False,
        name: str = "alpaca",
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._name = name
        self._urls = urls
        channel = Channel(AlpacaHttp(http, keys, timeouts), clock, guards)
        self._instructions = Instructions(channel, clock)
        self._questions = Questions(channel, clock, rng, budget_s)
        replay = EventReplay(channel, self._url("events/trades"), self.now).since if replay_events else None
        self._stream = TradeStream(
            urls.stream_url, keys, clock, rng, connect, self._check_keys, timeouts.read_s, replay
        )

    @property
    def name(self) -> str:
        """The broker's name, as in settings."""
        return self._name

    async def account(self) -> BrokerAccount:
        """The account behind the keys. Raises `BrokerUnauthorized`, `BrokerUnreachable`, `ProtocolError`."""
        return decode_account(await self._questions.ask(self._url("account")), paper=self._urls.paper)

    async def now(self) -> dt.datetime:
        """The time on the broker's own clock, UTC. Raises `BrokerUnreachable`, `ProtocolError`."""
        return decode_clock(await self._questions.ask(self._url("clock")))

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order, once. Raises `BrokerRefused`, `NotSent`, `OutcomeUnknown`, `BrokerUnauthorized` (not done)."""
        body = order_body(request)
        url = self._url("orders")
        return await self._instructions.for_order("POST", url, body, request.client_order_id, request.veto)

    async def replace(self, broker_order_id: str, request: ReplaceRequest) -> BrokerOrder:
        """Ask for a replacement, once; the new order may still be rejected, when the old one fills first. As `submit`.

        Raises `OutcomeUnknown` also when the answer is a replacement of something else.
        """
        url, body = self._order_url(broker_order_id), replace_body(request)
        order = await self._instructions.for_order("PATCH", url, body, request.client_order_id, request.veto)
        if order.replaces not in (None, broker_order_id):
            raise OutcomeUnknown(f"answered with an order that replaces {order.replaces!r}")
        return order

    async def cancel(self, broker_order_id: str) -> None:
        """Ask for a cancel, once. Raises as `submit`."""
        await self._instructions.for_nothing("DELETE", self._order_url(broker_order_id))

    async def cancel_all(self) -> None:
        """Ask for a cancel of every open order of the account, once; `OutcomeUnknown` when one was not taken."""
        await self._instructions.for_each("DELETE", self._url("orders"))

    async def close_position(self, symbol: str) -> BrokerOrder:
        """Ask for a market order that flattens a position, once. Raises as `submit`."""
        spelt = path_segment("symbol", symbol.replace("/", ""), dots=True)  # positions spell BTC/USD as BTCUSD
        return await self._instructions.for_any_order("DELETE", self._url(f"positions/{spelt}"))

    async def suspend(self, *, suspended: bool) -> None:
        """Turn the account's `suspend_trade`, once. Raises as `submit`."""
        url, body = self._url("account/configurations"), suspend_body(suspended=suspended)
        await self._instructions.for_switch("PATCH", url, body, suspended=suspended)

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that client id, or None. Raises `BrokerUnreachable`, `ProtocolError`."""
        url = self._url("orders:by_client_order_id")
        body = await self._questions.ask_for_one(url, {"client_order_id": client_order_id})
        if body is None:
            return None
        order = decode_order(body)
        if order.client_order_id != client_order_id:
            raise ProtocolError(f"asked for {client_order_id!r}, told {order.client_order_id!r}", order.raw)
        return order

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        """The order under the broker's id, with its legs, or None. Raises `BrokerUnreachable`, `ProtocolError`."""
        body = await self._questions.ask_for_one(self._order_url(broker_order_id), {"nested": "true"})
        if body is None:
            return None
        order = decode_order(body)
        if order.broker_order_id != broker_order_id:
            raise ProtocolError(f"asked for {broker_order_id!r}, told {order.broker_order_id!r}", order.raw)
        return order

    async def orders_since(self, since: dt.datetime) -> OrderPage:
        """Every order submitted at or after `since`, oldest first. Raises `BrokerUnreachable`, `ProtocolError`."""
        return await read_orders_since(self._questions, self._urls.base_url, since)

    async def fills_since(self, since: dt.datetime) -> FillPage:
        """Every execution at or after `since`, oldest first. Raises `BrokerUnreachable`, `ProtocolError`."""
        return await read_fills_since(self._questions, self._urls.base_url, since)

    async def activities_since(self, since: dt.datetime) -> ActivityPage:
        """Every change of the account without an order, oldest first. Raises `BrokerUnreachable`, `ProtocolError`."""
        return await read_activities_since(self._questions, self._urls.base_url, since)

    async def positions(self) -> tuple[BrokerPosition, ...]:
        """Every open position. Raises `BrokerUnreachable`, `ProtocolError`."""
        rows = read(await self._questions.ask(self._url("positions")), list[msgspec.Raw])
        return tuple(decode_position(raw) for raw in rows)

    async def assets(self) -> tuple[Asset, ...]:
        """Every active asset that can be read. Raises `BrokerUnreachable`, `ProtocolError`."""
        rows = read(await self._questions.ask(self._url("assets"), {"status": "active"}), list[msgspec.Raw])
        assets = []
        for raw in rows:
            try:
                assets.append(decode_asset(raw))
            except ProtocolError as error:
                # An asset that is not listed cannot be traded: leaving one out is safe, failing on all is not.
                _log.warning("an asset cannot be read and is left out", error=str(error))
        return tuple(assets)

    def reports(self) -> AsyncIterator[Report]:
        """The stream of reports. Raises `BrokerUnauthorized` when the keys are refused."""
        return self._stream.reports()

    async def _check_keys(self) -> None:
        """Raises `BrokerUnauthorized`; whatever else goes wrong is not about the keys."""
        with contextlib.suppress(BrokerUnreachable):
            await self._questions.ask(self._url("account"), attempts=1)

    def _url(self, path: str) -> str:
        return f"{self._urls.base_url}/v2/{path}"

    def _order_url(self, broker_order_id: str) -> str:
        return self._url(f"orders/{path_segment('broker_order_id', broker_order_id)}")
