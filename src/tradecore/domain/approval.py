"""Approval: an order that waits for a person, and what becomes of it. No answer in time is a no."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import events as ev
from tradecore.domain.commands import ExpireApproval, GrantApproval, RefuseApproval
from tradecore.domain.order_state import OrderState
from tradecore.domain.terms import body_hash
from tradecore.domain.values import ZERO
from tradecore.errors import GrantRefused, InputError

ApprovalCommand = GrantApproval | RefuseApproval | ExpireApproval


def decide(state: OrderState, command: ApprovalCommand, now: dt.datetime) -> list[ev.Event]:
    """What an answer, or the end of the time for one, means for an order. Raises `GrantRefused`, `InputError`."""
    approval = state.approval
    if approval is None or not state.awaits_approval:
        if isinstance(command, ExpireApproval):
            return []
        raise GrantRefused(f"order {state.order_id} waits for no approval: it is {state.status.value}")
    is_late = now >= approval.until
    match command:
        case GrantApproval():
            if is_late:
                raise GrantRefused(f"order {state.order_id} could be approved until {approval.until.isoformat()}")
            granted = ev.ApprovalGranted(state.order_id, command.who, _said(command.reason))
            return [granted, ev.OrderQueued(state.order_id, body_hash(state), command.not_after)]
        case RefuseApproval():
            refused = ev.ApprovalRefused(state.order_id, command.who, _said(command.reason))
            return [refused, ev.OrderCanceled(state.order_id, f"not approved: {command.reason}", ZERO, "")]
        case _:  # the time for an answer may be over
            if not is_late:
                return []
            expired = ev.ApprovalExpired(state.order_id, approval.until)
            return [expired, ev.OrderCanceled(state.order_id, "not approved in time", ZERO, "")]


def _said(reason: str) -> str:
    if not reason.strip():
        raise InputError("reason", reason, "why, for the record")
    return reason
