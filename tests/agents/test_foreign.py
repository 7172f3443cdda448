"""Decision objects of other frameworks become judgements: exact, nothing made up, nonsense refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradecore.agents.hedge_fund import from_cycle_record, from_hedge_fund
from tradecore.agents.tradingagents import RatingTerms, from_tradingagents
from tradecore.domain.judgement import Stance
from tradecore.errors import InputError

D = Decimal
TERMS = {"Buy": RatingTerms(D("0.05"), D("0.62")), "Overweight": RatingTerms(D("0.02"))}
STATE: dict[str, Any] = {
    "market_report": "up",
    "final_trade_decision": "we buy",
    "investment_debate_state": {"bull_history": "it rises", "bear_history": "it falls", "judge_decision": "it rises"},
}


@pytest.mark.parametrize(
    ("rating", "stance", "size", "confidence"),
    [
        ("Buy", Stance.BUY, D("0.05"), D("0.62")),
        ("**BUY**", Stance.BUY, D("0.05"), D("0.62")),
        ("Overweight", Stance.BUY, D("0.02"), None),
        ("Hold", Stance.HOLD, None, None),
        ("Underweight", Stance.SELL, None, None),
        ("Sell", Stance.SELL, None, None),
    ],
)
def test_a_rating_is_worth_what_the_operator_says(
    rating: str, stance: Stance, size: Decimal | None, confidence: Decimal | None
) -> None:
    made = from_tradingagents(STATE, rating, TERMS)
    assert (made.stance, made.size_fraction, made.confidence) == (stance, size, confidence)
    assert rating in made.reasoning
    assert [vote.role for vote in made.votes] == ["bull", "bear", "judge"]
    assert all(vote.weight == 0 for vote in made.votes)


def test_a_rating_that_nobody_knows_or_priced_is_refused() -> None:
    with pytest.raises(InputError, match="rating"):
        from_tradingagents(STATE, "Strong Buy", TERMS)
    with pytest.raises(InputError, match="terms"):
        from_tradingagents(STATE, "Buy", {})


def run(**decision: Any) -> dict[str, Any]:
    said = {"action": "buy", "quantity": 30, "confidence": 72.5, "reasoning": "cheap"} | decision
    signals = {
        "valuation": {"SPY": {"signal": "bullish", "confidence": 80, "reasoning": "cheap"}},
        "sentiment": {"SPY": {"signal": "bearish", "confidence": 40.0}},
        "silent": {"IBM": {"signal": "bullish", "confidence": 90}},
    }
    return {"decisions": {"SPY": said}, "analyst_signals": signals}


def test_a_run_of_the_hedge_fund_is_taken_over_exactly() -> None:
    made = from_hedge_fund(run(), "SPY", D(100), D(100_000))
    assert (made.stance, made.size_fraction, made.confidence) == (Stance.BUY, D("0.03"), D("0.725"))
    assert [(vote.role, vote.stance, vote.weight) for vote in made.votes] == [
        ("valuation", Stance.BUY, D("0.8")),
        ("sentiment", Stance.SELL, D("0.4")),
    ]
    assert from_hedge_fund(run(), "IBM", D(100), D(100_000)).stance is Stance.ABSTAIN
    assert from_hedge_fund(run(action="sell"), "SPY", D(100), D(100_000)).stance is Stance.SELL
    assert from_hedge_fund(run(action="short"), "SPY", D(100), D(100_000)).stance is Stance.HOLD


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "yolo"},
        {"quantity": None},
        {"quantity": float("nan")},
        {"quantity": "many"},
        {"confidence": 101},
        {"confidence": -1},
        {"confidence": True},
    ],
)
def test_nonsense_of_a_run_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"decisions\.SPY"):
        from_hedge_fund(run(**wrong), "SPY", D(100), D(100_000))


def test_a_cycle_record_buys_the_difference_of_weights() -> None:
    record = {"final_weights": {"SPY": 0.08, "IBM": 0.0}, "signals": {"trend": {"SPY": 0.5}}, "abstained": ["AIG"]}
    bought = from_cycle_record(record, "SPY", D("0.03"), D("0.6"))
    assert (bought.stance, bought.size_fraction, bought.confidence) == (Stance.BUY, D("0.05"), D("0.6"))
    assert bought.votes[0].weight == D("0.5")
    assert from_cycle_record(record, "SPY", D("0.08")).stance is Stance.HOLD
    assert from_cycle_record(record, "IBM", D("0.03")).stance is Stance.SELL
    assert from_cycle_record(record, "IBM", D(0)).stance is Stance.HOLD
    assert from_cycle_record(record, "AIG", D(0)).stance is Stance.ABSTAIN
    with pytest.raises(InputError, match="final_weights"):
        from_cycle_record({"final_weights": {"SPY": float("inf")}}, "SPY", D(0))
