"""An order's attempts, cancels and dead work: what each outcome records, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.terms import body_hash
from tradecore.domain.values import OrderStatus
from tradecore.domain.work import CANCEL_ATTEMPTS, Work
from tradecore.errors import InputError, InvariantViolated, WorkRefused

D = Decimal
LATER = NOON + dt.timedelta(hours=1)


@pytest.fixture
def desk() -> Desk:
    """A ledger in memory with an account."""
    desk = Desk.in_memory()
    desk.pin()
    return desk


def told(desk: Desk, command: cmd.Command) -> list[str]:
    """The events of an order that a command records, by the last part of their names."""
    recorded = (one.envelope for one in desk.give(command))
    return [one.name.rsplit(".", 1)[1] for one in recorded if one.stream.startswith("order-")]


def start_cancel(order_id: str) -> cmd.StartCancel:
    return cmd.StartCancel(order_id, "lease-1")


def start(desk: Desk, order_id: str, now: dt.datetime = NOON, content: str | None = None) -> cmd.StartSubmit:
    return cmd.StartSubmit(order_id, "lease-1", content or body_hash(desk.order(order_id)), now)


# --- cancels --------------------------------------------------------------------------------------------------------


def test_only_a_cancel_that_is_wanted_and_not_taken_is_sent(desk: Desk) -> None:
    order_id = desk.live("buy", "10")
    assert told(desk, start_cancel(order_id)) == []
    desk.give(cmd.CancelOrder(order_id, "enough"))
    assert told(desk, start_cancel(order_id)) == ["cancel_submitted"]
    assert told(desk, start_cancel(order_id)) == ["cancel_answered", "cancel_submitted"], "the first has no outcome"
    (lost,) = (one.event for one in desk.ledger.journal.read(0, 1000) if isinstance(one.event, ev.CancelAnswered))
    assert (lost.accepted, lost.counts) == (False, True)
    desk.give(cmd.RecordCancelAnswer(order_id, True, ""))
    assert told(desk, start_cancel(order_id)) == []
    assert told(desk, cmd.RecordCancelAnswer(order_id, True, "")) == []


def test_a_cancel_that_nobody_answers_is_dead_after_so_many_attempts_and_can_be_tried_again(desk: Desk) -> None:
    order_id = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order_id, "enough"))
    for attempt in range(1, CANCEL_ATTEMPTS + 1):
        desk.give(start_cancel(order_id))
        failed = told(desk, cmd.RecordCancelAnswer(order_id, False, "no answer"))
        assert failed == (["cancel_answered"] if attempt < CANCEL_ATTEMPTS else ["cancel_answered", "dead"])
    assert told(desk, cmd.RetryWork(order_id, "look again", LATER)) == ["retried", "cancel_requested"]
    assert told(desk, start_cancel(order_id)) == ["cancel_submitted"]


def test_what_does_not_count_is_never_the_last_attempt(desk: Desk) -> None:
    order_id = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order_id, "enough"))
    for _ in range(CANCEL_ATTEMPTS + 2):
        desk.give(start_cancel(order_id))
        assert told(desk, cmd.RecordCancelAnswer(order_id, False, "no answer", counts=False)) == ["cancel_answered"]
    with pytest.raises(WorkRefused):
        desk.give(cmd.DiscardWork(order_id, "look again"))


# --- attempts -------------------------------------------------------------------------------------------------------


def test_an_attempt_that_is_not_under_way_cannot_fail(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    assert told(desk, cmd.RecordNotSent(order_id, "no route")) == ["not_sent"]
    assert told(desk, cmd.RecordNotSent(order_id, "no route")) == []


def test_what_is_unknown_is_told_once_and_that_it_is_there_once_more(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    assert told(desk, cmd.RecordUnknown(order_id, "before it was sent")) == []
    desk.send(order_id)
    assert told(desk, cmd.RecordUnknown(order_id, "no answer")) == ["outcome_unknown"]
    assert told(desk, cmd.RecordUnknown(order_id, "no answer")) == []
    assert told(desk, cmd.RecordUnknown(order_id, "a name is taken", exists=True)) == ["outcome_unknown"]
    assert told(desk, cmd.RecordUnknown(order_id, "a name is taken", exists=True)) == []
    assert told(desk, start(desk, order_id)) == [], "what is there is not sent again"


def test_what_is_to_be_canceled_is_not_sent(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    desk.give(cmd.RecordNotSent(order_id, "no route"))
    desk.give(cmd.CancelOrder(order_id, "enough"))
    assert told(desk, start(desk, order_id)) == ["canceled"]


def test_what_lost_its_outcome_is_unknown_before_anything_else_is_said_of_it(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    assert told(desk, start(desk, order_id)) == ["outcome_unknown", "submitted"]
    desk.give(cmd.CancelOrder(order_id, "enough"))
    assert told(desk, start(desk, order_id)) == ["outcome_unknown", "canceled"]


def test_dead_work_is_not_begun_again_by_itself(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    assert told(desk, start(desk, order_id, content="of something else")) == ["dead"]
    assert told(desk, start(desk, order_id)) == []
    assert told(desk, cmd.RetryWork(order_id, "look again", LATER)) == ["retried"]
    assert told(desk, start(desk, order_id)) == ["submitted"]
    assert desk.order(order_id).work is Work.SUBMIT


def test_what_ends_is_not_dead_any_more(desk: Desk) -> None:
    order_id = desk.place("buy", "10")
    desk.give(start(desk, order_id, content="of something else"))
    desk.report(order_id, "canceled")
    state = desk.order(order_id)
    assert (state.dead, state.in_flight, state.status) == (False, False, OrderStatus.CANCELED)


# --- the broker's word ----------------------------------------------------------------------------------------------


def given_up(desk: Desk) -> str:
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    desk.give(cmd.RecordUnknown(order_id, "no answer"))
    desk.give(cmd.WithdrawOrder(order_id, "nothing there"))
    return order_id


@pytest.mark.parametrize(("status", "cancels"), [("new", True), ("canceled", False), ("filled", False)])
def test_what_was_given_up_and_arrives_is_canceled_unless_it_is_over(desk: Desk, status: str, cancels: bool) -> None:
    order_id = given_up(desk)
    desk.report(order_id, status, at=1)
    assert desk.order(order_id).cancel_requested is cancels
    desk.report(order_id, status, at=2)
    asked = [one for one in desk.ledger.journal.read(0, 1000) if isinstance(one.event, ev.CancelRequested)]
    assert len(asked) == cancels


def test_a_fill_under_another_name_is_a_contradiction(desk: Desk) -> None:
    order_id = desk.live("buy", "10")
    words: tuple[Any, ...] = ("f", order_id, "another", "x", D(1), D(100), D(1), D(0), NOON, "stream", "{}")
    with pytest.raises(InvariantViolated, match="a fill names another"):
        desk.give(cmd.RecordFill(*words))


@pytest.mark.parametrize(
    ("quantity", "price", "cumulative", "field"),
    [
        ("0", "100", "1", "quantity"),
        ("1", "-1", "1", "price"),
        ("1", "NaN", "1", "price"),
        ("2", "100", "1", "cumulative"),
    ],
)
def test_an_execution_that_cannot_be_is_refused(
    desk: Desk, quantity: str, price: str, cumulative: str, field: str
) -> None:
    order_id = desk.live("buy", "10")
    words: tuple[Any, ...] = (D(quantity), D(price), D(cumulative), D(0), NOON, "stream", "{}")
    with pytest.raises(InputError, match=field):
        desk.give(cmd.RecordFill("f", order_id, f"b-{order_id}", "x", *words))


def test_terms_that_cannot_be_are_refused_before_anything_is_recorded(desk: Desk) -> None:
    head = desk.ledger.journal.head()
    with pytest.raises(InputError, match="limit_price"):
        desk.place("buy", "10", limit="-1")
    assert desk.ledger.journal.head() == head
