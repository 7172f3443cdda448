"""Approvals: the orders that wait for a person, and the answers to them."""

from __future__ import annotations

import datetime as dt

from tradecore.domain.commands import ExpireApproval, GrantApproval, RefuseApproval
from tradecore.domain.listing import NOT_KNOWN, Listing
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.ledger import Ledger


def waiting(ledger: Ledger, account: str) -> tuple[OrderState, ...]:
    """The orders of an account that wait for a person, the oldest first."""
    reserved = (ledger.order(order_id) for order_id in ledger.account(account).reservations)
    return tuple(order for order in reserved if order is not None and order.awaits_approval)


def grant(
    ledger: Ledger,
    order_id: str,
    who: str,
    reason: str,
    not_after: dt.datetime,
    cause: Cause,
    listing: Listing = NOT_KNOWN,
) -> OrderState:
    """Let an order go on; `not_after` is when the intent goes stale, `listing` what the broker says of its symbol.

    Raises `GrantRefused`, `OrderRefused`.
    """
    ledger.handle(GrantApproval(order_id, who, reason, not_after, listing), cause)
    return _known(ledger, order_id)


def refuse(ledger: Ledger, order_id: str, who: str, reason: str, cause: Cause) -> OrderState:
    """Say no to an order. Raises `GrantRefused`, `InputError`."""
    ledger.handle(RefuseApproval(order_id, who, reason), cause)
    return _known(ledger, order_id)


def expire(ledger: Ledger, account: str, now: dt.datetime, cause: Cause) -> int:
    """Refuse what waited too long; how many orders that were."""
    late = [order for order in waiting(ledger, account) if order.approval is not None and now >= order.approval.until]
    for order in late:
        ledger.handle(ExpireApproval(order.order_id), cause)
    return len(late)


def _known(ledger: Ledger, order_id: str) -> OrderState:
    order = ledger.order(order_id)
    assert order is not None, "it was just answered"
    return order
