"""From recorded intent to recorded answer over real HTTP, against a bare POST loop to the same exchange."""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import anyio
import httpx
from machine import describe, table
from pydantic import SecretStr

from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.follower import Follower
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import Broker, BrokerOrder, OrderRequest
from tradecore.runner.system import SystemClock, SystemIds, SystemRng
from tradecore.settings import load_settings
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import connect
from tradecore_bars import seeded_bars
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeOptions, ExchangeServer, Floor

_ORDERS = 300
_HEADERS = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}


class Watched:
    """The broker, noting when each request begins."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.begun: list[float] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Note the moment and pass on."""
        self.begun.append(time.perf_counter())
        return await self._broker.submit(request)


async def through_the_outbox(server: ExchangeServer, ledger_url: str) -> tuple[list[float], list[float]]:
    """Milliseconds from the commit of an idle intent to the request, and from the place to the recorded answer."""
    settings = load_settings(None, {"broker": server.urls})
    keys = make_keys(SecretStr(DEFAULT_KEY), SecretStr(DEFAULT_SECRET))
    async with connect(settings, resolve_urls(settings.broker), keys) as venue:
        clock, ids = SystemClock(), SystemIds()
        journal = open_journal(ledger_url)
        ledger = Ledger(journal, clock, ids)
        watched = Watched(venue.broker)
        outbox = Outbox(ledger, watched, clock, ids, SystemRng(), lambda: "lease-1", Pace())  # type: ignore[arg-type]
        follower = Follower(journal)
        follower.listen(outbox.observe)
        to_wire, whole = [], []
        async with anyio.create_task_group() as group:
            group.start_soon(outbox.run)
            for _ in range(_ORDERS):
                begun = time.perf_counter()
                ledger.handle(_order(ids.order_id(), clock), Cause(ids.trace_id(), actor="benchmark"))
                committed = time.perf_counter()
                follower.catch_up()
                await outbox.drain()
                whole.append((time.perf_counter() - begun) * 1000)
                to_wire.append((watched.begun[-1] - committed) * 1000)
            group.cancel_scope.cancel()
        journal.close()
    return to_wire, whole


async def bare_posts(server: ExchangeServer) -> list[float]:
    """Milliseconds of the same orders posted by httpx alone, recording nothing."""
    took = []
    async with httpx.AsyncClient(base_url=server.base_url, headers=_HEADERS, trust_env=False) as http:
        for number in range(_ORDERS):
            body = {
                "symbol": "AAA",
                "qty": "1",
                "side": "buy",
                "type": "market",
                "time_in_force": "day",
                "client_order_id": f"bare-{time.time_ns()}-{number}",
            }
            begun = time.perf_counter()
            (await http.post("/v2/orders", json=body)).raise_for_status()
            took.append((time.perf_counter() - begun) * 1000)
    return took


def _order(order_id: str, clock: SystemClock) -> cmd.PlaceOrder:
    return cmd.PlaceOrder(
        order_id=order_id,
        account="main",
        symbol="AAA",
        side=Side.BUY,
        quantity=Decimal(1),
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.DAY,
        strategy="benchmark",
        not_after=clock.now() + dt.timedelta(seconds=60),
    )


def _spread(values: list[float]) -> list[str]:
    ordered = sorted(values)
    return [f"{statistics.median(ordered):.2f}", f"{ordered[int(len(ordered) * 0.99)]:.2f}"]


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        floor = Floor(
            ["AAA"], list(seeded_bars(["AAA"], 1, 7)), source="benchmark", options=ExchangeOptions(cash=Decimal(10**9))
        )
        with ExchangeServer(floor) as server:
            async with httpx.AsyncClient(base_url=server.base_url, headers=_HEADERS, trust_env=False) as http:
                await http.post("/_ctl/advance")
            await bare_posts(server)  # warm-up
            bare = await bare_posts(server)
            to_wire, whole = await through_the_outbox(server, f"sqlite:///{Path(name) / 'ledger.db'}")
    ratio = statistics.median(whole) / statistics.median(bare)
    table(
        f"one order at a time over loopback HTTP ({describe('httpx', 'uvicorn')})",
        [
            ["what", "p50 ms", "p99 ms"],
            ["intent committed → request begins (T2 commit between)", *_spread(to_wire)],
            ["place → answer recorded (3 durable commits and the call)", *_spread(whole)],
            ["bare POST by httpx, nothing recorded", *_spread(bare)],
            ["whole path / bare POST, medians", f"{ratio:.1f}x", ""],
        ],
    )


if __name__ == "__main__":
    anyio.run(main)
