"""Question: what was asked of models, one call after the other, until one answered or none was left."""

from __future__ import annotations

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import BeginModelCall, CloseQuestion, EndModelCall
from tradecore.domain.evolving import changed
from tradecore.errors import InputError, InvariantViolated


@attrs.frozen(slots=False)
class QuestionState:
    """How far a question is: `attempts` calls were begun, `pending` is the one without an end, None when all have."""

    question_id: str
    attempts: int = 0
    pending: int | None = None
    is_closed: bool = False


def begin(state: QuestionState | None, command: BeginModelCall) -> list[ev.Event]:
    """The next call. Raises `InputError` when the question is further than the asker knows."""
    attempts = 0 if state is None else state.attempts
    if state is not None and (state.is_closed or state.pending is not None):
        raise InputError("question", command.requested.question_id, "a question that is open and awaits no answer")
    if command.requested.attempt != attempts + 1:
        raise InputError("attempt", command.requested.attempt, f"{attempts + 1}")
    return [*command.switched, command.requested]


def end(state: QuestionState | None, command: EndModelCall) -> list[ev.Event]:
    """What became of a call; nothing when that is recorded already, as by whoever found it abandoned."""
    if state is None or state.pending != command.ended.attempt:
        return []
    return [command.ended]


def close(state: QuestionState | None, command: CloseQuestion) -> list[ev.Event]:
    """The end of a question without a call that answered. Raises `InputError` when it has an end."""
    if state is not None and (state.is_closed or state.pending is not None):
        raise InputError("question", command.event.question_id, "a question that is open and awaits no answer")
    return [command.event]


def evolve(state: QuestionState | None, event: ev.Event, question_id: str) -> QuestionState:
    """The question after an event."""
    state = state or QuestionState(question_id)
    match event:
        case ev.ModelCallRequested():
            return changed(state, attempts=event.attempt, pending=event.attempt)
        case ev.ModelCallFailed():
            return changed(state, pending=None)
        case ev.ModelCallAnswered():
            return changed(state, pending=None, is_closed=True)
        case ev.ModelAnswerReused() | ev.ModelChainExhausted():
            return changed(state, is_closed=True)
        case ev.ModelSwitched():
            return state
        case _:
            raise InvariantViolated(f"a question cannot hold {event.NAME}")
