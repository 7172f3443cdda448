"""What a decision may cost, over midnight."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tradecore.domain.commands import ReserveBudget, SettleBudget
from tradecore.domain.model_budget import BudgetState, evolve, reserve, settle
from tradecore.domain.model_call import BudgetLimits, SettledBy
from tradecore.errors import BudgetRefused

D = Decimal
MONTH = "b-2024-01"
MIDNIGHT = dt.datetime(2024, 1, 3, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def asked(name: str, at: dt.datetime, decision: str = "d") -> ReserveBudget:
    limits = BudgetLimits(per_decision=D("1"))
    return ReserveBudget(MONTH, name, D("0.6"), at, at + dt.timedelta(minutes=5), None, decision, limits)


def reserved(state: BudgetState, command: ReserveBudget) -> BudgetState:
    for event in reserve(state, command):
        state = evolve(state, event, MONTH)
    return state


@pytest.mark.parametrize("is_settled_first", [True, False])
def test_what_a_decision_may_cost_does_not_begin_anew_at_midnight(is_settled_first: bool) -> None:
    state = reserved(BudgetState(MONTH), asked("1", MIDNIGHT - SECOND))
    done = SettleBudget(MONTH, "1", D("0.6"), SettledBy.USAGE)
    if is_settled_first:
        for event in settle(state, done):
            state = evolve(state, event, MONTH)
    state = reserved(state, asked("2", MIDNIGHT, decision="other"))
    for event in settle(state, done):
        state = evolve(state, event, MONTH)
    with pytest.raises(BudgetRefused, match="per_decision"):
        reserve(state, asked("3", MIDNIGHT + SECOND))
