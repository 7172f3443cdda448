"""Calls whose process died between reserving and settling: what they may have cost counts in full."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import streams
from tradecore.domain.commands import EndModelCall, SettleBudget
from tradecore.domain.events import ModelCallFailed, ModelCallRequested
from tradecore.domain.messages import Cause
from tradecore.domain.model_budget import month_of
from tradecore.domain.model_call import ModelFailure, SettledBy
from tradecore.domain.values import ZERO
from tradecore.ledger import Ledger


def settle_expired(ledger: Ledger, budget: str, now: dt.datetime) -> int:
    """End what nobody will end any more, of this month's budget and the one before; returns how many calls."""
    months = (month_of(budget, now.replace(day=1) - dt.timedelta(days=1)), month_of(budget, now))
    return sum(_settle(ledger, month, name) for month in months for name in ledger.budget(month).expired(now))


def _settle(ledger: Ledger, month: str, reservation_id: str) -> bool:
    question_id, _, attempt = reservation_id.rpartition(":")
    for recorded in ledger.journal.load(streams.question(question_id)):
        requested = recorded.event
        if isinstance(requested, ModelCallRequested) and str(requested.attempt) == attempt:
            lost = ModelCallFailed(
                question_id=question_id,
                attempt=requested.attempt,
                provider=requested.provider,
                model=requested.model,
                failure=ModelFailure.LOST,
                status=None,
                message="its process ended before an answer was recorded",
                input_tokens=None,
                output_tokens=None,
                cost=requested.reserved,
                latency_s=ZERO,
                answer_hash=None,
                retry_after_s=None,
            )
            envelope = recorded.envelope
            cause = Cause(envelope.trace_id, "models", "models", envelope.correlation_id, envelope.event_id)
            settle = SettleBudget(month, reservation_id, None, SettledBy.EXPIRY)
            return bool(ledger.handle(EndModelCall(lost, settle), cause))
    return False
