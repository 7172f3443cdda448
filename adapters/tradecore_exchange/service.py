"""What the routes of one exchange share."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any, cast

import attrs
import msgspec
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from tradecore_exchange.data_hub import DataHub
from tradecore_exchange.faults import Faults
from tradecore_exchange.floor import Floor
from tradecore_exchange.requests import read_object
from tradecore_exchange.trade_hub import TradeHub

JSON = Any
Scope = MutableMapping[str, Any]

DEFAULT_KEY = "exchange-key"
DEFAULT_SECRET = "exchange-secret"  # noqa: S105 -- public on purpose: it guards a simulation


def _no_connection(scope: Scope) -> None:
    raise ConnectionResetError(f"no connection to reset for {scope['path']}")


@attrs.define
class RateLimit:
    """A window of one minute, counted always and enforced only if asked."""

    per_minute: int = 200
    enforced: bool = False
    used: int = 0
    window: int = 0

    def count(self) -> bool:
        """Count a request; False when it must be refused."""
        window = int(time.time()) // 60
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return not self.enforced or self.used <= self.per_minute

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The three headers of every answer; the reset is in seconds since 1970."""
        remaining, reset = max(0, self.per_minute - self.used), (self.window + 1) * 60
        return [
            (b"x-ratelimit-limit", b"%d" % self.per_minute),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        ]


@attrs.define
class Service:
    """One exchange as it is served.

    `speed` is how many times as fast as its own time the market moves by itself; None when it waits to be moved.
    `accepted_at` is the monotonic second at which each client_order_id was accepted. `abort` breaks the TCP connection
    behind a request; in process there is none, and it raises `ConnectionResetError`.
    """

    floor: Floor
    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    text_frames: bool = False
    speed: float | None = None
    rate: RateLimit = attrs.field(factory=RateLimit)
    faults: Faults = attrs.field(factory=Faults)
    accepted_at: dict[str, float] = attrs.field(factory=dict)
    abort: Callable[[Scope], None] = _no_connection
    trades: TradeHub = attrs.field(init=False)
    data: DataHub = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.trades, self.data = TradeHub(self.faults), DataHub()
        self.floor.listen(self.trades.on_message)
        self.floor.listen(self.data.on_message)

    async def publish(self) -> None:
        """Let the streams hear of what happened; a coroutine, so that it can run after an answer has gone out."""
        self.floor.publish()

    def answer(self, body: JSON, status: int = 200) -> Response:
        """A JSON answer; the streams hear after it is out."""
        content = msgspec.json.encode(body)
        return Response(content, status, media_type="application/json", background=BackgroundTask(self.publish))

    def nothing(self) -> Response:
        """204, and the streams hear after it is out."""
        return Response(status_code=204, background=BackgroundTask(self.publish))


def service_of(connection: HTTPConnection) -> Service:
    """The service behind a request."""
    return cast(Service, connection.app.state.service)


async def read_body(request: Request) -> dict[str, JSON]:
    """The JSON object of a request, numbers exact. Raises `Refused`."""
    return read_object(await request.body())
