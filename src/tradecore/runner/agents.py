"""Wiring of cycles: from settings to an agent, and to the cycles that ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

from tradecore.cycle.note_files import NoteFiles
from tradecore.cycle.orchestrator import Cycle
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.sources import Sources
from tradecore.cycle.turn import Turn
from tradecore.domain.judgement import CycleMode
from tradecore.engine import Engine
from tradecore.errors import ConfigurationError, InputError
from tradecore.ports.agent import Agent
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.model import ModelGateway
from tradecore.ports.venue import Venue
from tradecore.runner.models import open_gateway
from tradecore.runner.plugins import load_plugin
from tradecore.settings import Settings


@asynccontextmanager
async def open_cycle(
    settings: Settings,
    engine: Engine,
    venue: Venue,
    clock: Clock,
    ids: Ids,
    runner_id: str,
    not_after_s: float,
    gateway: ModelGateway | None = None,
    agent: Agent | None = None,
    *,
    sources: Sources | None = None,
    alone: bool = True,
) -> AsyncIterator[Cycle | None]:
    """The cycles that the settings ask for, with a way to models; None where no agent is named.

    `gateway`, `agent` and `sources` stand in for those of the settings; `alone` when no other process had the
    ledger. Raises `ConfigurationError`, and what the gateway raises.
    """
    if agent is not None:
        yield make_cycle(
            settings, agent, engine, venue, clock, ids, runner_id, not_after_s, sources=sources, alone=alone
        )
        return
    if not settings.agent.name:
        yield None
        return
    async with AsyncExitStack() as stack:
        if gateway is None:
            opening = open_gateway(settings.models, engine.ledger, clock, ids, settings.account)
            gateway = await stack.enter_async_context(opening)
        yield make_cycle(
            settings, make_agent(settings, gateway), engine, venue, clock, ids, runner_id, not_after_s, alone=alone
        )


def make_agent(settings: Settings, gateway: ModelGateway) -> Agent:
    """The agent that the settings name. Raises `ConfigurationError`."""
    chosen = settings.agent
    factory = load_plugin("agents", chosen.name, "agent.name")
    try:
        agent: Agent = factory(gateway, **chosen.parameters)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"agent.parameters: {chosen.name} does not take them: {error}") from None
    except InputError as error:
        raise ConfigurationError(str(error)) from None
    return agent


def make_cycle(
    settings: Settings,
    agent: Agent,
    engine: Engine,
    venue: Venue,
    clock: Clock,
    ids: Ids,
    runner_id: str,
    not_after_s: float,
    *,
    sources: Sources | None = None,
    alone: bool = True,
) -> Cycle:
    """The cycles of an account. Raises `ConfigurationError` where nobody said which symbols to look at."""
    symbols = settings.market_data.symbols or venue.symbols
    if not symbols:
        raise ConfigurationError("market_data.symbols: an agent needs to be told which symbols to look at")
    said = settings.cycle
    rules = CycleRules(
        every_s=said.every_s,
        mode=said.mode or (CycleMode.MANUAL if settings.broker.live else CycleMode.AUTONOMOUS),
        approve_below=Decimal(said.approve_below),
        max_size_fraction=Decimal(said.max_size_fraction),
        max_price_distance=Decimal(said.max_price_distance),
        data_max_age_s=said.data_max_age_s,
        decide_s=said.decide_s,
        deliver_s=said.deliver_s,
        not_after_s=not_after_s,
        exits=settings.exits.plan(),
        allow_adding=said.allow_adding,
        allow_short=said.allow_short,
    )
    turn = None
    if settings.delivery.shared:  # silence between cycles, or in a step of one, is no death
        longest = max(rules.every_s, rules.decide_s, rules.deliver_s)
        patience_s = longest + settings.delivery.takeover_s
        turn = Turn(engine.ledger, clock, ids, settings.account, runner_id, patience_s, alone=alone)
    run = said.run or runner_id
    sources = sources or (NoteFiles(Path(said.notes)) if said.notes else None)
    return Cycle(engine, agent, venue.market_data, clock, ids, settings.account, symbols, rules, run, sources, turn)
