"""What becomes of orders by what stands when they are asked for: kills, replacements, refusals, ideas that are over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.exit_plan import ExitPlan, ExitRule
from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, OrderStatus, Purpose, Side
from tradecore.errors import GrantRefused, InputError, InvariantViolated, WrongVersion

D = Decimal
LATER = NOON + dt.timedelta(hours=1)


def happened(desk: Desk, *kinds: type[ev.Event]) -> list[Any]:
    return [one.event for one in desk.ledger.journal.read(0, 100_000) if isinstance(one.event, kinds)]


def replaced(desk: Desk, old: str, **changes: Any) -> str:
    new = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(old, new, LATER, **changes))
    return new


def statuses(desk: Desk, *orders: str) -> list[str]:
    return [desk.order(order_id).status.value for order_id in orders]


def by_decision(side: str = "sell", qty: str = "10", number: int = 1, *, deliberated: bool = True) -> dict[str, Any]:
    proposal = cmd.Proposal(
        f"decision-{number}", "test", "SPY", Side(side), D(qty), D(100), NOON, "enough", D("0.9"), deliberated
    )
    return {"proposal": proposal, "purpose": Purpose.CLOSE}


# --- kills and withdrawn risk ---------------------------------------------------------------------------------------


def book(desk: Desk) -> dict[str, str]:
    """One order of every kind that a kill treats in a way of its own."""
    desk.pin(positions=[("SPY", "20", "100")])
    orders = {
        "working": desk.live("buy", "1"),
        "waiting": desk.place("buy", "1"),
        "a close that waits": desk.place("sell", "1", purpose=Purpose.CLOSE),
        "a close that works": desk.live("sell", "1", purpose=Purpose.CLOSE),
        "ended, with a fill to come": desk.live("buy", "1"),
        "asked to cancel": desk.live("buy", "1"),
        "last": desk.live("buy", "1"),
    }
    desk.report(orders["ended, with a fill to come"], "canceled", filled="1")
    desk.give(cmd.CancelOrder(orders["asked to cancel"], "before"))
    return orders


def test_a_kill_has_everything_canceled_but_what_closes_and_was_not_sent(desk: Desk) -> None:
    orders = book(desk)
    desk.give(cmd.RequestKill("main", "enough"))
    asked = [event.order_id for event in happened(desk, ev.CancelRequested) if event.reason == "enough"]
    assert asked == [orders["working"], orders["a close that works"], orders["last"]]
    assert statuses(desk, orders["waiting"], orders["a close that waits"]) == ["canceled", "queued"]


def test_withdrawn_risk_leaves_what_closes_and_what_is_against_the_position(desk: Desk) -> None:
    orders = book(desk)
    against = desk.live("sell", "1")
    last = desk.live("buy", "1")
    desk.give(cmd.WithdrawRisk("main", "enough"))
    asked = [event.order_id for event in happened(desk, ev.CancelRequested) if event.reason == "enough"]
    assert asked == [orders["working"], orders["last"], last]
    assert statuses(desk, orders["waiting"], orders["a close that waits"], against) == [
        "canceled",
        "queued",
        "pending_new",
    ]


def test_nothing_that_opens_is_sent_while_a_kill_is_open(desk: Desk) -> None:
    desk.pin(positions=[("SPY", "20", "100")])
    opens = desk.place("buy", "1")
    desk.give(cmd.RequestKill("main", "enough"))
    late, closes = desk.place("buy", "1"), desk.place("sell", "1", purpose=Purpose.CLOSE)
    for order_id in (late, closes):
        desk.send(order_id)
    assert statuses(desk, opens, late, closes) == ["canceled", "canceled", "submitted"]


# --- replacements ---------------------------------------------------------------------------------------------------


def test_a_replacement_works_for_the_trade_of_the_old_order_under_an_id_of_its_own(desk: Desk) -> None:
    desk.pin()
    old = desk.live("buy", "10", limit="100")
    new = replaced(desk, old, limit_price=D(101))
    assert desk.trade_of(old).working_orders == (old, new)
    other = desk.live("buy", "10", limit="100")
    with pytest.raises(InputError, match="new_order_id"):
        desk.give(cmd.ReplaceOrder(other, new, LATER, limit_price=D(101)))
    with pytest.raises(InputError, match="order_id"):
        desk.place("buy", "1", order_id=new)


def test_who_cancels_an_order_does_not_want_its_replacement(desk: Desk) -> None:
    desk.pin()
    old = desk.live("buy", "10", limit="100")
    new = replaced(desk, old, limit_price=D(101))
    desk.give(cmd.CancelOrder(old, "enough"))
    assert statuses(desk, new) == ["canceled"]
    assert desk.order(old).cancel_requested


def test_a_replacement_that_has_ended_is_not_canceled_again(desk: Desk) -> None:
    desk.pin()
    old = desk.live("buy", "10", limit="100")
    new = replaced(desk, old, limit_price=D(101))
    desk.send(new)
    desk.answer(new)
    desk.fill(new, "10", "100")
    desk.give(cmd.CancelOrder(old, "enough"))
    assert [event.order_id for event in happened(desk, ev.CancelRequested)] == [old]


@pytest.mark.parametrize("how", ["ended", "to be canceled"])
def test_a_replacement_is_not_sent_for_an_order_that_is_over(desk: Desk, how: str) -> None:
    desk.pin()
    old = desk.live("buy", "10", limit="100")
    desk.fill(old, "2", "100")
    new = replaced(desk, old, limit_price=D(101))
    if how == "ended":
        desk.report(old, "canceled", filled="2", at=1)
    else:
        desk.give(cmd.CancelOrder(old, "enough"))
    if not desk.order(new).status.is_terminal:
        desk.send(new)
    assert statuses(desk, new) == ["canceled"]


def test_a_leg_is_replaced_whatever_its_entry_filled_meanwhile(desk: Desk) -> None:
    desk.pin()
    entry = desk.live("buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(90)))
    leg = next(event.order_id for event in happened(desk, ev.OrderPlanned) if event.leg is not None)
    desk.fill(entry, "10", "100")
    desk.give(cmd.RecordAnswer(leg, f"b-{leg}", OrderStatus.NEW, D(0), NOON, "{}"))
    before = dict(desk.account.reservations)
    new = replaced(desk, leg, stop_price=D(95))
    assert desk.account.reservations == before, "legs reserve nothing"
    desk.send(new)
    assert statuses(desk, new) == ["submitted"]


# --- approvals ------------------------------------------------------------------------------------------------------


def test_nobody_grants_what_a_kill_would_withdraw_at_once(desk: Desk) -> None:
    desk.pin()
    desk.limits(approve_all=True)
    desk.give(cmd.RequestKill("main", "enough"))
    order_id = desk.place("buy", "10", reference_price=D(100))
    with pytest.raises(GrantRefused, match="canceled"):
        desk.give(cmd.GrantApproval(order_id, "anna", "a test", LATER))


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refused_proposal_is_a_refused_decision_and_a_refused_trade(desk: Desk) -> None:
    desk.pin()
    desk.limit(qty="5")
    terms = by_decision("buy", "10", deliberated=False) | {"purpose": Purpose.TRADE}
    desk.place("buy", "10", **terms)
    (refused,) = happened(desk, ev.DecisionRefused)
    assert (refused.decision_id, refused.rule) == ("decision-1", "max_order_qty")
    assert len(happened(desk, ev.TradeRefused)) == 1
    desk.place("buy", "10")
    assert len(happened(desk, ev.DecisionRefused)) == 1
    assert len(happened(desk, ev.TradeRefused)) == 2


def test_what_would_add_to_a_trade_and_is_refused_does_not_refuse_the_trade(desk: Desk) -> None:
    desk.pin()
    desk.limit(qty="5")
    desk.done("buy", "5", "100")
    desk.place("buy", "10")
    assert happened(desk, ev.TradeRefused) == []
    assert len(happened(desk, ev.LimitBreached)) == 1


def test_a_close_is_not_asked_of_a_person(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "5", "100")
    desk.limits(approve_all=True, max_order_qty=D(1))
    order_id = desk.ids.order_id()
    desk.give(cmd.ClosePosition(order_id, "main", "SPY", LATER, None, D(100)))
    assert statuses(desk, order_id) == ["queued"]


def test_a_ladder_leaves_by_an_order_that_no_limit_holds_up(desk: Desk) -> None:
    desk.pin()
    entry = desk.done("buy", "10", "100", exits=ExitPlan(stop_loss=D("0.05")))
    desk.limits(max_order_qty=D(1))
    desk.give(cmd.FireExit(desk.order(entry).trade_id, ExitRule.TAKE_PROFIT, D(4), "105", 0, 1))
    closing = [event for event in happened(desk, ev.OrderPlanned) if event.purpose is Purpose.CLOSE]
    assert [event.quantity for event in closing] == [4]
    assert happened(desk, ev.SagaStarted) == []


# --- decisions of agents --------------------------------------------------------------------------------------------


def deliberated(desk: Desk, *, lapses: bool = False) -> None:
    desk.give(cmd.RequestDecision("decision-1", "test", "main", "SPY", None, NOON, LATER, {}, (), ()))
    desk.give(cmd.ConcludeDecision("decision-1", Judgement(Stance.SELL, "enough", D("0.9"), D("0.05"))))
    if lapses:
        desk.give(cmd.LapseDecision("decision-1", "too late"))


def test_a_decision_that_has_lapsed_places_nothing(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "100")
    deliberated(desk, lapses=True)
    with pytest.raises(InputError, match="lapsed"):
        desk.place("sell", "10", **by_decision())
    desk.place("sell", "10", **by_decision(deliberated=False))


def test_a_decision_that_has_not_lapsed_closes_what_is_held(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "100")
    deliberated(desk)
    order_id = desk.place("sell", "10", **by_decision())
    assert statuses(desk, order_id) == ["queued"]


def test_what_an_agent_opens_must_not_be_against_what_it_holds(desk: Desk) -> None:
    desk.pin()
    deliberated(desk)
    opens = by_decision() | {"purpose": Purpose.TRADE}
    flat = desk.place("sell", "1", **(opens | {"proposal": by_decision("sell", "1", 2)["proposal"]}))
    desk.send(flat)
    desk.answer(flat)
    desk.fill(flat, "1", "100")
    desk.place("sell", "1", **(opens | {"proposal": by_decision("sell", "1", 3)["proposal"]}))
    with pytest.raises(InputError, match=r"decision_id.*-1 SPY"):
        desk.place("buy", "1", **(opens | {"proposal": by_decision("buy", "1", 4)["proposal"]}))


def test_an_agent_closes_nothing_that_is_being_closed(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "100")
    desk.place("sell", "10", **by_decision())
    with pytest.raises(Exception, match="is being left already"):
        desk.place("sell", "10", **by_decision(number=2))


# --- fills and ideas ------------------------------------------------------------------------------------------------


def test_a_fill_of_an_order_that_is_not_ours_is_a_contradiction(desk: Desk) -> None:
    desk.pin()
    told = ("f", "nobodys", "b", "x", D(1), D(100), D(1), D(0), NOON, "stream", "{}")
    with pytest.raises(InvariantViolated, match="names order nobodys"):
        desk.give(cmd.RecordFill(*told))


def test_a_fill_that_was_named_by_other_revisions_is_not_booked(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    told = ("f", order_id, f"b-{order_id}", "x", D(1), D(100), D(1), D(0), NOON, "stream", "{}")
    with pytest.raises(WrongVersion, match="1 revisions"):
        desk.give(cmd.RecordFill(*told, revisions=1))
    desk.give(cmd.RecordFill(*told, revisions=0))
    assert desk.account.position("SPY").quantity == 1


def test_an_order_that_was_given_up_and_fills_counts_again(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    desk.give(cmd.RecordUnknown(order_id, "the connection broke"))
    desk.give(cmd.WithdrawOrder(order_id, "nothing there"))
    assert desk.account.reservations == {}
    assert desk.trade_of(order_id).status == "abandoned"
    desk.fill(order_id, "4", "100")
    assert [one.quantity for one in desk.account.reservations.values()] == [6]
    assert desk.trade_of(order_id).working_orders == (order_id,), "who closes the trade must withdraw it"
    assert desk.trade_of(order_id).position.quantity == 4


def test_an_idea_that_is_over_takes_no_further_order(desk: Desk) -> None:
    desk.pin()
    entry = desk.done("buy", "10", "100")
    late = desk.live("sell", "10")
    desk.fill(late, "10", "101")
    assert desk.trade_of(entry).status == "closed"
    working = desk.live("sell", "1", "QQQ")
    assert desk.order(desk.place("buy", "5")).trade_id != desk.order(entry).trade_id
    assert desk.order(desk.place("buy", "5", "QQQ")).trade_id == desk.order(working).trade_id
