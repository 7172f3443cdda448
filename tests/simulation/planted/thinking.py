"""Bugs of agents and their models: cycles, decisions, calls and money."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import attrs

from tests.simulation.planted.mechanism import Bug, always, instead
from tradecore.agents import single
from tradecore.cycle import deciding, orchestrator, placing, validation
from tradecore.domain import model_budget
from tradecore.domain.identity import derived_id
from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.model_call import BudgetLimits, SettledBy
from tradecore.domain.values import ZERO
from tradecore.exiting import Exits
from tradecore.models import call, question, texts
from tradecore.models.reading import Reading, Unreadable
from tradecore.models.secrets import Secrets
from tradecore.ports.model_provider import CallFailed
from tradecore.runner import agents
from tradecore_openai_http import streaming
from tradecore_openai_http.provider import OpenAIHttp

_BUDGET = model_budget.BudgetState


def _no_limits(right: Any) -> Any:
    return lambda state, command: right(state, attrs.evolve(command, limits=BudgetLimits()))


def _only_settled(right: Any) -> Any:
    return lambda self, *rest: right(attrs.evolve(self, open={}), *rest)


def _hold_is_buy(right: Any) -> Any:
    def judged(said: Any, model: str, cost: Decimal) -> Judgement:
        found: Judgement = right(said, model, cost)
        return attrs.evolve(found, stance=Stance.BUY) if found.stance is Stance.HOLD else found

    return judged


def _silence_is_yes(_right: Any) -> Any:
    return lambda reason, cost=ZERO: Judgement(Stance.BUY, reason, Decimal("0.9"), Decimal("0.001"), cost=cost)


def _no_deadline(_right: Any) -> Any:
    async def judge(self: Any, briefing: Any, _left_s: float) -> Any:
        return await self._agent.judge(attrs.evolve(briefing, deadline=briefing.deadline + 100))

    return judge


def _a_new_cycle_each_time(_right: Any) -> Any:
    number = itertools.count()
    return lambda *parts: derived_id("cycle", *map(str, parts), str(next(number)))


def _all_is_done(right: Any) -> Any:
    def take(told: Any, line: bytes, elapsed_s: Any) -> None:
        right(told, line, elapsed_s)
        told.finish_reason, told.is_done = told.finish_reason or "stop", True

    return take


def _anything_is_hold(right: Any) -> Any:
    def read(answer: Any, message: bytes, finish_reason: str) -> Any:
        try:
            return right(answer, message, finish_reason)
        except Unreadable:
            told = {"action": "hold", "confidence": 1, "reasoning": "it must mean that", "size_fraction": 0}
            known = {name: value for name, value in told.items() if name in answer.model_fields}
            return Reading(answer.model_validate(known)) if "action" in known else right(answer, message, finish_reason)

    return read


def _asks_again(right: Any) -> Any:
    async def complete(self: Any, request: Any) -> Any:
        found = await right(self, request)
        return await right(self, request) if isinstance(found, CallFailed) else found

    return complete


def _only_what_came(right: Any) -> Any:
    def cost(asked: Any, completion: Any, *, is_billable: bool) -> Any:
        return right(asked, completion, is_billable=is_billable) if completion else (ZERO, SettledBy.NOTHING)

    return cost


_asking = [0]


def _counted(right: Any) -> Any:
    async def make(self: Any, asked: Any) -> Any:
        _asking[0] += 1
        try:
            return await right(self, asked)
        finally:
            _asking[0] -= 1

    return make


def _waits_for_models(right: Any) -> Any:
    _asking[0] = 0
    return lambda self, bar: None if _asking[0] > 0 else right(self, bar)


def _ten_times(right: Any) -> Any:
    return lambda *given, **named: right(*given, **named) * 10


def _hashes_only(right: Any) -> Any:
    def put(self: Any, *contents: bytes) -> Any:
        self._keeps = False
        return right(self, *contents)

    return put


BUGS = (
    Bug("reservation stays", "what a call cost never takes the place of its reservation", model_budget, "settle",
        always([]), agents=True),
    Bug("budget has no limits", "reservations are made whatever the limits are", model_budget, "reserve", _no_limits,
        agents=True),
    Bug("open is not counted", "a budget counts only what is settled", _BUDGET, "of_day", _only_settled,
        ((_BUDGET, "of_month", _only_settled), (_BUDGET, "of_decision", _only_settled),
         (_BUDGET, "of_agent", _only_settled)), agents=True),
    Bug("a call costs nothing", "prices are forgotten", call, "cost_of", always(ZERO), agents=True),
    Bug("only answers cost", "a call without an answer is thought to be free", call, "_cost", _only_what_came,
        agents=True),
    Bug("call is repeated", "a request without an answer is sent again under the same record", OpenAIHttp, "complete",
        _asks_again, agents=True),
    Bug("hold is bought", "a model that holds counts as one that buys", single, "judgement_of", _hold_is_buy,
        agents=True),
    Bug("silence is a yes", "the end of the chain buys", single, "abstain", _silence_is_yes, agents=True),
    Bug("deadline is ignored", "an answer that comes too late is used", deciding.Decider, "_judge", _no_deadline,
        agents=True),
    Bug("half a stream is whole", "a stream that stops counts as ended", streaming, "_take", _all_is_done,
        agents=True),
    Bug("schema is a wish", "what does not fit the schema counts as to hold", question, "read_answer",
        _anything_is_hold, agents=True),
    Bug("cycle begins again", "a cycle has another identity each time", orchestrator, "cycle_id_of",
        _a_new_cycle_each_time, agents=True),
    Bug("cycle stays open", "what a process left is not ended by the next one", orchestrator.Cycle, "_end_interrupted",
        always(None), agents=True),
    Bug("everybody thinks", "of two processes both run the cycles", agents, "Turn", always(None), agents=True),
    Bug("ten times as much", "a size is a digit off", validation, "percent_of_equity", _ten_times, agents=True),
    Bug("stop is forgotten", "what the decision says of the way out is not armed", placing, "exits_of", always(None),
        agents=True),
    Bug("exits wait for models", "no bar is held against exits while a model is asked", Exits, "see",
        _waits_for_models, ((call.Caller, "make", _counted),), agents=True),
    Bug("prompts are not kept", "only hashes of prompts and answers are left", texts.Texts, "put", _hashes_only,
        agents=True),
    Bug("key is told", "what a provider echoes is written down", OpenAIHttp, "_hide", instead(lambda _, body: body),
        ((Secrets, "hide", instead(lambda _, text: text)),), agents=True),
)  # fmt: skip
