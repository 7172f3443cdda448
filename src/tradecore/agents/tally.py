"""Tallying votes: what most want, how much the others differ, and how sure all of them are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from tradecore.domain.judgement import Stance, Vote
from tradecore.domain.values import ZERO, rounded_quotient


@attrs.frozen
class Tally:
    """`disagreement` is the share of voices that want something else, `confidence` the mean of all that have one."""

    stance: Stance
    voices: int
    disagreement: Decimal
    confidence: Decimal


def tally(votes: Sequence[Vote]) -> Tally:
    """The result of a vote. Who abstains has no voice; where as many want one thing as another, nothing is done."""
    counted = [vote for vote in votes if vote.stance is not Stance.ABSTAIN and vote.confidence is not None]
    if not counted:
        return Tally(Stance.ABSTAIN, 0, ZERO, ZERO)
    by_stance = {stance: sum(vote.stance is stance for vote in counted) for stance in Stance}
    most = max(by_stance.values())
    winners = [stance for stance, count in by_stance.items() if count == most]
    confidence = sum((vote.confidence for vote in counted if vote.confidence is not None), ZERO)
    return Tally(
        stance=winners[0] if len(winners) == 1 else Stance.HOLD,
        voices=len(counted),
        disagreement=rounded_quotient(Decimal(len(counted) - most), Decimal(len(counted))),
        confidence=rounded_quotient(confidence, Decimal(len(counted))),
    )
