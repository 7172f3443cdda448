"""Budgets: room is taken first; limits of every scope; whatever crashes, what is spent stays within them."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.models.stage import BUY, Stage, question, settings_for
from tradecore.domain import events as ev
from tradecore.domain import model_budget
from tradecore.domain.commands import ReserveBudget, SettleBudget
from tradecore.domain.model_budget import BudgetState
from tradecore.domain.model_call import BudgetLimits, ModelFailure, ModelPrice, SettledBy, Usage, cost_of, worst_cost
from tradecore.errors import BudgetRefused, InputError
from tradecore.failpoints import MODEL_FAILPOINTS
from tradecore.ports.model import Answered, Exhausted
from tradecore.testing.model_acts import Say
from tradecore.testing.model_server import ModelServer

NOON = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)


def reservation(name: str = "r1", amount: str = "1", at: dt.datetime = NOON, **more: object) -> ReserveBudget:
    fields: dict[str, object] = {
        "budget": "main-2026-11",
        "reservation_id": name,
        "amount": Decimal(amount),
        "at": at,
        "expires_at": at + dt.timedelta(seconds=60),
        "agent": "bull",
        "decision_id": "d-1",
        "limits": BudgetLimits(),
    }
    return ReserveBudget(**{**fields, **more})  # type: ignore[arg-type]


def after(*events: ev.Event) -> BudgetState:
    state: BudgetState | None = None
    for event in events:
        state = model_budget.evolve(state, event, "main-2026-11")
    assert state is not None
    return state


def settled(name: str, amount: str) -> ev.BudgetSettled:
    return ev.BudgetSettled("main-2026-11", name, Decimal(1), Decimal(amount), SettledBy.USAGE)


@pytest.mark.parametrize("scope", ["per_request", "per_decision", "per_agent_per_day", "per_day", "per_month"])
def test_every_limit_refuses_what_would_exceed_it_and_takes_what_just_fits(scope: str) -> None:
    taken = Decimal(0) if scope == "per_request" else Decimal(3)
    (first,) = model_budget.reserve(BudgetState("b"), reservation("r1", "2"))
    (second,) = model_budget.reserve(BudgetState("b"), reservation("r2", "1"))
    state = after(first, settled("r1", "2"), second)
    fits = BudgetLimits(**{scope: taken + 1})
    model_budget.reserve(state, reservation("r3", "1", limits=fits))
    with pytest.raises(BudgetRefused) as refusal:
        model_budget.reserve(state, reservation("r3", "1.000000001", limits=fits))
    assert (refusal.value.scope, refusal.value.taken) == (scope, taken)


def test_a_limit_of_zero_is_zero() -> None:
    with pytest.raises(BudgetRefused, match="per_day"):
        model_budget.reserve(BudgetState("b"), reservation(limits=BudgetLimits(per_day=Decimal(0))))
    assert model_budget.reserve(BudgetState("b"), reservation(amount="0", limits=BudgetLimits(per_day=Decimal(0))))


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(InputError, match="amount"):
        model_budget.reserve(BudgetState("b"), reservation(amount=amount))


def test_a_new_day_has_the_whole_limit_of_a_day_and_the_month_goes_on() -> None:
    (first,) = model_budget.reserve(BudgetState("b"), reservation("r1", "1", NOON - dt.timedelta(days=1)))
    state = after(first, settled("r1", "1"))
    limits = BudgetLimits(per_day=Decimal(1), per_agent_per_day=Decimal(1))
    model_budget.reserve(state, reservation("r2", "1", limits=limits))
    with pytest.raises(BudgetRefused, match="per_month"):
        model_budget.reserve(state, reservation("r2", "1", limits=BudgetLimits(per_month=Decimal(1))))


def test_settling_twice_counts_once() -> None:
    (first,) = model_budget.reserve(BudgetState("b"), reservation("r1", "1"))
    settle = SettleBudget("main-2026-11", "r1", Decimal("0.2"), SettledBy.USAGE)
    state = after(first, *model_budget.settle(after(first), settle))
    assert model_budget.settle(state, settle) == []
    assert (state.spent, state.of_month(), dict(state.open)) == (Decimal("0.2"), Decimal("0.2"), {})


def test_costs_are_exact_and_rounded_up() -> None:
    price = ModelPrice("p", "m", Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    assert cost_of(price, Usage(1000, 100, 400)) == Decimal("0.00018")
    assert cost_of(price, Usage(1, 0)) == Decimal("0.00000015")
    assert cost_of(ModelPrice("p", "m", Decimal("0.000000001"), Decimal(0), Decimal(0)), Usage(1, 0)) == Decimal("1e-9")
    assert worst_cost(price, 1000, 100) >= cost_of(price, Usage(1000, 100))
    assert worst_cost(ModelPrice("p", "m", Decimal(1), Decimal(1), Decimal(5)), 10, 0) == Decimal("0.00005")


def test_the_budget_survives_a_restart(server: ModelServer, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    server.script("first", Say(BUY, usage=(1000, 100)))
    limit = {"per_month": "0.0020"}
    spent = []
    for _ in range(3):
        stage = Stage(url)
        outcome = stage.ask_one(settings_for(server.url, ("first",), budget=limit))
        spent.append(type(outcome))
        assert stage.budget().of_month() <= Decimal("0.0020")
        stage.journal.close()
    assert spent == [Answered, Exhausted, Exhausted]


def test_a_call_over_the_end_of_a_month_is_settled_in_the_month_that_reserved_it(stage: Stage) -> None:
    """And the first call of the new day has the whole limit of a day."""
    last_second = dt.datetime(2031, 1, 31, 23, 59, 59, tzinfo=dt.UTC)
    stage.clock.set_by_s = (last_second - stage.clock.now()).total_seconds()

    def answer(_: Mapping[str, Any]) -> str:
        stage.clock.set_by_s += 60  # midnight passes while the model thinks
        return BUY

    with ModelServer(answer) as models:
        settings = settings_for(models.url, ("first",), budget={"per_day": "0.0014"})
        said = [type(one) for one in stage.ask(settings, *[question(str(number)) for number in range(3)])]
    assert said == [Answered, Answered, Exhausted], "each day has room for one"
    reserved, settled = stage.events(ev.BudgetReserved), stage.events(ev.BudgetSettled)
    assert [event.budget for event in reserved] == ["main-2031-01", "main-2031-02"]
    assert [event.budget for event in settled] == [event.budget for event in reserved]
    assert not stage.ledger.budget("main-2031-01").open
    assert stage.ledger.budget("main-2031-01").of_month() == settled[0].amount


def test_a_prompt_that_could_cost_more_than_a_request_may_is_not_sent(server: ModelServer, stage: Stage) -> None:
    outcome = stage.ask_one(settings_for(server.url, ("first",)), question("x" * 200_000))
    assert isinstance(outcome, Exhausted)
    assert outcome.steps[0].failure is ModelFailure.OVER_BUDGET
    assert "per_request" in outcome.steps[0].message
    assert server.requests == []


# --- other processes ------------------------------------------------------------------------------------------------

_CHILD = """
import sys
from tests.models.stage import Stage, question, settings_for
url, server, limit, name, count = sys.argv[1:]
stage = Stage(url)
settings = settings_for(server, ("first",), budget={"per_month": limit})
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(count)):
    outcome = stage.ask_one(settings, question(run=name))
    print(type(outcome).__name__, flush=True)
