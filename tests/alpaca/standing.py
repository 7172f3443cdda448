"""Everything that a test of the adapter stands on, and a broker made of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import httpx

from tests.alpaca.scripted_http import ScriptedHttp
from tests.alpaca.scripted_socket import ScriptedSocket
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.ports.broker import OrderRequest
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.http import Timeouts
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.market_data import AlpacaMarketData
from tradecore_alpaca.urls import Urls

KEY_ID = "PKCANARYCANARYCANARY"
SECRET = "canary/secret+0123456789abcdefghijklmnop"
NOW = dt.datetime(2026, 10, 8, 15, 10, 18, tzinfo=dt.UTC)

REQUEST = OrderRequest(
    client_order_id="tc-1",
    symbol="KO",
    side=Side.BUY,
    quantity=Decimal("1.50"),
    order_type=OrderType.LIMIT,
    limit_price=Decimal("1E+2"),
    time_in_force=TimeInForce.DAY,
    extended_hours=False,
)


@attrs.frozen
class Standing:
    server: ScriptedHttp
    socket: ScriptedSocket
    client: httpx.AsyncClient
    urls: Urls
    keys: Keys
    clock: Clock
    slept: list[float]
    rng: Rng
    timeouts: Timeouts

    @property
    def broker(self) -> AlpacaBroker:
        return AlpacaBroker(self.client, self.urls, self.keys, self.clock, self.rng, timeouts=self.timeouts)

    @property
    def market_data(self) -> AlpacaMarketData:
        return AlpacaMarketData(self.client, self.urls, self.keys, self.clock, self.rng, timeouts=self.timeouts)
