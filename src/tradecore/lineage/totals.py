"""What a chain took: calls, tokens, dollars and seconds of models, and what it earned."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.lineage.gathering import Lineage


@attrs.frozen
class Totals:
    """Cost in dollars, latency in seconds, profit in account currency, net of fees and without the models' cost."""

    calls: int
    failed_calls: int
    reused: int
    fallbacks: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    latency_s: Decimal
    realised_pnl: Decimal | None


def totals_of(lineage: Lineage) -> Totals:
    """Added up over the events of a chain."""
    events = [one.event for one in lineage.events]
    answered = [one for one in events if isinstance(one, ev.ModelCallAnswered)]
    failed = [one for one in events if isinstance(one, ev.ModelCallFailed)]
    called: list[ev.ModelCallAnswered | ev.ModelCallFailed] = [*answered, *failed]
    outcomes = {one.decision_id: one.realised_pnl for one in events if isinstance(one, ev.OutcomeResolved)}
    return Totals(
        calls=len(called),
        failed_calls=len(failed),
        reused=sum(isinstance(one, ev.ModelAnswerReused) for one in events),
        fallbacks=sum(isinstance(one, ev.ModelSwitched) for one in events),
        input_tokens=sum(one.input_tokens or 0 for one in called),
        output_tokens=sum(one.output_tokens or 0 for one in called),
        cost=sum((one.cost for one in called), Decimal(0)),
        latency_s=sum((one.latency_s for one in called), Decimal(0)),
        realised_pnl=sum(outcomes.values(), Decimal(0)) if outcomes else None,
    )
