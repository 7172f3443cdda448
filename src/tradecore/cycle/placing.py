"""Placing: from a validated decision to the intent, through the one door and its risk gate. Twice is once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain import commands as cmd
from tradecore.domain.deliberation import DeliberationState
from tradecore.domain.identity import order_id_of_decision
from tradecore.domain.judgement import Stance
from tradecore.domain.sizing import average_true_range
from tradecore.domain.terms import is_crypto
from tradecore.domain.values import Bar, OrderType, Purpose, Side, TimeInForce, rounded_quotient

_PERIODS = 14


def order_of_decision(
    state: DeliberationState, bars: tuple[Bar, ...], tradable: bool | None, not_after: dt.datetime
) -> cmd.PlaceOrder:
    """The order that a validated decision asks for; its id follows from the decision's."""
    made, kept = state.concluded, state.validated
    assert made is not None, "it is concluded"
    assert kept is not None, "it is validated"
    assert kept.stance.acts, "only what acts is placed"
    assert kept.quantity is not None, "what acts has a size"
    side = Side.BUY if kept.stance is Stance.BUY else Side.SELL
    return cmd.PlaceOrder(
        order_id=order_id_of_decision(state.decision_id),
        account=state.account,
        symbol=state.symbol,
        side=side,
        quantity=kept.quantity,
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.GTC if is_crypto(state.symbol) else TimeInForce.DAY,
        purpose=Purpose.CLOSE if made.rule else Purpose.TRADE,
        strategy=state.agent,
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
        tradable=tradable,
        volatility=_volatility(bars),
        approval=kept.needs_approval,
    )


def _volatility(bars: tuple[Bar, ...]) -> Decimal | None:
    """The average true range as a share of the price; None while there are too few bars."""
    if len(bars) <= _PERIODS:
        return None
    return rounded_quotient(average_true_range(bars, _PERIODS), bars[-1].close)
