"""What is published behind some events of the ledger: the same fact in the words of whoever watches from outside.

It says nothing that the event does not say, and is published as often as that: right behind it, at least once.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

import attrs

from tradecore.domain import events as ev


@attrs.frozen
class Derived:
    """Base of all of these."""

    NAME: ClassVar[str]
    SCHEMA: ClassVar[int] = 1


@attrs.frozen
class Rebalanced(Derived):
    """A portfolio was brought towards its weights, as far as `result` says."""

    NAME: ClassVar[str] = "trade.rebalanced"
    saga_id: str
    account: str
    result: str


@attrs.frozen
class PnlCalculated(Derived):
    """What a trade earned or lost, net of `fees`, in account currency."""

    NAME: ClassVar[str] = "analytics.pnl.calculated"
    trade_id: str
    realised_pnl: Decimal
    fees: Decimal


@attrs.frozen
class MetricsSnapshot(Derived):
    """What an account is worth, with its positions at the broker's prices."""

    NAME: ClassVar[str] = "analytics.metrics.snapshot"
    account: str
    day: str
    equity: Decimal


@attrs.frozen
class ErrorOccurred(Derived):
    """Something did not work: a run of scheduled work, a cycle, or a message that could not be read."""

    NAME: ClassVar[str] = "system.error.occurred"
    what: str
    reason: str


@attrs.frozen
class ConfigUpdated(Derived):
    """An account is run by other settings from here on: `what` was set, by whom and why."""

    NAME: ClassVar[str] = "system.config.updated"
    account: str
    what: str
    who: str
    reason: str


DERIVED: dict[str, type[Derived]] = {
    kind.NAME: kind for kind in (Rebalanced, PnlCalculated, MetricsSnapshot, ErrorOccurred, ConfigUpdated)
}
"""Every class of these by its stable name."""


def derived_from(event: ev.Event, begun: Callable[[str], ev.Event]) -> Derived | None:
    """What follows from an event, or None. `begun` finds the beginning of a saga by its id."""
    match event:
        case ev.SagaCompleted():
            start = begun(event.saga_id)
            assert isinstance(start, ev.SagaStarted), "a saga begins so"
            is_rebalance = start.kind == "rebalance"
            return Rebalanced(event.saga_id, start.account, event.result) if is_rebalance else None
        case ev.TradeClosed():
            return PnlCalculated(event.trade_id, event.realised_pnl, event.fees)
        case ev.EquityMarked():
            return MetricsSnapshot(event.account, event.day, event.equity)
        case ev.ScheduledWorkFailed():
            return ErrorOccurred(event.work, event.reason)
        case ev.CycleFailed():
            return ErrorOccurred("cycle", event.reason)
        case ev.ReportParked():
            return ErrorOccurred(event.source, event.reason)
        case ev.LimitsSet():
            return ConfigUpdated(event.account, "limits", event.who, event.reason)
        case _:
            return None
