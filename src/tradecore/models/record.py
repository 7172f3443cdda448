"""What becomes of one question, event by event. Nothing is sent before its reservation is durable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from tradecore.domain import streams
from tradecore.domain.commands import BeginModelCall, CloseQuestion, Command, EndModelCall, ReserveBudget, SettleBudget
from tradecore.domain.events import (
    Event,
    ModelAnswerReused,
    ModelCallAnswered,
    ModelCallFailed,
    ModelCallRequested,
    ModelChainExhausted,
    ModelSwitched,
)
from tradecore.domain.identity import derived_id
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.model_budget import month_of
from tradecore.domain.model_call import BudgetLimits, ChainStep, SettledBy
from tradecore.domain.values import ZERO
from tradecore.errors import BudgetRefused, InputError
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.models.cache import Kept
from tradecore.models.question import Question
from tradecore.models.steps import Step
from tradecore.ports.clock import Clock

_GRACE_S = 60.0  # after its time limit, a call that is not settled belongs to nobody


@attrs.frozen
class Purse:
    """Which budget calls are paid from, within which limits, and which table of prices counts them."""

    budget: str
    limits: BudgetLimits
    price_version: str


@attrs.frozen
class Ticket:
    """A call that was begun: what `Record.end` needs to end it."""

    attempt: int
    budget: str
    reserved: Decimal


def question_id_of(run: str, request_hash: str, occurrence: int) -> str:
    """The identity of a question: the same run asking the same for the n-th time."""
    return derived_id("question", run, request_hash, str(occurrence))


def reservation_id_of(question_id: str, attempt: int) -> str:
    """The identity of the reservation for a call."""
    return f"{question_id}:{attempt}"


class Record:
    """The record of a question that is being asked."""

    def __init__(self, ledger: Ledger, clock: Clock, purse: Purse, question: Question[Any], occurrence: int) -> None:
        """`occurrence` is the first that may be free; another process with the same run may have taken it."""
        self._ledger = ledger
        self._clock = clock
        self._purse = purse
        self._question = question
        self._request_hash = question.request_hash
        self._last_event_id: str | None = None
        self._correlation_id = question.cause.correlation_id
        self.occurrence = occurrence - 1
        self.question_id = ""
        self._move_on()
        self.attempts = 0
        self.cost = ZERO
        self.failed: list[ChainStep] = []

    @property
    def last_event_id(self) -> str:
        """The event that says how the question stands."""
        assert self._last_event_id is not None, "nothing was recorded yet"
        return self._last_event_id

    def begin(self, step: Step, wire_hash: str, amount: Decimal, timeout_s: float) -> Ticket:
        """Reserve the worst that the call can cost and record that it is made. Raises `BudgetRefused`."""
        failpoint("models.reserve.before")
        now = self._clock.now()
        budget = month_of(self._purse.budget, now)

        def make() -> BeginModelCall:
            return self._begin(step, wire_hash, amount, timeout_s, budget, now)

        try:
            self._write(make)
        except BudgetRefused:
            # Another process may have settled meanwhile, and nothing was appended that would have shown it.
            self._ledger.refresh(streams.budget(budget))
            self._write(make)
        self.attempts += 1
        return Ticket(self.attempts, budget, amount)

    def end(self, ticket: Ticket, ended: ModelCallAnswered | ModelCallFailed, settled_by: SettledBy) -> bool:
        """Record what became of a call, with what it cost. False when others found it abandoned and said so."""
        amount = None if settled_by is SettledBy.RESERVATION else ended.cost
        reservation_id = reservation_id_of(self.question_id, ticket.attempt)
        settle = SettleBudget(ticket.budget, reservation_id, amount, settled_by)
        self.cost += ended.cost
        was_open = bool(self._write(lambda: EndModelCall(ended, settle)))
        failpoint("models.settle.after")
        return was_open

    def reuse(self, step: Step, kept: Kept, *, says_no: bool) -> None:
        """Record that the answer to an earlier question is used again."""
        asked = self._question
        self._write(
            lambda: CloseQuestion(
                ModelAnswerReused(
                    question_id=self.question_id,
                    run=asked.run,
                    request_hash=self._request_hash,
                    occurrence=self.occurrence,
                    role=asked.role,
                    criticality=asked.criticality,
                    purpose=asked.purpose,
                    agent=asked.agent,
                    decision_id=asked.decision_id,
                    provider=step.entry.provider,
                    model=step.entry.model,
                    prompt_hash=self._request_hash,
                    answer_hash=kept.answer_hash,
                    source_question_id=kept.question_id,
                    age_s=seconds(kept.age_s),
                    abstained=says_no,
                    finish_reason=kept.completion.finish_reason,
                )
            )
        )

    def exhaust(self) -> None:
        """Record that no model answered."""
        asked = self._question
        self._write(
            lambda: CloseQuestion(
                ModelChainExhausted(
                    question_id=self.question_id,
                    run=asked.run,
                    request_hash=self._request_hash,
                    occurrence=self.occurrence,
                    role=asked.role,
                    criticality=asked.criticality,
                    purpose=asked.purpose,
                    agent=asked.agent,
                    decision_id=asked.decision_id,
                    prompt_hash=self._request_hash,
                    steps=tuple(self.failed),
                )
            )
        )

    def _begin(
        self, step: Step, wire_hash: str, amount: Decimal, timeout_s: float, budget: str, now: dt.datetime
    ) -> BeginModelCall:
        asked, before = self._question, self.failed[-1] if self.failed else None
        attempt = self.attempts + 1
        requested = ModelCallRequested(
            question_id=self.question_id,
            attempt=attempt,
            run=asked.run,
            request_hash=self._request_hash,
            occurrence=self.occurrence,
            role=asked.role,
            criticality=asked.criticality,
            purpose=asked.purpose,
            agent=asked.agent,
            decision_id=asked.decision_id,
            provider=step.entry.provider,
            model=step.entry.model,
            prompt_hash=self._request_hash,
            wire_hash=wire_hash,
            budget=budget,
            reserved=amount,
            price_version=self._purse.price_version,
            timeout_s=seconds(timeout_s),
            fallback_from=None if before is None else f"{before.provider}/{before.model}",
            fallback_reason=None if before is None else before.failure,
        )
        reserve = ReserveBudget(
            budget=budget,
            reservation_id=reservation_id_of(self.question_id, attempt),
            amount=amount,
            at=now,
            expires_at=now + dt.timedelta(seconds=timeout_s + _GRACE_S),
            agent=asked.agent,
            decision_id=asked.decision_id,
            limits=self._purse.limits,
        )
        return BeginModelCall(requested, reserve, self._switched(step))

    def _switched(self, step: Step) -> tuple[ModelSwitched, ...]:
        if not self.failed:
            return ()
        last = self.failed[-1]
        return (
            ModelSwitched(
                question_id=self.question_id,
                provider=last.provider,
                model=last.model,
                failure=last.failure,
                message=last.message,
                next_provider=step.entry.provider,
                next_model=step.entry.model,
            ),
        )

    def _write(self, make: Callable[[], Command]) -> tuple[Recorded[Event], ...]:
        while True:
            try:
                events = self._ledger.handle(make(), self._cause())
            except InputError as error:
                if self._last_event_id is not None or error.field not in ("question", "attempt"):
                    raise
                self._move_on()
                continue
            said = [one.envelope for one in events if one.envelope.stream.startswith("question-")]
            if said:
                self._last_event_id = said[-1].event_id
                self._correlation_id = said[-1].correlation_id
            return events

    def _cause(self) -> Cause:
        given = self._question.cause
        causation = self._last_event_id or given.causation_id
        return msgspec.structs.replace(given, causation_id=causation, correlation_id=self._correlation_id)

    def _move_on(self) -> None:
        """To the next occurrence that nobody took."""
        while True:
            self.occurrence += 1
            self.question_id = question_id_of(self._question.run, self._request_hash, self.occurrence)
            if not self._ledger.has_stream(streams.question(self.question_id)):
                return


def seconds(value: float) -> Decimal:
    """Seconds to the microsecond."""
    return Decimal(round(value * 1_000_000)).scaleb(-6).normalize()
