"""`tradecore.ports.broker.Broker` over Alpaca's Trading API."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import structlog

from tradecore.domain.values import canonical
from tradecore.errors import InputError, OutcomeUnknown, ProtocolError
from tradecore.ports.broker import (
    Asset,
    BrokerAccount,
    BrokerOrder,
    BrokerPosition,
    FillPage,
    OrderPage,
    OrderRequest,
    Report,
)
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore_alpaca.activities import read_fills_since
from tradecore_alpaca.classify import accepted_order, failed_instruction
from tradecore_alpaca.decode import decode_account, decode_asset, decode_clock, decode_order, decode_position
from tradecore_alpaca.http import AlpacaHttp, Answer, Timeouts
from tradecore_alpaca.json_text import is_json, read
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.orders import read_orders_since
from tradecore_alpaca.questions import Questions
from tradecore_alpaca.trade_stream import TradeStream
from tradecore_alpaca.urls import Urls
from tradecore_alpaca.websocket import Connect, open_socket

_log = structlog.get_logger(__name__)
# Strict because the id becomes part of a path: an empty one would cancel every order.
_ORDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_NO_CONTENT = 204
_DONE = (200, 207)


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
        name: str = "alpaca",
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._name = name
        self._urls = urls
        self._clock = clock
        self._http = AlpacaHttp(http, keys, timeouts)
        self._questions = Questions(self._http, clock, rng, budget_s)
        self._stream = TradeStream(urls.stream_url, keys, clock, rng, connect, timeouts.read_s)

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
        outcome = await self._http.exchange("POST", self._url("orders"), content=order_body(request))
        if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
            return accepted_order(outcome, request.client_order_id)
        raise failed_instruction(outcome, self._clock.now())

    async def cancel(self, broker_order_id: str) -> None:
        """Ask for a cancel, once. Raises as `submit`."""
        outcome = await self._http.exchange("DELETE", self._order_url(broker_order_id))
        if isinstance(outcome, Answer) and outcome.status == _NO_CONTENT:
            return
        if isinstance(outcome, Answer) and outcome.status in _DONE:
            if outcome.body.strip() and not is_json(outcome.body):
                raise OutcomeUnknown(f"HTTP {outcome.status} that is not the broker's: {outcome.text[:200]!r}")
            return
        raise failed_instruction(outcome, self._clock.now())

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
        """The order under the broker's id, or None. Raises `BrokerUnreachable`, `ProtocolError`."""
        body = await self._questions.ask_for_one(self._order_url(broker_order_id))
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

    def _url(self, path: str) -> str:
        return f"{self._urls.base_url}/v2/{path}"

    def _order_url(self, broker_order_id: str) -> str:
        if not _ORDER_ID.fullmatch(broker_order_id):
            raise InputError("broker_order_id", broker_order_id, "letters, digits and dashes")
        return self._url(f"orders/{broker_order_id}")


def order_body(request: OrderRequest) -> bytes:
    """The JSON of an order: the same request, the same bytes; numbers as plain decimal text."""
    body: dict[str, str | bool] = {
        "symbol": request.symbol,
        "side": request.side.value,
        "type": request.order_type.value,
        "time_in_force": request.time_in_force.value,
        "extended_hours": request.extended_hours,
        "client_order_id": request.client_order_id,
    }
    if request.quantity is not None:
        body["qty"] = format(canonical(request.quantity), "f")
    if request.limit_price is not None:
        body["limit_price"] = format(canonical(request.limit_price), "f")
    return msgspec.json.encode(body, order="sorted")
