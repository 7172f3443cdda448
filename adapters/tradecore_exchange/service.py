"""What the routes of one account share."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any, cast

import attrs
import msgspec
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.data_hub import DataHub
from tradecore_exchange.fault_plan import FaultPlan, PlanTerms
from tradecore_exchange.faults import Fault, Faults
from tradecore_exchange.floor import Floor
from tradecore_exchange.hindsight import Hindsight
from tradecore_exchange.rate_limit import RateLimit
from tradecore_exchange.requests import read_object
from tradecore_exchange.serving import Serving
from tradecore_exchange.trade_hub import Cut, TradeHub

JSON = Any
Scope = MutableMapping[str, Any]

DEFAULT_KEY = "exchange-key"
DEFAULT_SECRET = "exchange-secret"  # noqa: S105 -- public on purpose: it guards a simulation


def _no_connection(scope: Scope, *_: object) -> None:
    raise ConnectionResetError(f"no connection to break for {scope['path']}")


@attrs.define(eq=False)
class Host:
    """What all accounts of one exchange share.

    `speed` is how many times as fast as its own time the market moves by itself; None when it waits to be moved.
    `monotonic` measures how long ago something was, in seconds.
    `abort` breaks the TCP connection behind a request, `freeze` stops reading from it (and, given False, goes on); in
    process there is none, and they raise `ConnectionResetError`.
    """

    serving: Serving = attrs.field(factory=Serving)
    speed: float | None = None
    monotonic: Callable[[], float] = time.monotonic
    data: DataHub = attrs.field(factory=DataHub)
    abort: Callable[[Scope], None] = _no_connection
    freeze: Callable[[Scope, bool], None] = _no_connection


@attrs.define(eq=False)
class Service:
    """One account as it is served: its floor, its streams, its faults, its budget."""

    entry: AccountEntry
    floor: Floor
    host: Host
    faults: Faults = attrs.field(init=False)
    rate: RateLimit = attrs.field(init=False)
    trades: TradeHub = attrs.field(init=False)
    hindsight: Hindsight = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        serving = self.host.serving
        self.faults = Faults(self.floor.exchange.options.seed)
        self.rate = RateLimit(serving.rate_limit_per_minute, serving.rate_limit_enforced)
        self.trades = TradeHub(self.faults, serving, self.floor.store.updates_before(), self.host.monotonic)
        self.hindsight = Hindsight(self.floor, self.host.monotonic)
        self.floor.listen(self.hindsight.on_message)
        self.floor.listen(self.trades.on_message)

    def arm(self, fault: Fault) -> None:
        """Arm a fault; a cut of the stream strikes at once unless it waits for an update."""
        if fault.kind in kinds.CUT and not fault.on_update:
            self.faults.log.note("armed", "stream", "now", fault.kind)
            self.trades.cut(Cut(fault.kind))
            return
        if fault.kind in {kinds.ORDER_LAG, kinds.POSITION_LAG}:
            self.hindsight.begin()
        self.faults.arm(fault)

    def follow(self, terms: PlanTerms) -> None:
        """Strike by a plan from now on."""
        self.hindsight.begin()
        self.faults.plan = FaultPlan(terms)

    def tell(self) -> None:
        """Let the streams hear of what happened."""
        self.floor.publish()
        self.trades.wake()

    async def publish(self) -> None:
        """The same as a coroutine, so that it can run after an answer has gone out."""
        self.tell()

    def answer(self, body: JSON, status: int = 200) -> Response:
        """A JSON answer; the streams hear after it is out."""
        content = msgspec.json.encode(body)
        return Response(content, status, media_type="application/json", background=BackgroundTask(self.publish))

    def nothing(self) -> Response:
        """204, and the streams hear after it is out."""
        return Response(status_code=204, background=BackgroundTask(self.publish))


def service_of(connection: HTTPConnection) -> Service:
    """The account behind a request, as its keys told."""
    return cast(Service, connection.scope["account"])


async def read_body(request: Request) -> dict[str, JSON]:
    """The JSON object of a request, numbers exact. Raises `Refused`."""
    return read_object(await request.body())
