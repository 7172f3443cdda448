"""Decision: what a strategy proposed, and whether it became an order."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.commands import Proposal


def generate(proposal: Proposal) -> ev.DecisionGenerated:
    """The first event of a decision."""
    return ev.DecisionGenerated(
        decision_id=proposal.decision_id,
        strategy=proposal.strategy,
        symbol=proposal.symbol,
        side=proposal.side,
        quantity=proposal.quantity,
        reference_price=proposal.reference_price,
        data_as_of=proposal.data_as_of,
        reasoning=proposal.reasoning,
        confidence=proposal.confidence,
    )


def execute(proposal: Proposal, order_id: str, trade_id: str) -> list[ev.Event]:
    """The events of a decision that became an order."""
    return [generate(proposal), ev.DecisionExecuted(proposal.decision_id, order_id, trade_id)]


def refuse(proposal: Proposal, rule: str, reason: str) -> list[ev.Event]:
    """The events of a decision that the risk gate refused."""
    return [generate(proposal), ev.DecisionRefused(proposal.decision_id, rule, reason)]
