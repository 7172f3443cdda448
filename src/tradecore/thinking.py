"""Thinking on its way into the ledger: calls of models with their budget, deliberations of agents, and cycles.

The question and the budget decide together, in one transaction.
"""

from __future__ import annotations

from tradecore.domain import cycle, deliberation, lane, model_budget, question, streams
from tradecore.domain.commands import (
    BeginModelCall,
    CloseQuestion,
    EndModelCall,
    LapseDecision,
    RequestDecision,
    StartCycle,
    UseLane,
)
from tradecore.domain.cycle import CycleCommand
from tradecore.domain.deliberation import DeliberationCommand
from tradecore.draft import Draft

ModelCommand = BeginModelCall | EndModelCall | CloseQuestion
Thought = ModelCommand | DeliberationCommand | CycleCommand
"""What concerns no order yet."""


def decide(draft: Draft, command: Thought) -> None:
    """Let the aggregates decide, into the draft. Raises `BudgetRefused`, `InputError`, `LaneRefused`."""
    if isinstance(command, DeliberationCommand):
        _deliberate(draft, command)
    elif isinstance(command, CycleCommand):
        if isinstance(command, StartCycle) and command.turn is not None:
            _check_turn(draft, command.turn)
        draft.add(streams.cycle(command.cycle_id), cycle.decide(draft.cycle(command.cycle_id), command))
    else:
        _decide_call(draft, command)


def _deliberate(draft: Draft, command: DeliberationCommand) -> None:
    """Nothing is asked for a cycle that is over, and what was executed does not lapse, whoever is late."""
    if isinstance(command, RequestDecision) and command.cycle_id is not None:
        asked_by = draft.cycle(command.cycle_id)
        if asked_by is not None and not asked_by.is_live:
            return
    if isinstance(command, LapseDecision) and draft.exists(streams.decision(command.decision_id)):
        return
    told = deliberation.decide(draft.deliberation(command.decision_id), command)
    draft.add(streams.deliberation(command.decision_id), told)


def _check_turn(draft: Draft, turn: UseLane) -> None:
    """Who lost its turn begins no cycle, however late it wakes: the take-over moved the lane on. `LaneRefused`."""
    lane.decide(draft.lane(turn.lane), turn)


def _decide_call(draft: Draft, command: ModelCommand) -> None:
    match command:
        case BeginModelCall(requested, reserve, _):
            asked = question.begin(draft.question(requested.question_id), command)
            draft.add(streams.budget(reserve.budget), model_budget.reserve(draft.budget(reserve.budget), reserve))
            draft.add(streams.question(requested.question_id), asked)
        case EndModelCall(ended, settle):
            draft.add(streams.question(ended.question_id), question.end(draft.question(ended.question_id), command))
            draft.add(streams.budget(settle.budget), model_budget.settle(draft.budget(settle.budget), settle))
        case CloseQuestion(event):
            draft.add(streams.question(event.question_id), question.close(draft.question(event.question_id), command))
