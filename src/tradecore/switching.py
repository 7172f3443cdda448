"""Stopping and letting go on: what a kill commands, and the second of the two steps that end a halt."""

from __future__ import annotations

import datetime as dt

from tradecore.domain.commands import ClearKillSwitch, Command, RequestKill, StartSaga
from tradecore.domain.messages import Cause
from tradecore.errors import ResumeRefused
from tradecore.ledger import Ledger
from tradecore.reconcile import Differences
from tradecore.sagas.flatten import Flatten


def kill_of(kill: RequestKill, flatten: str | None, now: dt.datetime) -> tuple[Command, ...]:
    """The kill, and, under the saga id `flatten`, the process that closes what is held once the kill is verified."""
    if flatten is None:
        return (kill,)
    deadline = now + dt.timedelta(seconds=Flatten.timeout_s)
    return (kill, StartSaga(flatten, Flatten.kind, kill.account, {"reason": kill.reason}, deadline))


def clear(ledger: Ledger, account: str, who: str, reason: str, cause: Cause, *, lift_suspension: bool = False) -> None:
    """Confirm that trading goes on; where the broker refuses new orders, it is told first.

    `lift_suspension` also where somebody else suspended the account. Raises `ResumeRefused` while the books and the
    broker differ, or while that was not said.
    """
    found = Differences.of(ledger, account)
    if ledger.account(account).clear_requested_by and found.completed is not None and not found.is_behind_stop(ledger):
        raise ResumeRefused("books and broker were not compared since trading stopped: a runner does that")
    is_clean = found.completed is not None and not found.open
    ledger.handle(ClearKillSwitch(account, who, reason, is_clean, lift_suspension), cause)
