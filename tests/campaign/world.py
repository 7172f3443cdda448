"""One exchange, two bad wires to it, and one daemon with a ledger of its own: where a run of the campaign happens."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
from pydantic import SecretStr

from tests.campaign.watch import Watch, watching
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.errors import BrokerUnauthorized, BrokerUnreachable
from tradecore.runner.contract import Session
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.runner.wiring import open_session
from tradecore.settings import Settings, load_settings
from tradecore_bars import seeded_bars
from tradecore_daemon.daemon import Daemon
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeOptions, ExchangeServer, FaultProxy, Floor, Serving

SYMBOLS = ["AAA", "BBB"]
READ_TIMEOUT_S = 0.4
_START_S = 20.0


class Gone(Exception):
    """No daemon runs at the moment, so nobody holds the ledger."""


class _Silent:
    """Progress that nobody reads."""

    def update(self, done: int, total: int | None, message: str) -> None:
        pass


@attrs.define
class World:
    """What a story holds in its hands. `ends` tells how daemons ended that nobody stopped."""

    server: ExchangeServer
    requests: FaultProxy
    stream: FaultProxy
    http: httpx.AsyncClient
    settings: Settings
    watch: Watch
    ids: SystemIds = attrs.field(factory=SystemIds)
    clock: SystemClock = attrs.field(factory=SystemClock)
    session: Session | None = None
    ends: list[str] = attrs.field(factory=list)
    sessions: int = 0
    _stop: anyio.CancelScope | None = None
    _gone: anyio.Event = attrs.field(factory=anyio.Event)

    # --- the daemon ---------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Run the daemon until `stop`; one that the broker turned away or did not answer is started again."""
        self._gone = anyio.Event()
        try:
            await self._live()
        finally:
            self._gone.set()

    async def _live(self) -> None:
        while True:
            with anyio.CancelScope() as scope:
                self._stop = scope
                try:
                    async with open_session(self.settings) as session:
                        self.session, self.sessions = session, self.sessions + 1
                        await Daemon().run(session, _Silent())
                except Exception as error:  # noqa: BLE001  judged, not handled
                    if not _turned_away(error):
                        self.ends.append(repr(error))
                        return
                    if self.settings.ledger == "memory:":
                        self.ends.append(f"a ledger in memory does not survive a start: {error!r}")
                        return
                finally:
                    self.session = None
            if scope.cancelled_caught:
                return

    async def stop(self) -> None:
        """End the daemon without a word to it, and wait until it is gone."""
        assert self._stop is not None, "it lives"
        self._stop.cancel()
        await self._gone.wait()

    @property
    def now(self) -> Session:
        """The session that runs. Raises `Gone` while none does."""
        if self.session is None:
            raise Gone
        return self.session

    async def until_begun(self) -> None:
        """Wait for the daemon and its stream."""
        trades = self.server.service.trades
        with anyio.fail_after(_START_S):
            await until(lambda: bool(self.ends) or any(one.listening for one in trades.connections))

    # --- what we want -------------------------------------------------------------------------------------------------

    def place(self, side: str, qty: str, symbol: str = "AAA", limit: Decimal | None = None, **terms: Any) -> str:
        """Record an intent."""
        order_id = self.ids.order_id()
        order = cmd.PlaceOrder(
            order_id=order_id,
            account="main",
            symbol=symbol,
            side=Side(side),
            quantity=Decimal(qty),
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            limit_price=limit,
            time_in_force=TimeInForce.DAY,
            strategy="test",
            not_after=self.later(),
            **terms,
        )
        self.give(order)
        return order_id

    def give(self, command: cmd.Command) -> None:
        """Record a command, as another process would: delivery hears of it through the log."""
        engine = self.now.engine
        engine.ledger.handle(command, Cause(self.ids.trace_id(), actor="test"))
        engine.catch_up()

    def later(self) -> dt.datetime:
        """When an intent goes stale: after any run."""
        return self.clock.now() + dt.timedelta(seconds=120)

    def order(self, order_id: str) -> OrderState:
        state = self.now.engine.ledger.order(order_id)
        assert state is not None, "it was planned"
        return state

    def orders(self) -> list[OrderState]:
        """Every order of the ledger."""
        events = (item.event for item in self.now.journal.read(0, 100_000))
        return [self.order(event.order_id) for event in events if isinstance(event, ev.OrderPlanned | ev.OrderAdopted)]

    # --- the other side -----------------------------------------------------------------------------------------------

    async def ask(self, path: str) -> dict[str, Any]:
        """A question to the exchange's control."""
        answer = await self.http.get(path)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def tell(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An order to the exchange's control; what it refuses is the story's luck."""
        answer = await self.http.post(path, json=body)
        told: dict[str, Any] = answer.json()
        return told

    async def advance(self) -> None:
        """Move the market by a bar."""
        await self.tell("/_ctl/advance", {"steps": 1})

    async def price(self, symbol: str = "AAA") -> Decimal:
        return Decimal((await self.ask("/_ctl/state"))["prices"][symbol])

    async def quote(self, price: Decimal, size: str = "1000", symbol: str = "AAA") -> None:
        """Offer to buy and to sell at about a price, so many at a time."""
        ask = price + Decimal("0.01")
        await self.tell(
            "/_ctl/quote",
            {"symbol": symbol, "bid": str(price), "ask": str(ask), "bid_size": size, "ask_size": size},
        )


async def until(is_true: Callable[[], bool]) -> None:
    """Wait for what somebody else brings about; the caller says for how long."""
    while True:
        if is_true():
            return
        await anyio.sleep(0.01)


def _turned_away(error: Exception) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(isinstance(each, Exception) and _turned_away(each) for each in error.exceptions)
    return isinstance(error, BrokerUnauthorized | BrokerUnreachable)


@asynccontextmanager
async def open_world(seed: int, *, on_disk: bool, partial_fills: bool, replay_events: bool) -> AsyncIterator[World]:
    """Everything open and the daemon at work, over perfect wires."""
    options = ExchangeOptions(seed=seed, wash_trade_check=False, partial_fill_rate=0.5 if partial_fills else 0.0)
    floor = Floor(SYMBOLS, list(seeded_bars(SYMBOLS, 2, 7)), source="campaign", options=options)
    server = ExchangeServer(floor, serving=Serving(events=replay_events)).start()
    requests, stream = FaultProxy(server.port).start(), FaultProxy(server.port).start()
    try:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            ledger = f"sqlite:///{folder / 'ledger.db'}" if on_disk else "memory:"
            settings = _settings(requests.port, stream.port, ledger, replay_events)
            headers = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}
            client = httpx.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False, timeout=30.0)
            watch = stack.enter_context(watching(requests.port))
            world = World(server, requests, stream, await stack.enter_async_context(client), settings, watch)
            await world.advance()
            yield world
    finally:
        for stop in (requests.stop, stream.stop, server.stop):
            await anyio.to_thread.run_sync(stop)


def _settings(requests: int, stream: int, ledger: str, replay_events: bool) -> Settings:
    broker = {
        "name": "alpaca",
        "base_url": f"http://127.0.0.1:{requests}",
        "stream_url": f"ws://127.0.0.1:{stream}/stream",
        "connect_timeout_s": READ_TIMEOUT_S,
        "read_timeout_s": READ_TIMEOUT_S,
        "unreachable_after_s": 3.0,
        "requests_per_minute": 0,
        "breaker_open_s": 0.5,
        "replay_events": replay_events,
    }
    delivery = {
        "not_after_s": 120.0,
        "visibility_s": 0.3,
        "lookup_interval_s": 0.1,
        "lookups": 2,
        "retry_initial_s": 0.05,
        "retry_jitter_s": 0.02,
        "reconcile_every_s": 0.25,
    }
    off = {"enabled": False}
    chosen = {"ledger": ledger, "broker": broker, "strategy": {"name": "none"}, "delivery": delivery}
    quiet: dict[str, object] = {trigger.value: "none" for trigger in Trigger} | {"critical_alerts": []}
    off_all = {"risk": {"defaults": "none"}, "triggers": quiet, "anchors": off, "daily_check": off}
    settings = load_settings(None, {**chosen, **off_all})
    keys = {"api_key_id": SecretStr(DEFAULT_KEY), "api_secret_key": SecretStr(DEFAULT_SECRET)}
    return settings.model_copy(update=keys)
