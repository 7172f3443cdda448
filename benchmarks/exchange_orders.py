"""POST /v2/orders over HTTP: in memory and on disk, one client and eight, with and without somebody on the stream."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from pathlib import Path

import anyio
import httpx
from machine import describe, table
from websockets.asyncio.client import connect

from tradecore_bars import seeded_bars
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeOptions, ExchangeServer, Floor, Store

_ORDERS = 1_000
_HEADERS = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}
_LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


async def _post(http: httpx.AsyncClient, first: int, step: int) -> None:
    for number in range(first, _ORDERS, step):
        body = {"symbol": "AAA", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
        answer = await http.post("/v2/orders", json={**body, "client_order_id": str(number)})
        assert answer.status_code == 200, answer.text


async def _listen(url: str, started: anyio.Event) -> None:
    async with connect(url, proxy=None) as socket:
        await socket.send(json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
        await socket.send(json.dumps(_LISTEN))
        started.set()
        async for _ in socket:
            pass


async def orders_per_second(path: Path | None, clients: int, *, heard: bool) -> float:
    """How many orders a second are accepted, answered, and filled against a quote that stands."""
    bars = list(seeded_bars(["AAA"], 1, 7))
    floor = Floor(["AAA"], bars, source="benchmark", options=ExchangeOptions(), store=Store(path))
    with ExchangeServer(floor) as server:
        async with anyio.create_task_group() as tasks, httpx.AsyncClient(
            base_url=server.base_url, headers=_HEADERS, trust_env=False, timeout=60
        ) as http:  # fmt: skip
            if heard:
                listening = anyio.Event()
                tasks.start_soon(_listen, server.stream_url, listening)
                await listening.wait()
            await http.post("/_ctl/quote", json={"symbol": "AAA", "bid": "9.99", "ask": "10.01"})
            started = time.perf_counter()
            async with anyio.create_task_group() as posting:
                for client in range(clients):
                    posting.start_soon(_post, http, client, clients)
            elapsed = time.perf_counter() - started
            tasks.cancel_scope.cancel()
    return _ORDERS / elapsed


def main() -> None:
    """Measure and print."""
    rows = [("where", "orders/s")]
    for where in ("memory", "disk"):
        for clients in (1, 8):
            for heard in (False, True):
                with tempfile.TemporaryDirectory() if where == "disk" else contextlib.nullcontext(None) as folder:
                    path = None if folder is None else Path(folder) / "exchange.db"
                    rate = anyio.run(lambda at=path, n=clients, on=heard: orders_per_second(at, n, heard=on))
                rows.append((f"{where}, {clients} client(s){', stream' if heard else ''}", f"{rate:.0f}"))
    print(describe())
    table("POST /v2/orders", rows)


if __name__ == "__main__":
    main()
