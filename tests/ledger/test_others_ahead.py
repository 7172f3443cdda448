"""Two processes on one ledger: who has not read what the other recorded decides nothing by what it knew before."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.values import OrderStatus
from tradecore.errors import OrderRefused
from tradecore.ledger import Ledger

D = Decimal
LATER = NOON + dt.timedelta(hours=1)


def fresh(desk: Desk) -> Desk:
    """A process that read nothing yet."""
    return Desk(Ledger(desk.ledger.journal, desk.clock, desk.ids), desk.clock, desk.ids)


def behind(desk: Desk, *orders: str) -> Desk:
    """Another process, which read account, orders and their trades as they are now, and reads nothing by itself."""
    other = fresh(desk)
    assert other.account == desk.account
    for order_id in orders:
        assert other.trade_of(order_id) == desk.trade_of(order_id)
    return other


@pytest.mark.parametrize("status", ["canceled", "rejected", "expired", "filled"])
def test_an_order_that_was_placed_meanwhile_reserves_nothing_when_it_ends(desk: Desk, status: str) -> None:
    desk.pin()
    other = behind(desk, desk.live("buy", "10"))
    order_id = desk.live("buy", "5")
    if status == "filled":
        other.fill(order_id, "5", "100")
    else:
        other.report(order_id, status, at=1)
    assert order_id not in fresh(desk).account.reservations
    assert order_id not in fresh(desk).trade_of(order_id).working_orders


def test_a_replacement_that_was_placed_meanwhile_and_refused_gives_the_old_order_back(desk: Desk) -> None:
    desk.pin()
    old = desk.live("buy", "10")
    other = behind(desk, old)
    new = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(old, new, LATER, quantity=D(14)))
    desk.send(new)
    other.give(cmd.RecordRejection(new, "403", "no", "{}"))
    assert fresh(desk).order(old).replaced_by is None


def test_a_kill_cancels_what_was_placed_meanwhile(desk: Desk) -> None:
    desk.pin()
    other = behind(desk, desk.live("buy", "10"))
    order_id = desk.live("buy", "5")
    other.give(cmd.RequestKill("main", "enough"))
    assert fresh(desk).order(order_id).cancel_requested


def test_risk_that_was_placed_meanwhile_is_withdrawn(desk: Desk) -> None:
    desk.pin()
    other = behind(desk, desk.live("buy", "10"))
    order_id = desk.live("buy", "5")
    other.give(cmd.WithdrawRisk("main", "enough"))
    assert fresh(desk).order(order_id).cancel_requested


def test_a_grant_is_held_against_the_limits_that_were_set_meanwhile(desk: Desk) -> None:
    desk.pin()
    desk.limits(approve_all=True)
    order_id = desk.place("buy", "10", reference_price=D(100))
    other = behind(desk, order_id)
    desk.limits(approve_all=True, max_order_qty=D(5))
    with pytest.raises(OrderRefused, match="max_order_qty"):
        other.give(cmd.GrantApproval(order_id, "anna", "a test", LATER))
    assert fresh(desk).order(order_id).awaits_approval


def test_an_order_that_arrives_after_all_counts_although_its_end_was_not_read(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "5")
    desk.send(order_id)
    desk.give(cmd.RecordUnknown(order_id, "the connection broke"))
    other = behind(desk, order_id)
    desk.give(cmd.WithdrawOrder(order_id, "nothing there"))
    assert order_id not in desk.account.reservations
    other.ledger.refresh(f"order-{order_id}")
    other.answer(order_id)
    state = fresh(desk)
    assert state.order(order_id).status is OrderStatus.PENDING_NEW
    assert state.account.reservations[order_id].quantity == 5


def test_a_refusal_is_decided_anew_by_who_was_behind(desk: Desk) -> None:
    """What is refused records nothing, and so nothing would clash."""
    desk.pin()
    desk.done("buy", "10", "100")
    other = behind(desk)
    desk.done("buy", "5", "100", strategy="else")
    other.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", LATER, "else", D(100)))
    assert [one.quantity for one in fresh(desk).account.reservations.values()] == [5]
