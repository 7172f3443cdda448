"""The judge of agents: cycles, decisions, calls and money, held against what the models really said and billed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from tests.simulation.books import Fail
from tests.simulation.minds import DECIDE_S
from tests.simulation.spending import Spending
from tradecore.domain import events as ev
from tradecore.domain.judgement import Stance
from tradecore.domain.messages import Recorded
from tradecore.domain.values import Purpose, Side

if TYPE_CHECKING:
    from tests.simulation.minds import Mind
    from tests.simulation.model_stub import Said

_SLACK_S = 0.05
_EQUITY = Decimal(110_000)
"""More than the account ever has."""


@attrs.define(eq=False)
class Call:
    """A request to a model, as recorded, and what was really said to it."""

    question_id: str
    attempt: int
    by: str
    provider: str
    trace: str
    span: str
    purpose: str
    decision_id: str | None
    reserved: Decimal
    prompt_hash: str
    posts: int = 0
    said: Said | None = None
    bill: Decimal = Decimal(0)
    ended: str = ""
    settled: Decimal | None = None
    answer_hash: str = ""


@attrs.define(eq=False)
class Decision:
    """A decision of an agent, as recorded."""

    asked: ev.DecisionRequested
    trace: str
    by: str
    at: float
    calls: list[Call] = attrs.field(factory=list)
    concluded: ev.DecisionConcluded | None = None
    validated: ev.DecisionValidated | None = None
    lapsed: bool = False
    orders: list[ev.OrderPlanned] = attrs.field(factory=list)

    @property
    def answers(self) -> list[Call]:
        """The calls that were answered."""
        return [call for call in self.calls if call.ended == "answered"]


class Thoughts:
    """Follows the log."""

    def __init__(self, fail: Fail, reach: Counter[str], mind: Mind | None) -> None:
        self.fail = fail
        self.reach = reach
        self.mind = mind
        self.spending = Spending(fail, mind)
        self.disturbed: set[str] = set()
        """Processes that were paused since they last asked for a decision."""
        self._calls: dict[tuple[str, int], Call] = {}
        self._due: set[tuple[str, str, dt.datetime]] = set()
        self._live: dict[str, str] = {}
        self.decisions: dict[str, Decision] = {}
        self._traces: dict[str, str] = {}

    # --- on the wire ------------------------------------------------------------------------------------------------

    def asked(self, now: float, by: str, provider: str, trace: str, span: str) -> Call | None:
        """A request leaves a process: it must be recorded by it, once, with its price reserved, and be open."""
        for call in reversed(self._calls.values()):
            if (call.by, call.provider, call.trace, call.span) == (by, provider, trace, span) and not call.ended:
                call.posts += 1
                if call.posts > 1:
                    self.fail("I15", f"{by} asks {provider} twice under one record: {call.purpose}")
                return call
        self.fail("I15", f"{by} asks {provider} at {now:.3f}, and no open call of its own is on record")
        return None

    def said(self, call: Call, said: Said) -> None:
        """The model has answered, and bills what it says; it may never arrive."""
        call.said, call.bill = said, said.bill
        if said.bill > call.reserved:
            self.fail("I15", f"{call.provider} bills {said.bill} for {call.purpose}; reserved were {call.reserved}")
        self._check_settled(call)

    def _check_settled(self, call: Call) -> None:
        if call.settled is not None and call.settled < call.bill:
            self.fail("I15", f"{call.purpose} is settled with {call.settled}; {call.provider} bills {call.bill}")

    # --- on record --------------------------------------------------------------------------------------------------

    def written(self, now: float, by: str, recorded: Sequence[Recorded[ev.Event]]) -> None:
        """Look at an append."""
        ended, planned = [], []
        armed: dict[str, ev.ExitsArmed] = {}
        for one in recorded:
            event = one.event
            match event:
                case ev.ModelCallRequested():
                    self._requested(by, one.envelope.trace_id, event)
                    ended.append(self._calls[event.question_id, event.attempt])
                case ev.ModelCallAnswered():
                    ended.append(self._answered(event))
                case ev.ModelCallFailed():
                    call = self._calls[event.question_id, event.attempt]
                    call.ended = "failed"
                    if "plugin raised" in event.message:
                        self.fail("crash", f"{call.purpose}: {event.message}")
                    self.reach[f"call:{event.failure.value}"] += 1
                    ended.append(call)
                case ev.BudgetReserved():
                    self.spending.reserved(event)
                case ev.BudgetSettled():
                    self.spending.settled(event)
                    question_id, _, attempt = event.reservation_id.rpartition(":")
                    call = self._calls[question_id, int(attempt)]
                    call.settled = event.amount
                    self._check_settled(call)
                    self.reach[f"settled:{event.settled_by.value}"] += 1
                case ev.ModelChainExhausted():
                    for step in event.steps:
                        self.reach[f"missed:{step.failure.value}"] += 1
                case ev.ExitsArmed():
                    armed[event.order_id] = event
                case ev.TradeProposed():
                    self._traces[event.trade_id] = one.envelope.trace_id
                case ev.OrderPlanned():
                    self._planned(one.envelope.trace_id, event)
                    planned.append(event)
                case _:
                    self._decided(now, by, one.envelope.trace_id, event)
        for call in ended:
            self.spending.check(call.question_id, call.attempt, is_open=not call.ended)
        for order in planned:
            self._check_exits(order, armed.get(order.order_id))

    def _requested(self, by: str, trace: str, event: ev.ModelCallRequested) -> None:
        call = Call(
            event.question_id,
            event.attempt,
            by,
            event.provider,
            trace,
            event.wire_hash[:16],
            event.purpose,
            event.decision_id,
            event.reserved,
            event.prompt_hash,
        )
        self._calls[event.question_id, event.attempt] = call
        decision = self.decisions.get(event.decision_id or "")
        if decision is None or decision.trace != trace:
            self.fail("I7", f"{by} asks a model for decision {event.decision_id}, which is not on record in its trace")
        else:
            decision.calls.append(call)

    def _answered(self, event: ev.ModelCallAnswered) -> Call:
        call = self._calls[event.question_id, event.attempt]
        call.ended, call.answer_hash = "answered", event.answer_hash
        said = call.said
        if said is None or said.content is None:
            kind = "nothing" if said is None else said.kind
            self.fail("A2", f"{call.purpose} is recorded as answered; the model said {kind}")
        elif event.cost < said.bill or (said.counts and event.cost > said.bill + Decimal("1e-9")):
            self.fail("I15", f"{call.purpose} is recorded with {event.cost}, and {call.provider} bills {said.bill}")
        return call

    def _decided(self, now: float, by: str, trace: str, event: ev.Event) -> None:
        match event:
            case ev.CycleStarted():
                place = (event.account, event.agent, event.due_at)
                if place in self._due:
                    self.fail("A1", f"{by} begins the cycle of {event.due_at} a second time")
                if self._live:
                    self.fail("A1", f"{by} begins a cycle while another is live: {list(self._live.values())}")
                self._due.add(place)
                self._live[event.cycle_id] = by
            case ev.CycleCompleted() | ev.CycleFailed():
                if self._live.pop(event.cycle_id, None) is None:
                    self.fail("A1", f"{by} ends cycle {event.cycle_id}, which is not live")
                self.reach[event.NAME] += 1
            case ev.CycleStepped():
                begun_by = self._live.get(event.cycle_id, "")
                if _machine(by) != _machine(begun_by):  # who was restarted in the middle goes on
                    self.fail("A1", f"{by} goes on with cycle {event.cycle_id}, which is {begun_by or 'nobody'}'s")
            case ev.DecisionRequested():
                if event.cycle_id not in self._live:
                    self.fail("A1", f"{by} asks for a decision of cycle {event.cycle_id}, which is not live")
                self.decisions[event.decision_id] = Decision(event, trace, by, now)
                self.disturbed.discard(by)
            case ev.DecisionConcluded():
                self._concluded(now, by, event)
            case ev.DecisionValidated():
                self._validated(event)
            case ev.DecisionLapsed() if event.decision_id in self.decisions:
                self.decisions[event.decision_id].lapsed = True
                self.reach["decision lapsed"] += 1
            case _:
                pass

    def _concluded(self, now: float, by: str, event: ev.DecisionConcluded) -> None:
        decision = self.decisions[event.decision_id]
        decision.concluded = event
        self.reach[f"concluded:{event.stance.value}"] += 1
        late_s = now - decision.at - DECIDE_S
        if event.stance.acts and by == decision.by and late_s > _SLACK_S:
            self.fail("A2", f"{event.symbol} is decided {late_s:.2f} s after the time for it was over")
        if not decision.answers:
            if event.stance is not Stance.ABSTAIN:
                self.fail("A2", f"no model answered, and {event.symbol} is decided as {event.stance.value}")
            return
        said = [call.said.content for call in decision.answers if call.said is not None and call.said.content]
        if event.agent == "single":
            self._check_said(event, said[-1:])
        elif event.stance.acts and event.stance.value not in [one.get("action") for one in said]:
            self.fail("A2", f"{event.symbol} is decided as {event.stance.value}, and nobody said so")

    def _check_said(self, event: ev.DecisionConcluded, said: list[dict[str, Any]]) -> None:
        """What one model said is what is decided, to the last digit; only time may turn it into nothing."""
        if event.stance is Stance.ABSTAIN:
            return
        told = [{"action": one["action"]} | {name: _exact(one.get(name)) for name in _NUMBERS} for one in said]
        ours = {"action": event.stance.value} | {name: getattr(event, name) for name in _NUMBERS}
        if told != [ours]:
            self.fail("A2", f"{event.symbol} is decided as {ours}; the model said {told}")

    def _validated(self, event: ev.DecisionValidated) -> None:
        decision = self.decisions[event.decision_id]
        decision.validated = event
        made = decision.concluded
        if not event.stance.acts:
            return
        if made is None or made.stance is not event.stance:
            self.fail("A2", f"{decision.asked.symbol} is to {event.stance.value}, and was decided otherwise")

    def _planned(self, trace: str, order: ev.OrderPlanned) -> None:
        if self.mind is None or order.strategy != self.mind.agent or order.leg or order.replaces:
            return
        if order.purpose is not Purpose.TRADE:
            return
        decision = self.decisions.get(order.decision_id or "")
        kept = None if decision is None else decision.validated
        if decision is None or kept is None or not kept.stance.acts:
            self.fail("A3", f"{order.order_id} is an agent's, and no decision asks for it")
            return
        made, symbol = decision.concluded, decision.asked.symbol
        decision.orders.append(order)
        self.reach["decision became an order"] += 1
        is_traced = trace in (decision.trace, self._traces.get(order.trade_id))  # what adds to a trade is of it
        if not is_traced or order.symbol != symbol or len(decision.orders) > 1 or decision.lapsed:
            self.fail("A3", f"{order.order_id} does not follow from the decision on {symbol}, or not only once")
        side = Side.BUY if kept.stance is Stance.BUY else Side.SELL
        if order.side is not side or order.quantity is None or order.quantity > (kept.quantity or 0):
            self.fail("A3", f"{order.order_id} is {order.side.value} {order.quantity}; decided was {kept}")
        size = None if made is None else made.size_fraction
        if size is not None and order.quantity and order.quantity * (kept.reference_price or 0) > size * _EQUITY:
            self.fail("A3", f"{order.order_id} is for {order.quantity} units, which is more than {size} of the equity")

    def _check_exits(self, order: ev.OrderPlanned, armed: ev.ExitsArmed | None) -> None:
        decision = self.decisions.get(order.decision_id or "")
        if decision is None or decision.concluded is None or order not in decision.orders:
            return
        for name in ("stop_price", "target_price"):
            wanted = getattr(decision.concluded, name)
            if wanted is not None and (armed is None or getattr(armed.plan, name) != wanted):
                self.fail("A3", f"{name} of {order.order_id} was decided as {wanted}, and is armed as {armed}")

    def traced(self) -> list[tuple[str, str]]:
        """What prompts and answers the texts must hold: whose they are, and their hashes."""
        return [
            (order.order_id, digest)
            for decision in self.decisions.values()
            for order in decision.orders
            for call in decision.answers[-1:]
            for digest in (call.prompt_hash, call.answer_hash)
        ]


def in_words(event: ev.Event) -> str:
    """What the timeline says of an event of an agent; nothing of any other."""
    match event:
        case ev.ModelCallRequested():
            return f": {event.purpose}, {event.provider}, {event.reserved} reserved"
        case ev.ModelCallAnswered():
            return f": {event.cost} after {event.latency_s} s"
        case ev.ModelCallFailed():
            return f": {event.failure.value}, {event.cost} after {event.latency_s} s"
        case ev.DecisionConcluded():
            return f": {event.stance.value} {event.symbol} {event.size_fraction} ({event.reasoning[:60]})"
        case ev.DecisionValidated():
            return f": {event.stance.value} {event.quantity} {event.reason}"
        case ev.DecisionLapsed():
            return f": {event.reason}"
        case ev.CycleStepped():
            return f": {event.step.value} {event.result.value} {event.detail}"
        case _:
            return ""


_NUMBERS = ("confidence", "size_fraction", "stop_price", "target_price")


def _machine(process: str) -> str:
    return process.partition(".")[0]


def _exact(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
