"""Deliberation: how an agent comes to a decision. Asked, concluded, validated; each happens once, whoever repeats it.

What becomes of a decision that acts is in the decision's own stream, from the moment that it is an order or refused.
"""

from __future__ import annotations

import datetime as dt
import enum

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import ConcludeDecision, LapseDecision, RequestDecision, ValidateDecision
from tradecore.domain.evolving import changed
from tradecore.errors import InputError, InvariantViolated

DeliberationCommand = RequestDecision | ConcludeDecision | ValidateDecision | LapseDecision


class Progress(enum.StrEnum):
    """How far an agent's decision has come."""

    REQUESTED = "requested"
    CONCLUDED = "concluded"
    VALIDATED = "validated"
    LAPSED = "lapsed"


@attrs.frozen(slots=False)
class DeliberationState:
    """A deliberation as its events tell it."""

    decision_id: str
    agent: str
    account: str
    symbol: str
    cycle_id: str | None
    data_as_of: dt.datetime
    deadline: dt.datetime
    progress: Progress = Progress.REQUESTED
    concluded: ev.DecisionConcluded | None = None
    validated: ev.DecisionValidated | None = None


def decide(state: DeliberationState | None, command: DeliberationCommand) -> list[ev.Event]:
    """What a command adds; nothing when it was said before. Raises `InputError` for what was never asked."""
    if isinstance(command, RequestDecision):
        return [] if state is not None else _request(command)
    if state is None:
        raise InputError("decision_id", command.decision_id, "a decision that an agent was asked for")
    if state.progress is Progress.LAPSED:
        return []
    match command:
        case ConcludeDecision():
            return [] if state.concluded is not None else [_conclude(state, command)]
        case ValidateDecision():
            return [] if state.validated is not None else [_validate(state, command)]
        case LapseDecision():
            return [ev.DecisionLapsed(command.decision_id, command.reason)]


def _request(command: RequestDecision) -> list[ev.Event]:
    asked = ev.DecisionRequested(
        decision_id=command.decision_id,
        agent=command.agent,
        account=command.account,
        symbol=command.symbol,
        cycle_id=command.cycle_id,
        data_as_of=command.data_as_of,
        deadline=command.deadline,
    )
    shown = ev.FeaturesRecorded(
        decision_id=command.decision_id,
        symbol=command.symbol,
        as_of=command.data_as_of,
        values=command.values,
        missing=command.missing,
        sources=command.sources,
        notes=command.notes,
    )
    return [asked, shown]


def _conclude(state: DeliberationState, command: ConcludeDecision) -> ev.DecisionConcluded:
    made = command.judgement
    return ev.DecisionConcluded(
        decision_id=state.decision_id,
        agent=state.agent,
        symbol=state.symbol,
        stance=made.stance,
        confidence=made.confidence,
        size_fraction=made.size_fraction,
        stop_price=made.stop_price,
        target_price=made.target_price,
        horizon_s=made.horizon_s,
        reasoning=made.reasoning,
        factors=made.factors,
        votes=made.votes,
        model=made.model,
        cost=made.cost,
        escalated=made.escalated,
    )


def _validate(state: DeliberationState, command: ValidateDecision) -> ev.DecisionValidated:
    if state.concluded is None:
        raise InvariantViolated(f"decision {state.decision_id} is validated before it is made")
    return ev.DecisionValidated(
        decision_id=state.decision_id,
        stance=command.stance,
        reason=command.reason,
        confidence=command.confidence,
        calibration_id=command.calibration_id,
        quantity=command.quantity,
        reference_price=command.reference_price,
        needs_approval=command.needs_approval,
        closes=command.closes,
    )


def evolve(state: DeliberationState | None, event: ev.Event) -> DeliberationState:
    """The deliberation after an event."""
    if isinstance(event, ev.DecisionRequested):
        return DeliberationState(
            decision_id=event.decision_id,
            agent=event.agent,
            account=event.account,
            symbol=event.symbol,
            cycle_id=event.cycle_id,
            data_as_of=event.data_as_of,
            deadline=event.deadline,
        )
    assert state is not None, "a deliberation begins with its request"
    match event:
        case ev.FeaturesRecorded():
            return state
        case ev.DecisionConcluded():
            return changed(state, progress=Progress.CONCLUDED, concluded=event)
        case ev.DecisionValidated():
            return changed(state, progress=Progress.VALIDATED, validated=event)
        case ev.DecisionLapsed():
            return changed(state, progress=Progress.LAPSED)
        case _:
            raise InvariantViolated(f"a deliberation cannot hold {event.NAME}")
