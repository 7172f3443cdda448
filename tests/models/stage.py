"""A ledger, a model server and a gateway between them, for tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Literal, TypeVar

import anyio
from pydantic import Field

from tradecore.domain.events import Event
from tradecore.domain.messages import Cause
from tradecore.domain.model_budget import BudgetState, month_of
from tradecore.domain.model_call import Criticality
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.models.gateway import Gateway
from tradecore.ports.model import Abstained, Answer, Answered, Exhausted, Message, ModelRequest, Speaker
from tradecore.runner.models import open_gateway
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings_models import ModelsSettings
from tradecore.testing.model_acts import Act
from tradecore.testing.model_server import ModelServer

TRACE = "0af7651916cd43dd8448eb211c80319c"
EventT = TypeVar("EventT", bound=Event)


class Verdict(Answer):
    """What the models of these tests are asked for."""

    action: Literal["BUY", "SELL", "HOLD"]
    confidence: Decimal = Field(ge=0, le=1)

    def abstention(self) -> str | None:
        return "nothing to do" if self.action == "HOLD" else None


BUY = '{"action": "BUY", "confidence": 0.7}'
HOLD = '{"action": "HOLD", "confidence": 0.9}'
Outcome = Answered[Verdict] | Abstained[Verdict] | Exhausted


class MovedClock(SystemClock):
    """The machine's clock, which a test can put forward."""

    def __init__(self) -> None:
        self.by_s = 0.0
        self.set_by_s = 0.0
        """How far the wall's clock alone was set."""

    def now_ns(self) -> int:
        return super().now_ns() + int((self.by_s + self.set_by_s) * 1e9)

    def now(self) -> dt.datetime:
        return super().now() + dt.timedelta(seconds=self.by_s + self.set_by_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.by_s


def question(text: str = "Buy AAPL?", **more: Any) -> ModelRequest[Verdict]:
    """A question of a trader."""
    fields: dict[str, Any] = {
        "role": "trader",
        "criticality": Criticality.MEDIUM,
        "purpose": "decide on AAPL",
        "messages": (Message(Speaker.SYSTEM, "You trade."), Message(Speaker.USER, text)),
        "answer": Verdict,
        "run": "run-1",
        "cause": Cause(TRACE, actor="agent:test"),
    }
    return ModelRequest(**{**fields, **more})


def settings_for(url: str, models: tuple[str, ...] = ("first", "second"), **more: Any) -> ModelsSettings:
    """Settings with a chain of these models; model `a@p` is at a provider `p` of its own."""
    providers: dict[str, Any] = {}
    catalogue: dict[str, Any] = {}
    for name in models:
        model, _, provider = name.partition("@")
        provider = provider or "local"
        providers[provider] = {"kind": "openai_http", "base_url": url}
        catalogue[name] = {
            "provider": provider,
            "model": model,
            "input_per_million": "1",
            "output_per_million": "4",
            "max_output_tokens": 200,
            "timeout_s": 5,
        }
    fields = {"providers": providers, "catalogue": catalogue, "chains": {"default": list(models)}}
    for key, value in more.items():
        fields[key] = {**fields.get(key, {}), **value} if isinstance(value, Mapping) else value
    return ModelsSettings.model_validate(fields)


def changed(settings: ModelsSettings, name: str, /, **values: Any) -> ModelsSettings:
    """The settings with another entry for a model of the catalogue."""
    plain = settings.model_dump()
    plain["catalogue"][name].update(values)
    return ModelsSettings.model_validate(plain)


class Stage:
    """A ledger with a clock that can be moved."""

    def __init__(self, url: str = "memory:") -> None:
        self.clock = MovedClock()
        self.ids = SystemIds()
        self.journal: Journal = open_journal(url)
        self.ledger = Ledger(self.journal, self.clock, self.ids)

    @asynccontextmanager
    async def gateway(self, settings: ModelsSettings) -> AsyncIterator[Gateway]:
        async with open_gateway(settings, self.ledger, self.clock, self.ids, "main") as gateway:
            yield gateway

    def ask(self, settings: ModelsSettings, *requests: ModelRequest[Verdict]) -> list[Outcome]:
        """Ask one after the other in one gateway."""

        async def story() -> list[Outcome]:
            async with self.gateway(settings) as gateway:
                return [await gateway.ask(request) for request in requests]

        return anyio.run(story)

    def ask_one(self, settings: ModelsSettings, request: ModelRequest[Verdict] | None = None) -> Outcome:
        """Ask once."""
        return self.ask(settings, request or question())[0]

    def events(self, kind: type[EventT]) -> list[EventT]:
        """All events of a class, in order."""
        return [one.event for one in self.journal.read(0, 100_000) if isinstance(one.event, kind)]

    def budget(self) -> BudgetState:
        """This month of the budget."""
        return self.ledger.budget(month_of("main", self.clock.now()))


def failing(server: ModelServer, **acts: Act) -> None:
    """Scripts by model."""
    for model, act in acts.items():
        server.script(model, act)
