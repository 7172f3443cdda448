"""Decisions of TradingAgents as judgements: what `propagate(ticker, date)` returns, without importing it.

It rates (Buy, Overweight, Hold, Underweight, Sell) and names neither size nor probability. Both are the operator's:
nothing is made up here, and a buy without them is validated to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.agents.exact import exact, table
from tradecore.domain.judgement import Direction, Factor, Judgement, Stance, Vote
from tradecore.errors import InputError

_REPORTS = ("market_report", "sentiment_report", "news_report", "fundamentals_report")
_STANCES = {
    "buy": Stance.BUY,
    "overweight": Stance.BUY,
    "hold": Stance.HOLD,
    "underweight": Stance.SELL,
    "sell": Stance.SELL,
}


@attrs.frozen
class RatingTerms:
    """What a rating is worth to the operator: a share of equity, and how sure such ratings were so far (or None)."""

    size_fraction: Decimal
    confidence: Decimal | None = None


def from_tradingagents(
    state: Mapping[str, object], rating: str, terms: Mapping[str, RatingTerms], model: str | None = None
) -> Judgement:
    """The judgement behind a rating. `state` is the final state; its debate is kept as votes without a weight.

    Raises `InputError` for a rating that is none, or whose terms nobody said.
    """
    word = rating.strip().strip("*").lower()
    if word not in _STANCES:
        raise InputError("rating", rating, "one of " + ", ".join(_STANCES))
    stance = _STANCES[word]
    said = {name.lower(): value for name, value in terms.items()}.get(word)
    if said is None and stance is Stance.BUY:
        raise InputError("terms", rating, "terms for every rating that buys")
    decision = str(state.get("final_trade_decision") or state.get("trader_investment_plan") or "")
    factors = tuple(Factor(name, Direction.NEITHER, Decimal(0)) for name in _REPORTS if state.get(name))
    return Judgement(
        stance=stance,
        reasoning=f"rated {rating}: {decision}"[:2000],
        confidence=None if said is None else said.confidence,
        size_fraction=None if said is None or stance is not Stance.BUY else said.size_fraction,
        target_price=_price(state.get("price_target")),
        factors=factors,
        votes=_debate(state, stance),
        model=model,
    )


def _debate(state: Mapping[str, object], stance: Stance) -> tuple[Vote, ...]:
    """Bull and bear argue for what they are told to, so they have a voice and no weight."""
    raw = state.get("investment_debate_state")
    debate = table("investment_debate_state", raw) if raw else {}
    sides = (("bull", "bull_history", Stance.BUY), ("bear", "bear_history", Stance.SELL))
    votes = [
        Vote(role, side, None, Decimal(0), str(debate[field])[:2000])
        for role, field, side in sides
        if debate.get(field)
    ]
    judge = debate.get("judge_decision")
    return (*votes, Vote("judge", stance, None, Decimal(0), str(judge)[:2000])) if judge else tuple(votes)


def _price(raw: object) -> Decimal | None:
    return None if raw is None else exact("price_target", raw)
