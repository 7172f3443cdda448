"""Attribution: how much of an outcome is put down to which voice. The parts add up to the whole, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.events import DecisionConcluded
from tradecore.domain.judgement import Share, Vote
from tradecore.domain.values import ZERO, minus, plus, rounded_down_to_nine, times


def shares_of(made: DecisionConcluded, pnl: Decimal) -> tuple[Share, ...]:
    """The shares of those who voted for what was done; of an agent without votes, all of it is its model's."""
    votes = [vote for vote in made.votes if vote.stance is made.stance and vote.weight > 0]
    if not votes:
        return (Share(made.agent, made.model, made.stance, Decimal(1), pnl),)
    total = sum((vote.weight for vote in votes), ZERO)
    shares = [_share(vote, total, pnl) for vote in votes]
    rest = pnl
    for share in shares[1:]:
        rest = minus(rest, share.pnl)
    return (Share(votes[0].role, votes[0].model, votes[0].stance, _first(shares), rest), *shares[1:])


def _share(vote: Vote, total: Decimal, pnl: Decimal) -> Share:
    weight = rounded_down_to_nine(vote.weight, total)
    return Share(vote.role, vote.model, vote.stance, weight, rounded_down_to_nine(times(weight, pnl), Decimal(1)))


def _first(shares: list[Share]) -> Decimal:
    """What is left of one, so that the weights add up too."""
    others = ZERO
    for share in shares[1:]:
        others = plus(others, share.weight)
    return minus(Decimal(1), others)
