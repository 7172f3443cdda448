"""Dead work is told once, also by the run after the one that recorded it."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.messages import Cause
from tradecore.domain.work import CANCEL_ATTEMPTS, SUBMIT_ATTEMPTS
from tradecore.outbox.deaths import tell_again

LATER = NOON + dt.timedelta(hours=1)
CAUSE = Cause("1" * 32, actor="test")


def told(desk: Desk) -> list[AlertTriggered]:
    events = [recorded.event for recorded in desk.ledger.journal.read(0, 100_000)]
    return [event for event in events if isinstance(event, AlertTriggered)]


def dead_submit(desk: Desk) -> str:
    order = desk.place("buy", "10", not_after=LATER)
    fail_submits(desk, order)
    return order


def fail_submits(desk: Desk, order: str) -> None:
    while not desk.order(order).dead:
        desk.send(order)
        desk.give(cmd.RecordNotSent(order, "no route", desk.order(order).submits))


def dead_cancel(desk: Desk) -> str:
    order = desk.live("buy", "10", limit="1")
    desk.give(cmd.CancelOrder(order, "test"))
    for _ in range(CANCEL_ATTEMPTS):
        desk.give(cmd.StartCancel(order, "lease-1"))
        desk.give(cmd.RecordCancelAnswer(order, False, "no route"))
    return order


def test_a_dead_submit_is_told_by_the_next_run_and_only_once(desk: Desk) -> None:
    order = dead_submit(desk)
    assert told(desk) == []
    for _ in range(2):
        tell_again(desk.ledger, desk.order(order), CAUSE)
    (alert,) = told(desk)
    assert alert.kind == "delivery_dead"
    assert f"order {order} is dead after {SUBMIT_ATTEMPTS} attempts" in alert.message
    assert "no route" in alert.message


def test_a_dead_cancel_is_told_as_what_it_is(desk: Desk) -> None:
    order = dead_cancel(desk)
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert [alert.kind for alert in told(desk)] == ["cancel_failed"]


def test_what_has_ended_or_still_goes_on_is_not_told(desk: Desk) -> None:
    waiting = desk.place("buy", "10", not_after=LATER)
    discarded = dead_submit(desk)
    desk.give(cmd.DiscardWork(discarded, "test"))
    for order in (waiting, discarded):
        tell_again(desk.ledger, desk.order(order), CAUSE)
    assert told(desk) == []


@pytest.mark.parametrize("was_told", [True, False])
def test_of_work_that_died_twice_only_the_last_death_is_told_again(desk: Desk, was_told: bool) -> None:
    order = dead_submit(desk)
    if was_told:
        tell_again(desk.ledger, desk.order(order), CAUSE)
    desk.give(cmd.RetryWork(order, "the network is back", LATER))
    fail_submits(desk, order)
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert len(told(desk)) == (2 if was_told else 1)


def test_work_that_was_dead_and_goes_on_is_not_told_again(desk: Desk) -> None:
    order = dead_submit(desk)
    desk.give(cmd.RetryWork(order, "the network is back", LATER))
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert told(desk) == []


def test_a_cancel_that_was_given_up_is_not_told_once_the_order_has_ended(desk: Desk) -> None:
    order = dead_cancel(desk)
    desk.report(order, "expired", at=1)
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert told(desk) == []


def test_a_cancel_that_was_taken_in_the_end_is_not_told(desk: Desk) -> None:
    order = desk.live("buy", "10", limit="1")
    desk.give(cmd.CancelOrder(order, "test"))
    desk.give(cmd.StartCancel(order, "lease-1"))
    desk.give(cmd.RecordCancelAnswer(order, True, ""))
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert told(desk) == []


def test_what_happened_since_the_death_does_not_hide_it(desk: Desk) -> None:
    order = dead_submit(desk)
    desk.give(cmd.HaltOrder(order, "look at it", "{}"))
    tell_again(desk.ledger, desk.order(order), CAUSE)
    assert [alert.kind for alert in told(desk)] == ["delivery_dead"]


def test_a_cancel_that_died_and_goes_on_or_was_given_up_or_taken_after_all_is_not_told(desk: Desk) -> None:
    retried, discarded, taken = dead_cancel(desk), dead_cancel(desk), dead_cancel(desk)
    desk.give(cmd.RetryWork(retried, "again", LATER))
    desk.give(cmd.DiscardWork(discarded, "leave it"))
    desk.give(cmd.CancelOrder(taken, "again"))
    desk.give(cmd.StartCancel(taken, "lease-1"))
    desk.give(cmd.RecordCancelAnswer(taken, True, ""))
    for order in (retried, discarded, taken):
        tell_again(desk.ledger, desk.order(order), CAUSE)
    assert told(desk) == []
