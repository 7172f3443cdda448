"""What a test does with a running exchange."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

from tradecore_bars import seeded_bars
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeOptions, ExchangeServer, Floor, Store

JSON = Any
KEYS = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}
SYMBOLS = ("AAPL", "MSFT")
PATIENCE_S = 20.0


def small_floor(store: Store | None = None, days: int = 2, seed: int = 7, **options: Any) -> Floor:
    """Two symbols, two days, as every test here knows them."""
    bars = list(seeded_bars(SYMBOLS, days, seed))
    return Floor(SYMBOLS, bars, source=f"seeded {seed}", options=ExchangeOptions(seed=seed, **options), store=store)


def order(**changes: JSON) -> dict[str, JSON]:
    """The body of a POST for ten shares at the market; None takes a field away."""
    body = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day", **changes}
    return {name: value for name, value in body.items() if value is not None}


class Play:
    """A client of one exchange; the control calls assert that they were carried out."""

    def __init__(self, server: ExchangeServer) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.base_url, headers=KEYS, trust_env=False, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(self, **changes: JSON) -> httpx.Response:
        """POST an order."""
        return self.http.post("/v2/orders", json=order(**changes))

    def get(self, path: str, **query: JSON) -> JSON:
        """GET, which must succeed."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, steps: int = 1) -> dict[str, JSON]:
        """Move the market."""
        answer = self.http.post("/_ctl/advance", json={"steps": steps})
        assert answer.status_code == 200, answer.text
        body: dict[str, JSON] = answer.json()
        return body

    def arm(self, kind: str, **fields: JSON) -> None:
        """Arm a fault."""
        answer = self.http.post("/_ctl/faults", json={"kind": kind, **fields})
        assert answer.status_code == 200, answer.text

    def judge(self) -> dict[str, JSON]:
        """What the exchange really did."""
        body: dict[str, JSON] = self.get("/_ctl/orders")
        return body

    @contextlib.contextmanager
    def trades(self) -> Iterator[ClientConnection]:
        """An authorized connection that listens to trade updates."""
        with connect(self.server.stream_url, proxy=None) as socket:
            socket.send(json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET}))
            assert received(socket)["data"]["status"] == "authorized"
            socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            assert received(socket) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
            yield socket


def received(socket: ClientConnection) -> JSON:
    """The next frame, as JSON."""
    return json.loads(socket.recv(timeout=PATIENCE_S))


def events(socket: ClientConnection, count: int) -> list[str]:
    """The words of the next updates."""
    return [received(socket)["data"]["event"] for _ in range(count)]


class Gathered:
    """Things that another thread brings, and a way to wait for enough of them."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    async def bring(self, item: object) -> None:
        """The handler to hand to a stream."""
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """All things once there are enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.items), PATIENCE_S), self.items
            return list(self.items)


def number(text: str) -> Decimal:
    """A number of the protocol, which must be text."""
    assert isinstance(text, str)
    return Decimal(text)
