"""An order that is outside a limit which asks for approval waits for a person, who says yes, no, or nothing in time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tests.review.scripted import Office
from tests.risk.test_switch import later, stop
from tests.risk.test_wired import found, refusal
from tests.virtual_time import run_story
from tradecore import approvals
from tradecore.domain import commands as cmd
from tradecore.domain.events import ApprovalExpired, ApprovalGranted, ApprovalRefused, ApprovalRequested
from tradecore.domain.limits import Action, Limits, check_limits
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderClass, OrderStatus
from tradecore.errors import GrantRefused, InputError, OrderRefused
from tradecore.journal import open_journal

D = Decimal
ASKS: dict[str, Any] = {"max_order_qty": D(5), "actions": {"max_order_qty": Action.APPROVE}}


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    desk.limits(**ASKS)
    return desk


def grant(desk: Desk, order_id: str, reason: str = "looked at it") -> None:
    not_after = desk.clock.now() + dt.timedelta(seconds=30)
    approvals.grant(desk.ledger, order_id, "somebody", reason, not_after, Cause(desk.ids.trace_id(), actor="somebody"))


def expire(desk: Desk) -> int:
    cause = Cause(desk.ids.trace_id(), actor="engine")
    return approvals.expire(desk.ledger, "main", desk.clock.now(), cause)


def test_an_order_that_waits_counts_and_is_not_sent(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    assert (desk.order(order_id).status, desk.account.reservations[order_id].quantity) == (OrderStatus.PLANNED, D(6))
    (asked,) = found(desk, ApprovalRequested)
    assert (asked.rules, asked.reason) == (("max_order_qty",), "6; allowed is at most 5")
    assert asked.until == desk.clock.now() + dt.timedelta(minutes=15)
    assert [order.order_id for order in approvals.waiting(desk.ledger, "main")] == [order_id]
    assert desk.send(order_id) == ()


def test_nothing_of_it_reaches_the_broker_before_it_is_granted() -> None:
    async def story() -> None:
        office = Office.open()
        office.desk.limits(**ASKS)
        order_id = office.desk.place("buy", "6", **later())
        await office.deliver(0.2)
        assert office.broker.count("submit") == office.broker.count("order_by_client_id") == 0
        grant(office.desk, order_id)
        await office.deliver(0.2)
        assert office.broker.count("submit") == 1
        assert office.desk.order(order_id).broker_order_id is not None

    run_story(story)


def test_a_grant_is_on_record_with_who_and_why_and_in_the_trace_of_the_order(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    grant(desk, order_id)
    assert desk.order(order_id).status is OrderStatus.QUEUED
    events = desk.ledger.journal.load(f"order-{order_id}")
    (granted,) = [item for item in events if isinstance(item.event, ApprovalGranted)]
    assert granted.event == ApprovalGranted(order_id, "somebody", "looked at it")
    assert {item.envelope.trace_id for item in events} == {events[0].envelope.trace_id}
    assert approvals.waiting(desk.ledger, "main") == ()
    with pytest.raises(GrantRefused, match="waits for no approval"):
        grant(desk, order_id)


def test_a_no_ends_the_order_and_gives_back_what_it_counted(desk: Desk) -> None:
    order_id = desk.place("buy", "6", order_class=OrderClass.BRACKET, **legs())
    approvals.refuse(desk.ledger, order_id, "somebody", "too large", Cause(desk.ids.trace_id(), actor="somebody"))
    assert desk.order(order_id).status is OrderStatus.CANCELED
    assert desk.account.reservations == {}
    assert found(desk, ApprovalRefused) == [ApprovalRefused(order_id, "somebody", "too large")]
    trade = desk.trade_of(order_id)
    assert (trade.status.value, trade.working_orders) == ("abandoned", ())


def legs() -> dict[str, Any]:
    from tradecore.domain.terms import StopLoss, TakeProfit

    return {"take_profit": TakeProfit(D(200)), "stop_loss": StopLoss(D(50))}


def test_no_answer_in_time_is_a_no(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    desk.clock.at += dt.timedelta(minutes=15, seconds=-1)
    assert expire(desk) == 0
    desk.give(cmd.ExpireApproval(order_id))
    assert desk.order(order_id).awaits_approval
    desk.clock.at += dt.timedelta(seconds=1)
    with pytest.raises(GrantRefused, match="could be approved until"):
        grant(desk, order_id)
    assert expire(desk) == 1
    assert (desk.order(order_id).status, desk.account.reservations) == (OrderStatus.CANCELED, {})
    assert len(found(desk, ApprovalExpired)) == 1
    desk.give(cmd.ExpireApproval(order_id))
    assert len(found(desk, ApprovalExpired)) == 1


def test_what_waits_survives_a_restart_and_so_does_its_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    journal = open_journal(url)
    desk = Desk.over(journal)
    desk.limits(**ASKS)
    order_id = desk.place("buy", "6")
    journal.close()
    journal = open_journal(url)
    again = Desk.over(journal)
    again.ids._next = desk.ids._next
    (order,) = approvals.waiting(again.ledger, "main")
    assert order.order_id == order_id
    again.clock.at += dt.timedelta(minutes=15)
    assert expire(again) == 1
    journal.close()


def test_a_grant_is_no_way_around_the_other_limits_as_they_are_by_then(desk: Desk) -> None:
    order_id = desk.place("buy", "6", limit="10")
    desk.limits(**ASKS, max_order_notional=D(59))
    with pytest.raises(OrderRefused, match="max_order_notional"):
        grant(desk, order_id)
    assert desk.order(order_id).awaits_approval
    desk.limits(**ASKS, max_order_notional=D(60), max_position_qty=D(6), max_open_orders=1)
    grant(desk, order_id)


def test_neither_a_halt_nor_a_kill_is_passed_by_a_grant(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    stop(desk)
    with pytest.raises(OrderRefused, match="state"):
        grant(desk, order_id)
    desk.give(cmd.RequestKill("main", "a drill"))
    assert desk.order(order_id).status is OrderStatus.CANCELED


def test_a_grant_needs_a_reason_and_an_order(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    with pytest.raises(InputError, match="reason"):
        grant(desk, order_id, " ")
    with pytest.raises(GrantRefused, match="there is no order"):
        grant(desk, "nobody")


def test_who_placed_it_may_cancel_it_while_it_waits(desk: Desk) -> None:
    order_id = desk.place("buy", "6")
    desk.give(cmd.CancelOrder(order_id, "changed our minds"))
    assert desk.order(order_id).status is OrderStatus.CANCELED


def test_limits_that_count_orders_count_one_that_waited_once(desk: Desk) -> None:
    desk.limits(**ASKS, max_orders_per_day=1, max_orders_per_minute=1, duplicate_window_s=D(60), max_repeats=1)
    order_id = desk.place("buy", "6")
    grant(desk, order_id)
    assert refusal(desk, "buy", "1") == "max_repeats"


def test_every_order_can_be_made_to_wait(desk: Desk) -> None:
    desk.limits(approve_all=True)
    order_id = desk.place("buy", "1")
    assert desk.order(order_id).awaits_approval
    grant(desk, order_id)
    desk.limits()
    desk.done("buy", "1", "10")
    desk.limits(approve_all=True)
    closing = desk.place("sell", "1")
    assert not desk.order(closing).awaits_approval, "what takes risk away waits for nobody"
    with pytest.raises(InputError, match="approval_s"):
        check_limits(Limits(approval_s=D(0)))


def test_the_command_line_lists_grants_and_refuses(terminal: Terminal) -> None:
    terminal.trade(_pinned)
    assert "no order waits" in terminal.run("approvals").out
    first, second = (terminal.json("place", "SPY", "buy", "6")[0] for _ in range(2))
    assert first["status"] == "planned"
    rows = terminal.json("approvals", "list")
    assert [row["order_id"] for row in rows] == [first["order_id"], second["order_id"]]
    assert (rows[0]["rules"], rows[0]["qty"]) == ("max_order_qty", "6")
    (granted,) = terminal.json("approvals", "grant", first["order_id"], "--reason", "fine")
    assert granted["status"] == "queued"
    (refused,) = terminal.json("approvals", "refuse", second["client_order_id"], "--reason", "no")
    assert refused["status"] == "canceled"
    assert terminal.run("approvals", "grant", second["order_id"], "--reason", "yes").code == 1
    assert terminal.json("approvals") == []


def _pinned(desk: Desk) -> None:
    desk.pin()
    desk.limits(**ASKS)


def test_an_order_may_ask_for_a_person_whatever_the_limits_say(desk: Desk) -> None:
    desk.limits(actions={"max_order_qty": Action.WARN})
    order_id = desk.place("buy", "1", approval="the first of its kind")
    approval = desk.order(order_id).approval
    assert approval is not None
    assert "the first of its kind" in approval.reason
    grant(desk, order_id)
    assert desk.order(order_id).status is OrderStatus.QUEUED
