"""Model calls on their way into the ledger: the question and the budget decide together, in one transaction."""

from __future__ import annotations

from tradecore.domain import model_budget, question, streams
from tradecore.domain.commands import BeginModelCall, CloseQuestion, EndModelCall
from tradecore.draft import Draft


def decide(draft: Draft, command: BeginModelCall | EndModelCall | CloseQuestion) -> None:
    """Let question and budget decide, into the draft. Raises `BudgetRefused`, `InputError`."""
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