"""


def child(url: str, server: str, limit: str, name: str, count: int = 1, failpoints: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, url, server, limit, name, str(count)],
        env={**os.environ, "TRADECORE_FAILPOINTS": failpoints, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A ledger in a file."""
    yield f"sqlite:///{tmp_path / 'ledger.db'}"  # noqa: PT022  a fixture of the Postgres tests overrides it


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", MODEL_FAILPOINTS)
def test_a_kill_anywhere_in_a_call_never_lets_more_be_spent(server: ModelServer, url: str, failpoint: str) -> None:
    """Killed at the same place again and again: what the provider may have billed stays within the limit."""
    server.script("first", Say(BUY, usage=(1000, 200)))
    cost, limit = Decimal("0.0018"), Decimal("0.004")
    for kill in range(3):
        process = child(url, server.url, str(limit), f"run {kill}", failpoints=f"{failpoint}:1:kill")
        go(process)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break  # there was no room left to be killed in
        assert process.returncode == -signal.SIGKILL
        assert server.count("first") * cost <= limit
    stage = Stage(url)
    stage.ask_one(settings_for(server.url, ("first",), budget={"per_month": str(limit)}), question(run="after"))
    assert server.count("first") * cost <= limit
    assert stage.budget().of_month() <= limit
    if failpoint == "models.reserve.before":
        assert stage.budget().of_month() == cost, "nothing was ever taken by those that died before"

    stage.clock.by_s += 600
    if stage.clock.now().month == (stage.clock.now() - dt.timedelta(seconds=600)).month:
        stage.ask_one(settings_for(server.url, ("first",), budget={"per_month": str(limit)}), question(run="later"))
        lost = [one for one in stage.events(ev.ModelCallFailed) if one.failure is ModelFailure.LOST]
        died_in_between = failpoint in ("models.call.before", "models.call.after")
        assert bool(lost) == died_in_between
        assert not stage.budget().open
        assert stage.budget().spent <= limit
    stage.journal.close()


@pytest.mark.slow
def test_two_processes_never_spend_more_than_the_budget_together(server: ModelServer, url: str) -> None:
    server.script("first", Say(BUY, usage=(100, 200), delay_s=0.02))
    cost, limit = Decimal("0.0009"), Decimal("0.012")
    processes = [child(url, server.url, str(limit), "the same run", 12) for _ in range(2)]
    for process in processes:
        go(process)
    said = [process.communicate(timeout=120)[0].split() for process in processes]
    assert all(process.returncode == 0 for process in processes)
    answered = sum(words.count("Answered") for words in said)
    assert answered == server.count("first")
    assert 0 < answered * cost <= limit
    stage = Stage(url)
    assert stage.budget().of_month() == answered * cost
    occurrences = [one.occurrence for one in stage.events(ev.ModelCallRequested)]
    assert len(set(occurrences)) == len(occurrences), "the same request of the same run is counted, not overwritten"
    stage.journal.close()
