"""Cycles, decisions and model calls: what comes before an order is meant, on its way into the ledger."""

from __future__ import annotations

from tradecore.domain import cycle, deliberation, model_budget, question, streams
from tradecore.domain.commands import (
    BeginModelCall,
    CloseQuestion,
    CompleteCycle,
    ConcludeDecision,
    EndModelCall,
    FailCycle,
    LapseDecision,
    RequestDecision,
    SkipCycle,
    StartCycle,
    StepCycle,
    ValidateDecision,
)
from tradecore.draft import Draft

ThinkingCommand = (
    BeginModelCall
    | EndModelCall
    | CloseQuestion
    | RequestDecision
    | ConcludeDecision
    | ValidateDecision
    | LapseDecision
    | StartCycle
    | SkipCycle
    | StepCycle
    | CompleteCycle
    | FailCycle
)
"""What no order is concerned with yet."""


def decide(draft: Draft, command: ThinkingCommand) -> None:
    """Let every aggregate that the command concerns decide on it, into the draft.

    A question and its budget decide together: a call is on record with its reservation, or not at all. Raises
    `BudgetRefused`, `InputError`.
    """
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
        case StartCycle() | SkipCycle() | StepCycle() | CompleteCycle() | FailCycle():
            draft.add(streams.cycle(command.cycle_id), cycle.decide(draft.cycle(command.cycle_id), command))
        case _:
            told = deliberation.decide(draft.deliberation(command.decision_id), command)
            draft.add(streams.deliberation(command.decision_id), told)
