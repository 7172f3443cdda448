"""A session on the embedded exchange with an agent whose models say what a test wants."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
from pydantic import ValidationError

from tests.runner.market import write_csv
from tradecore.cycle.orchestrator import Cycle
from tradecore.domain.events import Event
from tradecore.domain.model_call import ChainStep, ModelFailure
from tradecore.feed import MINUTE
from tradecore.ports.model import Abstained, Answered, AnsweredCall, AnswerT, Exhausted, ModelRequest
from tradecore.runner.contract import Session
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore_daemon.daemon import Daemon

Script = Callable[[ModelRequest[Any]], dict[str, Any] | None]
"""What a model says to a question, as the fields of the answer; None where no model answers."""


class ScriptedModels:
    """A gateway without a wire: answers are held against their form as a real one does."""

    def __init__(self, script: Script) -> None:
        self.asked: list[ModelRequest[Any]] = []
        self.held: anyio.Event | None = None
        self._script = script

    async def ask(self, request: ModelRequest[AnswerT]) -> Answered[AnswerT] | Abstained[AnswerT] | Exhausted:
        self.asked.append(request)
        if self.held is not None:
            await self.held.wait()
        said = self._script(request)
        question = f"question-{len(self.asked)}"
        if said is None:
            return self._nobody(question, ModelFailure.TIMEOUT)
        try:
            value = request.answer.model_validate(said)
        except ValidationError:
            return self._nobody(question, ModelFailure.INVALID)
        call = AnsweredCall(
            question, "local", "scripted", 1, 10, 10, Decimal("0.001"), Decimal("0.01"), False, "0" * 64, "1" * 64, ""
        )
        reason = value.abstention()
        return Answered(value, call) if reason is None else Abstained(value, reason, call)

    def _nobody(self, question: str, failure: ModelFailure) -> Exhausted:
        step = ChainStep("local", "scripted", failure, "as scripted")
        return Exhausted(question, (step,), Decimal(0), "0" * 64, "")


class NoScreen:
    """Shows nothing."""

    def update(self, done: int, total: int | None, message: str) -> None:
        pass


@attrs.define
class Stage:
    """A session that can be run, and what it left."""

    session: Session
    models: ScriptedModels

    async def play(self) -> str:
        """Run to the end of the market."""
        return await Daemon().run(self.session, NoScreen())

    @property
    def cycle(self) -> Cycle:
        assert self.session.cycle is not None, "an agent is configured"
        return self.session.cycle

    @asynccontextmanager
    async def running(self) -> AsyncIterator[dt.datetime]:
        """Delivery and reports at work, on a market that moved one minute; yields its time."""
        engine, replay = self.session.engine, self.session.venue.replay
        assert replay is not None, "the market is replayed"
        await engine.begin(self.session.runner_id)
        async with anyio.create_task_group() as group:
            group.start_soon(engine.outbox.run)
            group.start_soon(engine.inbox.run)
            group.start_soon(self.session.conductor.run)
            yield (await replay.advance()).time
            group.cancel_scope.cancel()

    async def minute(self) -> dt.datetime:
        """Move the market by a minute, and let everything that this led to be done."""
        engine, venue = self.session.engine, self.session.venue
        assert venue.replay is not None, "the market is replayed"
        state = await venue.replay.advance()
        await engine.collect()
        for bar in await venue.market_data.history(self.session.feed.symbols, state.time - MINUTE, state.time):
            engine.decide(bar)
        await anyio.wait_all_tasks_blocked()
        await engine.outbox.drain()
        return state.time

    def events(self, kind: type[Event]) -> list[Any]:
        return [item.event for item in self.session.journal.read(0, 1_000_000) if isinstance(item.event, kind)]


@asynccontextmanager
async def staged(folder: Path, script: Script, minutes: int = 30, **tables: Any) -> AsyncIterator[Stage]:
    """A ledger in the folder, a market of two symbols, and the agent `single`."""
    bars = write_csv(folder, minutes)
    chosen: dict[str, Any] = {
        "ledger": f"sqlite:///{folder / 'tradecore.db'}",
        "market_data": {"bars": str(folder / bars)},
        "agent": {"name": "single"},
        "risk": {"defaults": "none"},
    }
    models = ScriptedModels(script)
    settings = load_settings(None, chosen | tables)
    async with open_session(settings, gateway=models) as session:
        yield Stage(session, models)


def decision(action: str, confidence: str = "0.8", size: str = "0.05", **more: Any) -> dict[str, Any]:
    """An answer of a model that decides."""
    return {"action": action, "confidence": confidence, "size_fraction": size, "reasoning": "a test says so", **more}
