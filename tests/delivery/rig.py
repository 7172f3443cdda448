"""A ledger, an outbox and an inbox, connected to a real exchange on a loopback port."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import attrs
import httpx
from pydantic import SecretStr

from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.order import OrderState
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.follower import Follower
from tradecore.inbox import Inbox
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import Broker
from tradecore.runner.system import SystemClock, SystemIds, SystemRng
from tradecore.settings import load_settings
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import connect
from tradecore_bars import seeded_bars
from tradecore_exchange import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    ExchangeOptions,
    ExchangeServer,
    FaultProxy,
    Floor,
    PlanTerms,
)

PATIENCE_S = 30.0
FAST = Pace(
    visibility_s=0.3, lookup_interval_s=0.1, lookups=2, retry_initial_s=0.05, retry_max_s=0.5, retry_jitter_s=0.02
)


@attrs.define
class Rig:
    """What a test holds in its hands."""

    server: ExchangeServer
    ledger: Ledger
    broker: Broker
    outbox: Outbox
    inbox: Inbox
    follower: Follower
    http: httpx.AsyncClient
    ids: SystemIds
    clock: SystemClock

    def place(self, side: str = "buy", qty: str = "10", symbol: str = "AAA", **terms: Any) -> str:
        """T1."""
        order_id = self.ids.order_id()
        limit = terms.pop("limit", None)
        wanted: dict[str, Any] = {
            "order_id": order_id,
            "account": "main",
            "symbol": symbol,
            "side": Side(side),
            "quantity": Decimal(qty),
            "order_type": OrderType.LIMIT if limit else OrderType.MARKET,
            "limit_price": Decimal(limit) if limit else None,
            "time_in_force": TimeInForce.DAY,
            "strategy": "test",
            "not_after": self.clock.now() + dt.timedelta(seconds=60),
        }
        self.give(cmd.PlaceOrder(**(wanted | terms)))
        return order_id

    def give(self, command: cmd.Command) -> None:
        """Record a command and let everybody see it."""
        self.ledger.handle(command, Cause(self.ids.trace_id(), actor="test"))
        self.follower.catch_up()

    def order(self, order_id: str) -> OrderState:
        state = self.ledger.order(order_id)
        assert state is not None
        return state

    async def until(self, is_true: Callable[[], bool], what: str) -> None:
        """Wait for something that delivery brings about."""
        with anyio.move_on_after(PATIENCE_S):
            while not is_true():
                self.follower.catch_up()
                await anyio.sleep(0.01)
            return
        raise AssertionError(f"waited {PATIENCE_S} s in vain for: {what}")

    async def until_status(self, order_id: str, *statuses: str) -> OrderState:
        """Wait until the order has one of these statuses."""
        await self.until(
            lambda: self.order(order_id).status in statuses, f"{statuses}, now {self.order(order_id).status}"
        )
        return self.order(order_id)

    async def arm(self, **fault: Any) -> None:
        """Arm a fault of the exchange."""
        (await self.http.post("/_ctl/faults", json=fault)).raise_for_status()

    async def advance(self, steps: int = 1) -> dict[str, Any]:
        """Move the market."""
        answer = await self.http.post("/_ctl/advance", json={"steps": steps})
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def seen(self) -> dict[str, Any]:
        """What the exchange saw: all orders, executions, and posts per client order id."""
        answer = await self.http.get("/_ctl/orders")
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def assert_exactly_one(self, order_id: str) -> dict[str, Any]:
        """The exchange has exactly one order for the intent."""
        mine = [
            order
            for order in (await self.seen())["orders"]
            if order["client_order_id"] == self.order(order_id).client_order_id
        ]
        assert len(mine) == 1
        found: dict[str, Any] = mine[0]
        return found


@asynccontextmanager
async def open_rig(
    *,
    journal: Journal | None = None,
    pace: Pace = FAST,
    read_timeout_s: float = 0.5,
    options: ExchangeOptions | None = None,
    start_market: bool = True,
    with_stream: bool = True,
    faults: PlanTerms | None = None,
    network: Callable[[int], FaultProxy] | None = None,
) -> AsyncIterator[Rig]:
    """Open everything, with delivery and the stream running; through a `network` if one is given for the port.

    Faults and a bad network begin when everything runs.
    """
    symbols = ["AAA", "BBB"]
    floor = Floor(
        symbols,
        list(seeded_bars(symbols, 1, 7)),
        source="test",
        options=options or ExchangeOptions(wash_trade_check=False),
    )
    with ExchangeServer(floor) as server, (network or FaultProxy)(server.port) as proxy:
        through = {name: url.replace(f":{server.port}", f":{proxy.port}") for name, url in server.urls.items()}
        addresses = server.urls if network is None else through
        settings = load_settings(None, {"broker": {**addresses, "read_timeout_s": read_timeout_s}})
        urls, keys = resolve_urls(settings.broker), make_keys(SecretStr(DEFAULT_KEY), SecretStr(DEFAULT_SECRET))
        headers = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}
        async with (
            httpx.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False, timeout=30.0) as http,
            connect(settings, urls, keys) as venue,
        ):
            clock, ids = SystemClock(), SystemIds()
            ledger = Ledger(journal or open_journal("memory:"), clock, ids)
            outbox = Outbox(ledger, venue.broker, clock, ids, SystemRng(), lambda: "lease-1", pace)
            inbox = Inbox(ledger, venue.broker, ids, "main")
            follower = Follower(ledger.journal)
            inbox.catch_up = follower.catch_up
            for listener in (ledger.observe, outbox.observe, inbox.observe):
                follower.listen(listener)
            rig = Rig(server, ledger, venue.broker, outbox, inbox, follower, http, ids, clock)
            if start_market:
                await rig.advance()
            account, begin = await venue.broker.account(), await venue.broker.now()
            rig.give(cmd.PinAccount("main", "test", account.account_id, True, "USD", account.cash, (), begin))
            async with anyio.create_task_group() as group:
                group.start_soon(outbox.run)
                if with_stream:
                    group.start_soon(inbox.run)
                    await rig.until(lambda: bool(server.service.trades.connections), "the stream of reports")
                if faults is not None:
                    server.service.follow(faults)
                if network is not None:
                    proxy.begin()
                yield rig
                group.cancel_scope.cancel()
