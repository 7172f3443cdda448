"""Letting trading go on after a stop: the second of two steps, which asks what the broker comparison found last."""

from __future__ import annotations

from tradecore.domain.commands import ClearKillSwitch
from tradecore.domain.messages import Cause
from tradecore.ledger import Ledger
from tradecore.reconcile import Differences


def clear(ledger: Ledger, account: str, who: str, reason: str, cause: Cause) -> None:
    """Confirm that trading goes on. Raises `ResumeRefused` while the books and the broker differ."""
    found = Differences.of(ledger, account)
    is_clean = found.completed is not None and not found.open
    ledger.handle(ClearKillSwitch(account, who, reason, is_clean), cause)
