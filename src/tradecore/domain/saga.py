"""Saga: a process over several orders, as durable as they are. State, steps and deadline are events.

pending → running → completed | compensating → failed (everything undone) | manual (it could not be undone: a person).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import AdvanceSaga, ResolveSaga, StartSaga
from tradecore.domain.evolving import changed
from tradecore.domain.values import SagaStatus
from tradecore.errors import InputError, InvariantViolated


@attrs.frozen(slots=False)
class SagaState:
    """A saga as its events tell it. `terms` is what it was started with, `notes` what its steps left for later ones."""

    saga_id: str
    kind: str
    account: str
    terms: Mapping[str, str]
    deadline: dt.datetime
    status: SagaStatus = SagaStatus.PENDING
    step: str = ""
    steps: int = 0
    notes: Mapping[str, str] = attrs.field(factory=dict)
    outcome: str = ""

    @property
    def is_live(self) -> bool:
        """True while the process manager has something to do for it."""
        return self.status in (SagaStatus.PENDING, SagaStatus.RUNNING, SagaStatus.COMPENSATING)


def start(state: SagaState | None, command: StartSaga) -> list[ev.Event]:
    """Begin a process; beginning it again under the same id says nothing new."""
    if state is not None:
        return []
    return [ev.SagaStarted(command.saga_id, command.kind, command.account, command.terms, command.deadline)]


def advance(state: SagaState, command: AdvanceSaga) -> list[ev.Event]:
    """Take a step; nothing when another process took it already."""
    if not state.is_live or state.steps != command.after_steps:
        return []
    deadline = command.deadline or state.deadline
    match command.status:
        case SagaStatus.RUNNING:
            return [ev.SagaStepped(state.saga_id, command.step, command.reason, command.notes, deadline)]
        case SagaStatus.COMPENSATING:
            return [ev.SagaCompensating(state.saga_id, command.step, command.reason, command.notes, deadline)]
        case SagaStatus.COMPLETED:
            return [ev.SagaCompleted(state.saga_id, command.reason)]
        case SagaStatus.FAILED:
            return [ev.SagaFailed(state.saga_id, command.reason)]
        case SagaStatus.MANUAL:
            return [ev.SagaNeedsPerson(state.saga_id, command.reason)]
        case SagaStatus.PENDING:
            raise InvariantViolated(f"saga {state.saga_id}: no step leads back to pending")


def resolve(state: SagaState, command: ResolveSaga) -> list[ev.Event]:
    """A person says that what the saga could not undo is dealt with. Raises `InputError` when nobody was asked."""
    if state.status is not SagaStatus.MANUAL:
        raise InputError("saga", command.saga_id, f"a saga that waits for a person; this one is {state.status.value}")
    return [ev.SagaFailed(state.saga_id, f"resolved by a person: {command.reason}")]


def evolve(state: SagaState | None, event: ev.Event) -> SagaState:
    """The saga after an event."""
    if isinstance(event, ev.SagaStarted):
        return SagaState(event.saga_id, event.kind, event.account, event.terms, event.deadline)
    assert state is not None, "a saga begins with its start"
    match event:
        case ev.SagaStepped():
            return _stepped(state, event, SagaStatus.RUNNING)
        case ev.SagaCompensating():
            return _stepped(state, event, SagaStatus.COMPENSATING)
        case ev.SagaCompleted():
            return changed(state, status=SagaStatus.COMPLETED, steps=state.steps + 1, outcome=event.result)
        case ev.SagaFailed():
            return changed(state, status=SagaStatus.FAILED, steps=state.steps + 1, outcome=event.reason)
        case ev.SagaNeedsPerson():
            return changed(state, status=SagaStatus.MANUAL, steps=state.steps + 1, outcome=event.reason)
        case _:
            raise InvariantViolated(f"a saga cannot hold {event.NAME}")


def _stepped(state: SagaState, event: ev.SagaStepped | ev.SagaCompensating, status: SagaStatus) -> SagaState:
    return changed(
        state,
        status=status,
        step=event.step,
        steps=state.steps + 1,
        notes={**state.notes, **event.notes},
        deadline=event.deadline,
    )
