"""Decisions of ai-hedge-fund as judgements: the result of a run, or the record of a cycle, without importing it.

A run gives actions, quantities and confidences from 0 to 100 by ticker, with the analysts' signals; a cycle record
gives `final_weights` by ticker, with signals from -1 to 1. Selling short is not taken over: it is to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tradecore.agents.exact import exact, fraction_of, share, table
from tradecore.domain.judgement import Judgement, Stance, Vote, abstain
from tradecore.domain.values import ZERO
from tradecore.errors import InputError

_ACTIONS = {"buy": Stance.BUY, "sell": Stance.SELL, "hold": Stance.HOLD, "short": Stance.HOLD, "cover": Stance.HOLD}
_SIGNALS = {"bullish": Stance.BUY, "bearish": Stance.SELL, "neutral": Stance.HOLD}


def from_hedge_fund(
    result: Mapping[str, object], ticker: str, price: Decimal, equity: Decimal, model: str | None = None
) -> Judgement:
    """The judgement on a ticker, from `{"decisions": …, "analyst_signals": …}`; abstains where there is none.

    The size is the quantity at `price` as a share of `equity`. Raises `InputError` for what does not fit.
    """
    decisions = table("decisions", result.get("decisions") or {})
    if ticker not in decisions:
        return abstain(f"no decision on {ticker}")
    said = table(f"decisions.{ticker}", decisions[ticker])
    action = str(said.get("action", "")).lower()
    if action not in _ACTIONS:
        raise InputError(f"decisions.{ticker}.action", said.get("action"), "one of " + ", ".join(_ACTIONS))
    stance = _ACTIONS[action]
    size = None
    if stance is Stance.BUY:
        quantity = exact(f"decisions.{ticker}.quantity", said.get("quantity"))
        size = fraction_of(quantity * price, equity)
    return Judgement(
        stance=stance,
        reasoning=f"{action}: {said.get('reasoning', '')}"[:2000],
        confidence=share(f"decisions.{ticker}.confidence", said.get("confidence"), percent=True),
        size_fraction=size,
        votes=_votes(table("analyst_signals", result.get("analyst_signals") or {}), ticker),
        model=model,
    )


def _votes(signals: Mapping[str, object], ticker: str) -> tuple[Vote, ...]:
    votes = []
    for analyst, by_ticker in signals.items():
        said = by_ticker.get(ticker) if isinstance(by_ticker, Mapping) else None
        if not isinstance(said, Mapping) or str(said.get("signal", "")).lower() not in _SIGNALS:
            continue
        confidence = share(f"analyst_signals.{analyst}.confidence", said.get("confidence", 0), percent=True)
        stance = _SIGNALS[str(said["signal"]).lower()]
        votes.append(Vote(analyst, stance, confidence, confidence, str(said.get("reasoning", ""))[:2000]))
    return tuple(votes)


def from_cycle_record(
    record: Mapping[str, object], ticker: str, held_weight: Decimal, confidence: Decimal | None = None
) -> Judgement:
    """The judgement on a ticker, from the weights that a cycle ended with; abstains where it says nothing.

    A weight above what is held buys the difference, one of zero or below sells. `confidence` is the operator's.
    Raises `InputError` for what does not fit.
    """
    weights = table("final_weights", record.get("final_weights") or {})
    abstained = record.get("abstained") or ()
    if ticker not in weights or (isinstance(abstained, list | tuple) and ticker in abstained):
        return abstain(f"the cycle says nothing of {ticker}")
    wanted = exact(f"final_weights.{ticker}", weights[ticker])
    if wanted <= ZERO:
        stance, size = (Stance.SELL if held_weight > 0 else Stance.HOLD), None
    elif wanted > held_weight:
        stance, size = Stance.BUY, share(f"final_weights.{ticker}", wanted - held_weight)
    else:
        stance, size = Stance.HOLD, None
    return Judgement(
        stance=stance,
        reasoning=f"the cycle wants a weight of {wanted}",
        confidence=confidence,
        size_fraction=size,
        votes=_signal_votes(record.get("signals"), ticker),
    )


def _signal_votes(raw: object, ticker: str) -> tuple[Vote, ...]:
    """Signals from -1 (sell) to 1 (buy) by analyst and ticker; their distance from zero is their weight."""
    votes = []
    for analyst, by_ticker in table("signals", raw or {}).items():
        if not isinstance(by_ticker, Mapping) or ticker not in by_ticker:
            continue
        value = exact(f"signals.{analyst}.{ticker}", by_ticker[ticker])
        stance = Stance.BUY if value > 0 else Stance.SELL if value < 0 else Stance.HOLD
        votes.append(Vote(analyst, stance, min(abs(value), Decimal(1)), abs(value), f"signal {value}"))
    return tuple(votes)
