"""What the gateway must do over every kind of provider, as tests. Subclass and name the kind of provider.

class TestOverMine(ModelGatewayContract):
    kind = "mine"  # an entry point of `tradecore.models`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any, Literal, TypeVar

import anyio
import pytest
from pydantic import Field

from tradecore.domain.events import (
    BudgetReserved,
    BudgetSettled,
    ModelCallAnswered,
    ModelCallFailed,
    ModelCallRequested,
)
from tradecore.domain.messages import Cause
from tradecore.domain.model_budget import month_of
from tradecore.domain.model_call import Criticality, ModelFailure
from tradecore.errors import InputError, SecretInPrompt
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.models.replay import ReplayGateway
from tradecore.ports.model import (
    Abstained,
    Answer,
    Answered,
    Exhausted,
    Message,
    ModelGateway,
    ModelRequest,
    Speaker,
)
from tradecore.runner.models import open_gateway
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings_models import ModelsSettings
from tradecore.testing.model_acts import Fault, Say
from tradecore.testing.model_server import ModelServer

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_SECRET = "a-broker-key-that-only-tests-have"  # noqa: S105  a secret that is none
_BUY = '{"action": "BUY", "confidence": 0.7}'
_HOLD = '{"action": "HOLD", "confidence": 0.9}'
Result = TypeVar("Result")


class Opinion(Answer):
    """An answer with every kind of limit."""

    action: Literal["BUY", "SELL", "HOLD"]
    confidence: Decimal = Field(ge=0, le=1)

    def abstention(self) -> str | None:
        """Holding is doing nothing."""
        return "hold" if self.action == "HOLD" else None


def asking(text: str = "Buy AAPL?", **more: Any) -> ModelRequest[Opinion]:
    """A question."""
    fields: dict[str, Any] = {
        "role": "trader",
        "criticality": Criticality.MEDIUM,
        "purpose": "decide",
        "messages": (Message(Speaker.USER, text),),
        "answer": Opinion,
        "run": "run-1",
        "cause": Cause(_TRACE, actor="contract"),
    }
    return ModelRequest(**{**fields, **more})


class ModelGatewayContract:
    """The promises of `tradecore.ports.model`."""

    kind = ""
    prefix = ""
    """What stands before the name of a model, where the provider wants that."""

    @pytest.fixture
    def models(self) -> Iterator[ModelServer]:
        """A server whose models say BUY."""
        with ModelServer(lambda _: _BUY) as server:
            yield server

    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        """An empty ledger."""
        journal = open_journal("memory:")
        yield journal
        journal.close()

    def settings(self, url: str, **more: Any) -> ModelsSettings:
        """Two models, asked one after the other."""
        entry = {"provider": "local", "input_per_million": 1, "output_per_million": 4, "max_output_tokens": 200}
        fields = {
            "providers": {"local": {"kind": self.kind, "base_url": url}},
            "catalogue": {name: {**entry, "model": self.prefix + name} for name in ("first", "second")},
            "chains": {"default": ["first", "second"]},
        }
        return ModelsSettings.model_validate({**fields, **more})

    def live(
        self, journal: Journal, settings: ModelsSettings, story: Callable[[ModelGateway], Awaitable[Result]]
    ) -> Result:
        """Run a story with a gateway that is open."""

        async def run() -> Result:
            clock, ids = SystemClock(), SystemIds()
            async with open_gateway(settings, Ledger(journal, clock, ids), clock, ids, "main") as gateway:
                return await story(gateway)

        return anyio.run(run)

    def test_an_answer_an_abstention_and_no_answer_are_three_things(
        self, models: ModelServer, journal: Journal
    ) -> None:
        models.script("first", Say(_BUY), Say(_HOLD), Fault.server_error())
        models.script("second", Fault.server_error())

        async def story(gateway: ModelGateway) -> list[object]:
            return [await gateway.ask(asking()) for _ in range(3)]

        said, abstained, exhausted = self.live(journal, self.settings(models.url), story)
        assert isinstance(said, Answered)
        assert said.value == Opinion(action="BUY", confidence=Decimal("0.7"))
        assert isinstance(abstained, Abstained)
        assert abstained.reason == "hold"
        assert isinstance(exhausted, Exhausted)
        assert [step.failure for step in exhausted.steps] == [ModelFailure.SERVER_ERROR] * 2

    def test_every_attempt_is_on_record_before_it_is_made(self, journal: Journal) -> None:
        seen: list[int] = []

        def look(_: object) -> str:
            seen.append(sum(isinstance(one.event, ModelCallRequested) for one in journal.read(0)))
            return _BUY

        with ModelServer(look) as watching:
            self.live(journal, self.settings(watching.url), lambda gateway: gateway.ask(asking()))
        assert seen == [1]

    def test_the_first_model_that_answers_ends_the_question(self, models: ModelServer, journal: Journal) -> None:
        models.script("first", Fault.rate_limited(7))
        found = self.live(journal, self.settings(models.url), lambda gateway: gateway.ask(asking()))
        assert isinstance(found, Answered)
        assert (found.call.model, found.call.attempts) == (self.prefix + "second", 2)
        (failed,) = events(journal, ModelCallFailed)
        assert (failed.failure, failed.status, failed.retry_after_s) == (ModelFailure.RATE_LIMITED, 429, Decimal(7))
        assert (models.count("first"), models.count("second")) == (1, 1)

    def test_fifty_questions_at_once_and_a_budget_for_one(self, models: ModelServer, journal: Journal) -> None:
        """Room is taken before a call: exactly one passes, however many come at the same moment."""
        one = self.settings(models.url, chains={"default": ["first"]})
        self.live(journal, one, lambda gateway: gateway.ask(asking("a price")))
        (taken,) = events(journal, BudgetReserved)
        spent = events(journal, ModelCallAnswered)[0].cost
        budget = {"per_day": str(spent + taken.amount), "per_request": "none"}
        before = models.count("first")

        async def story(gateway: ModelGateway) -> list[object]:
            found: list[object] = []

            async def ask(number: int) -> None:
                found.append(await gateway.ask(asking("a price", run=f"run {number}")))

            async with anyio.create_task_group() as tasks:
                for number in range(50):
                    tasks.start_soon(ask, number)
            return found

        models.script("first", Say(_BUY, delay_s=0.3))
        found = self.live(journal, self.settings(models.url, chains={"default": ["first"]}, budget=budget), story)
        refused = [one for one in found if isinstance(one, Exhausted)]
        assert (len(refused), models.count("first") - before) == (49, 1)
        assert {step.failure for one in refused for step in one.steps} == {ModelFailure.OVER_BUDGET}

    def test_a_call_is_settled_by_what_was_used_or_in_full(self, models: ModelServer, journal: Journal) -> None:
        models.script("first", Say(_BUY, usage=(1000, 10)), Say(_BUY, usage=None), Fault.rate_limited())

        async def story(gateway: ModelGateway) -> None:
            for _ in range(3):
                await gateway.ask(asking())

        self.live(journal, self.settings(models.url, chains={"default": ["first"]}), story)
        used, unknown, nothing = events(journal, BudgetSettled)
        assert used.amount == Decimal("0.00104")
        assert unknown.amount == unknown.reserved > 0
        assert nothing.amount == 0

    def test_a_model_without_a_price_is_never_asked(self, models: ModelServer, journal: Journal) -> None:
        entry = {"provider": "local", "model": self.prefix + "free", "input_per_million": 1}
        settings = self.settings(models.url, catalogue={"free": entry}, chains={"default": ["free"]})
        found = self.live(journal, settings, lambda gateway: gateway.ask(asking()))
        assert isinstance(found, Exhausted)
        assert found.steps[0].failure is ModelFailure.NO_PRICE
        assert models.requests == []

    def test_no_question_outlasts_its_deadline(self, models: ModelServer, journal: Journal) -> None:
        models.script("first", Fault.hang())
        soon = SystemClock().monotonic() + 0.3
        found = self.live(journal, self.settings(models.url), lambda gateway: gateway.ask(asking(deadline=soon)))
        assert isinstance(found, Exhausted)
        assert [step.failure for step in found.steps] == [ModelFailure.TIMEOUT, ModelFailure.OUT_OF_TIME]

    def test_no_key_leaves_in_a_prompt(
        self, models: ModelServer, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APCA_API_SECRET_KEY", _SECRET)
        head = journal.head()
        with pytest.raises(SecretInPrompt, match="APCA_API_SECRET_KEY") as caught:
            self.live(
                journal, self.settings(models.url), lambda gateway: gateway.ask(asking(f"News: {_SECRET} is loose"))
            )
        assert _SECRET not in str(caught.value)
        assert models.requests == []
        assert not any(isinstance(one.event, ModelCallRequested) for one in journal.read(head))

    def test_a_recorded_run_is_replayed_without_a_call(self, models: ModelServer, journal: Journal) -> None:
        models.script("first", Say(_BUY), Say(_HOLD), Fault.server_error())
        models.script("second", Fault.server_error())

        async def story(gateway: ModelGateway) -> list[object]:
            return [await gateway.ask(asking()) for _ in range(3)]

        live = self.live(journal, self.settings(models.url), story)
        asked, head = len(models.requests), journal.head()

        async def again() -> list[object]:
            return await story(ReplayGateway(journal, "run-1"))

        assert anyio.run(again) == live
        assert (len(models.requests), journal.head()) == (asked, head)

    @pytest.mark.parametrize("more", [{"messages": ()}, {"role": ""}, {"purpose": ""}, {"run": ""}], ids=str)
    def test_a_request_that_makes_no_sense_is_refused(
        self, models: ModelServer, journal: Journal, more: dict[str, Any]
    ) -> None:
        with pytest.raises(InputError, match=next(iter(more))):
            self.live(journal, self.settings(models.url), lambda gateway: gateway.ask(asking(**more)))

    def test_nothing_stays_open(self, models: ModelServer, journal: Journal) -> None:
        models.script("first", Fault.cut())
        self.live(journal, self.settings(models.url), lambda gateway: gateway.ask(asking()))
        clock = SystemClock()
        ledger = Ledger(journal, clock, SystemIds())
        assert not ledger.budget(month_of("main", clock.now())).open


EventT = TypeVar("EventT")


def events(journal: Journal, kind: type[EventT]) -> list[EventT]:
    """All events of a class, in order."""
    return [one.event for one in journal.read(0, 100_000) if isinstance(one.event, kind)]
