"""A machine that runs the shipped daemon: started, killed, paused, and started again by its service manager."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

import attrs
from pydantic import SecretStr

from tests.simulation.hosts import Host
from tests.simulation.market import OPEN
from tests.simulation.network import Link, Wire
from tests.simulation.sockets import connector
from tests.simulation.strategy import Restless
from tests.simulation.surroundings import SimulatedClock, SimulatedIds
from tradecore.errors import BrokerError, InvariantViolated, RewoundLedger, StoreUnavailable, TradecoreError
from tradecore.ledger import Ledger
from tradecore.runner.agents import open_cycle
from tradecore.runner.contract import Session
from tradecore.runner.wiring import Surroundings, assemble
from tradecore.settings import Settings
from tradecore.strategies.none import NoStrategy
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls
from tradecore_alpaca.venue import guards_of, make_venue
from tradecore_daemon.daemon import Daemon
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET

if TYPE_CHECKING:
    from tests.simulation.world import World

BEGIN = OPEN - dt.timedelta(seconds=20)
KEYS = make_keys(SecretStr(DEFAULT_KEY), SecretStr(DEFAULT_SECRET))


class Progress:
    """Nobody watches."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Show nothing."""


class Machine:
    """One machine with its clock and network; `host` is the process of the moment, None between two."""

    def __init__(self, world: World, name: str, settings: Settings) -> None:
        self.world = world
        self.name = name
        self.settings = settings
        self.clock = SimulatedClock(world.loop, BEGIN)
        self.link = Link()
        self.host: Host | None = None
        self.session: Session | None = None
        self.starts = 0
        self.ends: list[str] = []
        self.ids_of_judge = SimulatedIds(self.clock, "judge")

    def start(self) -> None:
        """Start the daemon."""
        if self.host is not None:
            return
        self.starts += 1
        self.host = host = Host(f"{self.name}.{self.starts}")
        self.world.tell(host.name, "starts")
        self.world.loop.start(host, self._live(host))

    async def _live(self, host: Host) -> None:
        try:
            reason = await self._run(host)
        except BaseExceptionGroup as group:
            self._ended(host, _leaf(group))
        except Exception as error:  # noqa: BLE001 - the judge tells which may be
            self._ended(host, error)
        else:
            self._ended(host, None, reason)

    async def _run(self, host: Host) -> str:
        world, settings = self.world, self.settings
        handle = world.disk.open(host)
        world.on_open(self, handle)
        rng = random.Random(f"rng:{world.seed}:{host.name}")
        ids = SimulatedIds(self.clock, f"{world.seed}:{host.name}")
        around = Surroundings(self.clock, ids, rng, lambda: f"lease:{host.name}", build=lambda *_: "simulated")
        ledger = Ledger(handle, self.clock, ids)
        venue = make_venue(
            settings,
            Wire(world.network, host, self.link, world.on_request),
            resolve_urls(settings.broker),
            KEYS,
            self.clock,
            rng,
            socket=connector(world.network, host, self.link),
            guards=guards_of(settings.broker),
        )
        strategy = NoStrategy() if settings.strategy.name == "none" else Restless(world.seed)
        session = assemble(settings, strategy, host.name, ledger, venue, around)
        alone = all(other.host in (None, host) for other in world.machines)
        fresh_s = settings.delivery.not_after_s
        thinking = open_cycle(settings, session.engine, venue, self.clock, ids, host.name, fresh_s, alone=alone)
        async with thinking as cycle:
            self.session = session = attrs.evolve(session, cycle=cycle)
            return await Daemon().run(session, Progress())

    def _ended(self, host: Host, error: BaseException | None, reason: str = "") -> None:
        """The process ended by itself."""
        if host.is_dead:
            return  # with the whole world
        self.host = self.session = None
        self.world.forget(host)
        host.is_dead = True
        self.world.tell(host.name, f"ends: {reason or repr(error)}")
        self.ends.append(reason or type(error).__name__)
        if error is not None:
            self.world.judge_end(host, error)
        self.world.after(self.world.rng.uniform(1, 4), self.start)

    def kill(self, why: str, restart_s: float) -> None:
        """kill -9; the service manager starts it again."""
        host = self.host
        if host is None:
            return
        self.world.tell(host.name, f"is killed: {why}")
        self.world.kills += 1
        self.host = self.session = None
        self.world.loop.kill(host)
        self.world.forget(host)
        self.ends.append("killed")
        self.world.after(restart_s, self.start)


def is_expected(error: BaseException) -> bool:
    """Whether a daemon may end like this when its surroundings fail; everything else is a defect."""
    if isinstance(error, InvariantViolated | RewoundLedger):
        return False
    return isinstance(error, BrokerError | StoreUnavailable) or type(error) is TradecoreError


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
