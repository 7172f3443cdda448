"""Stopping at the broker, and going on there: where the halt of an account and the broker's own switch meet."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import events as ev
from tradecore.domain import kill, streams, switch
from tradecore.domain.commands import ActivateKillSwitch, ClearKillSwitch, NoteSuspension, RecordLiftAnswer, StartLift
from tradecore.domain.suspension import Suspension
from tradecore.domain.values import TradingState
from tradecore.draft import Draft
from tradecore.errors import ResumeRefused

TRIGGER = "suspension"


def clear(draft: Draft, command: ClearKillSwitch, now: dt.datetime) -> None:
    """The second step of a resume; where the broker may refuse new orders, it is told first, and trading waits for it.

    Raises `ResumeRefused`, also while a kill is not verified that suspended the account, and while somebody else did
    and nobody said that it is to be lifted all the same.
    """
    account = command.account
    let_go = switch.decide(draft.account(account), command, now)
    killed = draft.kill(account)
    if killed is None or not killed.suspension.may_hold:
        draft.add(streams.account(account), let_go)
        return
    suspension = killed.suspension
    if killed.is_open:
        raise ResumeRefused("the kill that suspended the account is not verified by the broker yet")
    if not suspension.ours and not command.lift_suspension:
        raise ResumeRefused(
            "the broker refuses new orders of this account, and it was not this ledger that told it to: find out who "
            "did and why, then say --lift-suspension too"
        )
    if not suspension.lifting:
        asked = ev.SuspensionLiftRequested(account, command.who, command.reason, suspension.ours)
        draft.add(streams.kill(account), [asked])


def give(draft: Draft, command: NoteSuspension | StartLift | RecordLiftAnswer, now: dt.datetime) -> None:
    """Take in what the broker shows, or what became of telling it; when it is proved lifted, trading goes on."""
    account = command.account
    before = _suspension(draft, account)
    draft.add(streams.kill(account), kill.decide(draft.kill(account), command))
    after = _suspension(draft, account)
    if isinstance(command, NoteSuspension):
        if after.shown and not before.shown and not after.ours:
            evidence = "the broker refuses new orders of this account, and it was not this ledger that told it to"
            halt = ActivateKillSwitch(account, TradingState.HALTED, TRIGGER, evidence, "engine")
            draft.add(streams.account(account), switch.decide(draft.account(account), halt, now))
        return
    if before.lifting and not after.lifting:
        holder = draft.account(account)
        if holder.clear_requested_by is not None:  # a halt since then takes that back
            cleared = ClearKillSwitch(account, before.who, before.reason, is_reconciled=True)
            draft.add(streams.account(account), switch.decide(holder, cleared, now))


def _suspension(draft: Draft, account: str) -> Suspension:
    killed = draft.kill(account)
    return Suspension() if killed is None else killed.suspension
