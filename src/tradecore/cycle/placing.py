"""Placing: from a validated decision to the intent, through the one door and its risk gate. Twice is once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.deliberation import DeliberationState
from tradecore.domain.events import DecisionConcluded
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.identity import order_id_of_decision
from tradecore.domain.judgement import Stance
from tradecore.domain.sizing import average_true_range
from tradecore.domain.terms import is_crypto
from tradecore.domain.values import Bar, OrderClass, OrderType, Purpose, Side, TimeInForce, rounded_quotient
from tradecore.proposing import with_exits

_PERIODS = 14


def order_of_decision(
    state: DeliberationState,
    bars: tuple[Bar, ...],
    not_after: dt.datetime,
    held: Decimal,
    exits: ExitPlan | None,
) -> cmd.PlaceOrder:
    """The order that a validated decision asks for; its id follows from the decision's.

    It closes, or opens, as it was validated, whatever is `held` by now: the ledger refuses what does not fit. What
    opens a position, or adds to one, says how it is left: by the prices and the time that the decision named, else by
    `exits`. Where the broker can keep that, it is good till canceled, so that it outlives the day.
    """
    made, kept = state.concluded, state.validated
    assert made is not None, "it is concluded"
    assert kept is not None, "it is validated"
    assert kept.stance.acts, "only what acts is placed"
    assert kept.quantity is not None, "what acts has a size"
    side = Side.BUY if kept.stance is Stance.BUY else Side.SELL
    closes = held * side.sign < 0 if kept.closes is None else kept.closes
    order = cmd.PlaceOrder(
        order_id=order_id_of_decision(state.decision_id),
        account=state.account,
        symbol=state.symbol,
        side=side,
        quantity=kept.quantity,
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.GTC if is_crypto(state.symbol) else TimeInForce.DAY,
        strategy=state.agent,
        purpose=Purpose.CLOSE if closes else Purpose.TRADE,
        not_after=not_after,
        reference_price=kept.reference_price,
        proposal=cmd.Proposal(
            decision_id=state.decision_id,
            strategy=state.agent,
            symbol=state.symbol,
            side=side,
            quantity=kept.quantity,
            reference_price=kept.reference_price,
            data_as_of=state.data_as_of,
            reasoning=made.reasoning,
            confidence=kept.confidence,
            deliberated=True,
        ),
        volatility=_volatility(bars),
        approval=kept.needs_approval,
    )
    plan = exits_of(made, exits)
    lasting = with_exits(attrs.evolve(order, time_in_force=TimeInForce.GTC), plan, held)
    return lasting if lasting.order_class is not OrderClass.SIMPLE else with_exits(order, plan, held)


def exits_of(made: DecisionConcluded, otherwise: ExitPlan | None) -> ExitPlan | None:
    """How the decision's trade is left; what it does not name stays as it is otherwise."""
    plan = otherwise or ExitPlan()
    if made.stop_price is not None:
        plan = attrs.evolve(plan, stop_price=made.stop_price, stop_loss=None)
    if made.target_price is not None:
        plan = attrs.evolve(plan, target_price=made.target_price, ladder=())
    if made.horizon_s is not None:
        plan = attrs.evolve(plan, max_holding_s=Decimal(made.horizon_s))
    return None if plan.is_empty else plan


def _volatility(bars: tuple[Bar, ...]) -> Decimal | None:
    """The average true range as a share of the price; None while there are too few bars."""
    if len(bars) <= _PERIODS:
        return None
    return rounded_quotient(average_true_range(bars, _PERIODS), bars[-1].close)
