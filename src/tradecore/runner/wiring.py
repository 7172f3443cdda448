"""Wiring, in one place: from settings to a session that a runner can pace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs

from tradecore.cycle.sources import Sources
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.errors import ConfigurationError, InputError, LeaseHeld
from tradecore.feed import BarFeed
from tradecore.inbox import Inbox
from tradecore.journal import find_key_ring, open_journal, open_lease
from tradecore.journal.url import ledger_path
from tradecore.ledger import Ledger
from tradecore.outbox import Lane, Outbox, Pace
from tradecore.ports.agent import Agent
from tradecore.ports.bus import EventBus
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids, Rng
from tradecore.ports.lease import Lease
from tradecore.ports.model import ModelGateway
from tradecore.ports.strategy import Strategy
from tradecore.ports.venue import Venue
from tradecore.runner.agents import open_cycle
from tradecore.runner.anchors import make_sink
from tradecore.runner.build import build_of
from tradecore.runner.buses import make_bus
from tradecore.runner.contract import Session
from tradecore.runner.halt_file import find_halt_file
from tradecore.runner.plugins import load_plugin, load_strategy
from tradecore.runner.system import SystemClock, SystemIds, SystemRng
from tradecore.sagas.conductor import Conductor
from tradecore.settings import Settings
from tradecore.strategies.none import NoStrategy
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector

# A replayed market stands still while nobody trades, so an intent does not go stale by the wall's clock.
_REPLAY_NOT_AFTER_S = 10 * 365 * 86_400.0


@asynccontextmanager
async def open_session(
    settings: Settings,
    strategy: Strategy | None = None,
    gateway: ModelGateway | None = None,
    agent: Agent | None = None,
    sources: Sources | None = None,
    bus: EventBus | None = None,
) -> AsyncIterator[Session]:
    """Open everything that the settings name, in the order in which it must close again.

    `strategy`, `agent`, `sources` and `bus` stand in for those that the settings name, `gateway` for the way to models.

    Raises `ConfigurationError`, `InputError`, the journal's and the broker's errors; nothing stays open then.
    """
    # What can be wrong with the settings is found before the first file is made.
    strategy = strategy or (NoStrategy() if agent is not None else make_strategy(settings))
    _check_place(settings.ledger)
    make_sink(settings)
    opening_bus = make_bus(settings)
    opening_venue = load_plugin("brokers", settings.broker.name, "broker.name")(settings)
    keys = find_key_ring(settings.encryption.keys_file)
    clock, ids, rng = SystemClock(), SystemIds(), SystemRng()
    runner_id = ids.order_id()
    lease = open_lease(settings.ledger)
    alone = _acquire(lease, runner_id, shared=settings.delivery.shared)
    try:
        journal = open_journal(settings.ledger, keys=keys)
        try:
            # Before the venue, so that no connection is made for a ledger that is none.
            ledger = Ledger(journal, clock, ids)
            async with opening_bus as named_bus, opening_venue as venue:
                around = Surroundings(clock, ids, rng, lambda: lease.token, alone=alone)
                session = assemble(settings, strategy, runner_id, ledger, venue, around)
                engine, fresh_s = session.engine, not_after_s(settings, venue)
                async with open_cycle(
                    settings,
                    engine,
                    venue,
                    clock,
                    ids,
                    runner_id,
                    fresh_s,
                    gateway,
                    agent,
                    sources=sources,
                    alone=alone,
                ) as cycle:
                    yield attrs.evolve(session, cycle=cycle, bus=bus or named_bus)
        finally:
            journal.close()
    finally:
        lease.release()


def _acquire(lease: Lease, runner_id: str, *, shared: bool) -> bool:
    """Take the lease; whether nobody else had it. Raises `LeaseHeld`."""
    alone = True
    if shared:
        try:
            lease.acquire(runner_id)  # for a moment: nobody who shares it is alive then
        except LeaseHeld:
            alone = False
        else:
            lease.release()
    lease.acquire(runner_id, shared=shared)
    return alone


def not_after_s(settings: Settings, venue: Venue) -> float:
    """For how long an intent stays fresh, in seconds."""
    return settings.delivery.not_after_s if venue.replay is None else _REPLAY_NOT_AFTER_S


@attrs.frozen
class Surroundings:
    """What a session needs of the machine: time, identities, chance, the proof that its ledger is its own,
    and the hash of its code."""

    clock: Clock
    ids: Ids
    rng: Rng
    lease_token: Callable[[], str]
    alone: bool = True
    build: Callable[..., str] = build_of


def assemble(
    settings: Settings, strategy: Strategy, runner_id: str, ledger: Ledger, venue: Venue, around: Surroundings
) -> Session:
    """Connect the parts of a session; what is opened and closed is the caller's."""
    clock, ids, rng, journal = around.clock, around.ids, around.rng, ledger.journal
    account, delivery = settings.account, settings.delivery
    pace = Pace(
        visibility_s=delivery.visibility_s,
        lookup_interval_s=delivery.lookup_interval_s,
        lookups=delivery.lookups,
        retry_initial_s=delivery.retry_initial_s,
        retry_jitter_s=delivery.retry_jitter_s,
        max_concurrent=delivery.max_concurrent,
        send_within_s=delivery.takeover_s / 2,
    )
    lane = Lane(ledger, clock, ids, account, runner_id, delivery.takeover_s) if delivery.shared else None
    outbox = Outbox(ledger, venue.broker, clock, ids, rng, around.lease_token, pace, account, lane)
    outbox.leave.halt = find_halt_file(settings.ledger, settings.halt_file)
    inbox = Inbox(ledger, venue.broker, ids, account, adopts=delivery.foreign_orders == "adopt")
    terms = Terms(
        account=account,
        limits=settings.risk.limits(of_a_day=venue.replay is None),
        not_after_s=not_after_s(settings, venue),
        account_max_age_s=delivery.account_max_age_s if venue.replay is None else None,
        assets_max_age_s=delivery.assets_max_age_s if venue.replay is None else None,
        stream_grace_s=delivery.stream_grace_s,
        cash_tolerance=delivery.cash_tolerance,
        vigilance=settings.triggers.vigilance(is_replayed=venue.replay is not None),
        exits=settings.exits.plan(),
        build=around.build(venue.broker, strategy),
        alone=around.alone,
        is_replayed=venue.replay is not None,
    )
    projector = Projector(journal, kept_views(journal))
    engine = Engine(ledger, venue.broker, strategy, outbox, inbox, projector, clock, ids, terms)
    feed = BarFeed(venue.market_data, settings.market_data.symbols or venue.symbols, clock)
    conductor = Conductor(
        ledger, clock, ids, account,
        wake=engine.catch_up, held_back=engine.held_back, with_asset=engine.assets.on,
    )  # fmt: skip
    engine.follower.listen(conductor.observe)
    return Session(runner_id, settings, journal, engine, venue, feed, clock, conductor)


def _check_place(url: str) -> None:
    """Whether a ledger's file can be where the URL says. Raises `ConfigurationError`, `InputError`."""
    path = ledger_path(url)
    if path is None:
        return
    if path.is_dir():
        raise ConfigurationError(f"ledger: {path} is a directory; name a file, such as sqlite:///tradecore.db")
    if not path.parent.is_dir():
        raise ConfigurationError(f"ledger: there is no directory {path.parent}; make it, or name another place")


def make_strategy(settings: Settings) -> Strategy:
    """The strategy that the settings name: installed, or `file.py:Class`. Raises `ConfigurationError`, `InputError`."""
    chosen = settings.strategy
    if settings.agent.name and "strategy" not in settings.model_fields_set:
        return NoStrategy()  # who names an agent does not mean the default rules beside it
    factory = load_strategy(chosen.name)
    try:
        strategy: Strategy = factory(**chosen.parameters)
    except TypeError as error:
        raise ConfigurationError(f"strategy.parameters: {chosen.name} does not take them: {error}") from None
    except InputError as error:
        raise ConfigurationError(str(error)) from None
    return strategy
