"""Cycle: one round of looking, deciding and acting. There is one per account and place in time, and it ends once."""

from __future__ import annotations

import datetime as dt

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import CompleteCycle, FailCycle, SkipCycle, StartCycle, StepCycle
from tradecore.domain.evolving import changed
from tradecore.domain.identity import derived_id
from tradecore.domain.judgement import CycleStep
from tradecore.errors import InputError, InvariantViolated

CycleCommand = StartCycle | SkipCycle | StepCycle | CompleteCycle | FailCycle


@attrs.frozen(slots=False)
class CycleState:
    """A cycle as its events tell it."""

    cycle_id: str
    account: str
    agent: str
    due_at: dt.datetime
    done: tuple[CycleStep, ...] = ()
    is_live: bool = True


def cycle_id_of(account: str, agent: str, due_at: dt.datetime) -> str:
    """The cycle of an account and agent at a place in time: beginning it again after a crash is the same cycle."""
    return derived_id("cycle", account, agent, due_at.isoformat())


def decide(state: CycleState | None, command: CycleCommand) -> list[ev.Event]:
    """What a command adds. Beginning what has begun, and ending what has ended, says nothing new."""
    if isinstance(command, StartCycle):
        if state is not None:
            return []
        return [
            ev.CycleStarted(
                command.cycle_id, command.account, command.agent, command.mode, command.due_at, command.symbols
            )
        ]
    if isinstance(command, SkipCycle):
        if state is not None:
            return []
        return [ev.CycleSkipped(command.cycle_id, command.account, command.agent, command.due_at, command.running)]
    if state is None:
        raise InputError("cycle_id", command.cycle_id, "a cycle that has begun")
    if not state.is_live:
        return []
    match command:
        case StepCycle():
            return [ev.CycleStepped(state.cycle_id, command.step, command.result, command.detail, command.duration_s)]
        case CompleteCycle():
            ended = ev.CycleCompleted(
                state.cycle_id, command.result, command.decisions, command.orders, command.duration_s
            )
            return [ended]
        case FailCycle():
            return [ev.CycleFailed(state.cycle_id, command.reason)]


def evolve(state: CycleState | None, event: ev.Event) -> CycleState:
    """The cycle after an event."""
    if isinstance(event, ev.CycleStarted):
        return CycleState(event.cycle_id, event.account, event.agent, event.due_at)
    if isinstance(event, ev.CycleSkipped):
        return CycleState(event.cycle_id, event.account, event.agent, event.due_at, is_live=False)
    assert state is not None, "a cycle begins with its start"
    match event:
        case ev.CycleStepped():
            return changed(state, done=(*state.done, event.step))
        case ev.CycleCompleted() | ev.CycleFailed():
            return changed(state, is_live=False)
        case _:
            raise InvariantViolated(f"a cycle cannot hold {event.NAME}")
