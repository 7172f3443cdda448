"""What models may answer: closed forms, exact numbers within bounds. What does not fit is not an answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from tradecore.domain.judgement import Direction, Factor, Stance
from tradecore.ports.model import Answer

Fraction = Annotated[Decimal, Field(ge=0, le=1, max_digits=12, decimal_places=9)]
Price = Annotated[Decimal, Field(gt=0, lt=Decimal("1e12"), max_digits=21, decimal_places=9)]
Text = Annotated[str, Field(max_length=2000)]
Action = Literal["buy", "sell", "hold", "abstain"]


class FactorAnswer(Answer):
    """A reason, what it speaks for, and how much it weighs."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    direction: Literal["up", "down", "neither"]
    weight: Fraction


class OpinionAnswer(Answer):
    """What one voice makes of the symbol."""

    action: Action
    confidence: Fraction
    reasoning: Text
    factors: Annotated[tuple[FactorAnswer, ...], Field(max_length=20)] = ()

    def abstention(self) -> str | None:
        """A model that abstains has no opinion; one that holds has."""
        return self.reasoning if self.action == "abstain" else None

    @property
    def stance(self) -> Stance:
        """The action as a stance."""
        return Stance(self.action)

    def reasons(self) -> tuple[Factor, ...]:
        """The factors as the domain knows them."""
        return tuple(Factor(one.name, Direction(one.direction), one.weight) for one in self.factors)


class DecisionAnswer(OpinionAnswer):
    """A whole decision. `size_fraction` is of equity, prices in account currency."""

    size_fraction: Fraction
    stop_price: Price | None = None
    target_price: Price | None = None
    horizon_minutes: Annotated[int, Field(ge=1, le=525_600)] | None = None


class RiskAnswer(Answer):
    """The word of who guards the risk: the largest share of equity, and whether it must not be done at all."""

    veto: bool
    max_size_fraction: Fraction
    reasoning: Text
