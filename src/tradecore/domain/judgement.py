"""Judgements: what an agent makes of a symbol, in closed words and exact numbers. No text in it decides anything."""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs


class Stance(enum.StrEnum):
    """What should be done. To hold is a judgement; to abstain is to have none, and neither makes an order."""

    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"
    ABSTAIN = "abstain"

    @property
    def acts(self) -> bool:
        """Whether an order follows."""
        return self in (Stance.BUY, Stance.SELL)


class Direction(enum.StrEnum):
    """What a factor speaks for."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class CycleMode(enum.StrEnum):
    """Who has the last word: nobody, a person where confidence is low, or a person always."""

    AUTONOMOUS = "autonomous"
    SEMI_AUTOMATIC = "semi_automatic"
    MANUAL = "manual"


class CycleStep(enum.StrEnum):
    """The steps of a cycle, in their order. Risk is checked inside the command that records the intent."""

    CHECK = "check"
    DATA = "data"
    DECIDE = "decide"
    INTEND = "intend"
    DELIVER = "deliver"
    SYNC = "sync"


class StepResult(enum.StrEnum):
    """How a step went: in full, in part, not at all, or not tried."""

    OK = "ok"
    PARTLY = "partly"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class Factor:
    """A reason by name, what it speaks for, and how much it weighs from 0 to 1."""

    name: str
    direction: Direction
    weight: Decimal


@attrs.frozen
class Vote:
    """One voice of several. `weight` is its share in the judgement; `model` is None where none answered."""

    role: str
    stance: Stance
    confidence: Decimal | None
    weight: Decimal
    reasoning: str
    model: str | None = None
    question_id: str | None = None
    veto: bool = False


@attrs.frozen
class Judgement:
    """What an agent came to. Confidence and `size_fraction` (of equity) from 0 to 1, prices in account currency.

    `model` is the one that had the last word, as provider/model; None where none answered. `cost` in dollars is what
    the models were paid for it. `escalated` says why a higher voice was asked, empty where it was not.
    """

    stance: Stance
    reasoning: str
    confidence: Decimal | None = None
    size_fraction: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    horizon_s: int | None = None
    factors: tuple[Factor, ...] = ()
    votes: tuple[Vote, ...] = ()
    model: str | None = None
    cost: Decimal = Decimal(0)
    escalated: str = ""


@attrs.frozen
class Share:
    """A part of an outcome that is put down to one voice, in account currency. Weights are of the absolute votes."""

    role: str
    model: str | None
    stance: Stance
    weight: Decimal
    pnl: Decimal


def abstain(reason: str, cost: Decimal = Decimal(0)) -> Judgement:
    """No judgement, and why."""
    return Judgement(Stance.ABSTAIN, reason, cost=cost)
