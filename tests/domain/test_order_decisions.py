"""What each word on an order records, at every place of its life: the whole answer, also where it is nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.domain.orders import LATER, NOON, order, part, planned, taken
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.order import OrderCommand, OrderState, decide, evolve
from tradecore.domain.values import Leg, OrderStatus, OrderType, Side, TimeInForce
from tradecore.domain.work import CANCEL_ATTEMPTS, SUBMIT_ATTEMPTS, Work
from tradecore.errors import CancelRefused, InvariantViolated, WorkRefused

D = Decimal
S = OrderStatus
SOON = NOON + dt.timedelta(minutes=1)
NO_OUTCOME = "no outcome was recorded: the process that sent it ended"
LATE = "it arrived at the broker after it was given up"


def sent(attempt: int = 1) -> ev.OrderSubmitted:
    return ev.OrderSubmitted("o", attempt, "lease")


def not_sent(attempt: int = 1, *, counts: bool = True) -> ev.OrderNotSent:
    return ev.OrderNotSent("o", attempt, "no route", counts)


def unknown(attempt: int = 1, *, exists: bool = False, reason: str = "cut off") -> ev.OrderOutcomeUnknown:
    return ev.OrderOutcomeUnknown("o", attempt, reason, exists)


def updated(status: S, at: dt.datetime = SOON, source: str = "stream") -> ev.OrderUpdated:
    return ev.OrderUpdated("o", status, at, source, "{}")


def canceled(filled: str = "0", reason: str = "canceled at the broker", raw: str = "{}") -> ev.OrderCanceled:
    return ev.OrderCanceled("o", reason, D(filled), raw)


def revised(quantity: str, filled: str, before: str = "10") -> ev.OrderFillRevised:
    return ev.OrderFillRevised("o", "f", "r", D(before), D(5), D(quantity), D(5), D(filled), NOON)


DEAD = ev.OrderDead("o", Work.SUBMIT, 1, "no")
REJECTED = ev.OrderRejected("o", "1", "no", "{}")
FILLED = ev.OrderFilled("o", "f", D(10), D(5), D(10))
WANTED = ev.CancelRequested("o", "enough")
CANCEL = ev.CancelSubmitted("o", 1, "lease")
CANCEL_TAKEN = ev.CancelAnswered("o", True, "")
GIVEN_UP = ev.OrderCanceled("o", "proved absent", D(0), "")
WAITS = ev.OrderRevisionAwaited(
    "o", ev.FillRevision(True, "r", None, D(10), D(5), D(0), D(0), NOON, "stream", "{}")
)  # fmt: skip


def answer(
    status: S = S.ACCEPTED, filled: str = "0", at: dt.datetime = NOON, *, looked_up: bool = False
) -> OrderCommand:
    return cmd.RecordAnswer("o", "b", status, D(filled), at, "{}", looked_up)


def report(status: S, filled: str = "0", at: dt.datetime = SOON, reason: str = "gone") -> cmd.RecordReport:
    return cmd.RecordReport("o", "b", status, D(filled), at, "stream", "{}", reason)


def execution(quantity: str, broker_id: str = "b") -> cmd.RecordFill:
    return cmd.RecordFill("f", "o", broker_id, "e", D(quantity), D(5), D(quantity), D(0), SOON, "stream", "{}")


ENDED = [order(REJECTED), order(taken(), canceled("0")), order(GIVEN_UP), order(taken(), FILLED)]
"""Rejected and given up have no broker's id."""


# --- to the broker --------------------------------------------------------------------------------------------------


def start(attempt: int | None = None, body: str = "body", now: dt.datetime = LATER) -> cmd.StartSubmit:
    return cmd.StartSubmit("o", "lease", body, now, attempt)


@pytest.mark.parametrize(
    "state",
    [
        *ENDED,
        order(taken()),
        order(sent(), taken()),
        order(sent(), unknown(exists=True)),
        order(DEAD),
        evolve(planned(), ev.ApprovalRequested("o", ("r",), "large", LATER)),
    ],
)
def test_nothing_is_sent_of_an_order_that_ended_or_is_there_or_waits_for_a_person(state: OrderState) -> None:
    assert decide(state, start()) == []


def test_an_attempt_has_the_number_after_the_last() -> None:
    assert decide(order(), start()) == [sent(1)]
    assert decide(order(), start(1)) == [sent(1)]
    assert decide(order(), start(2)) == []
    again = order(sent(), not_sent())
    assert decide(again, start(2)) == [sent(2)]
    assert decide(again, start(1)) == []


def test_an_attempt_without_an_outcome_has_one_before_the_next() -> None:
    lost = unknown(reason=NO_OUTCOME)
    assert decide(order(sent()), start()) == [lost, sent(2)]
    assert decide(order(sent(), unknown()), start()) == [sent(2)]
    stale = ev.OrderCanceled("o", "stale: its time to be sent had passed", D(0), "")
    assert decide(order(sent()), start(now=LATER + dt.timedelta(microseconds=1))) == [lost, stale]
    unwanted = ev.OrderCanceled("o", "canceled before it was sent", D(0), "")
    assert decide(order(sent(), WANTED), start()) == [lost, unwanted]
    other = ev.OrderDead("o", Work.SUBMIT, 1, "what would be sent is not what was decided on")
    assert decide(order(sent()), start(body="another")) == [lost, other]


@pytest.mark.parametrize("state", [*ENDED, order(taken()), order(sent(), unknown(exists=True))])
def test_nothing_is_withdrawn_that_ended_or_is_at_the_broker(state: OrderState) -> None:
    assert decide(state, cmd.WithdrawOrder("o", "absent")) == []


def test_what_the_broker_never_had_is_withdrawn() -> None:
    gone = ev.OrderCanceled("o", "absent", D(0), "")
    assert decide(order(), cmd.WithdrawOrder("o", "absent")) == [gone]
    assert decide(order(sent()), cmd.WithdrawOrder("o", "absent")) == [unknown(reason=NO_OUTCOME), gone]
    assert decide(order(sent(), unknown()), cmd.WithdrawOrder("o", "absent")) == [gone]


# --- attempts that failed -------------------------------------------------------------------------------------------

FAILURES: list[Any] = [
    (cmd.RecordRejection("o", "1", "no", "{}"), "rejected", "no"),
    (cmd.RecordNotSent("o", "no route"), "not_sent", "no route"),
    (cmd.RecordUnknown("o", "cut off"), "unknown", "cut off"),
    (cmd.RecordUnknown("o", "cut off", exists=True), "unknown", "cut off"),
]


@pytest.mark.parametrize(("failure", "outcome", "reason"), FAILURES)
@pytest.mark.parametrize("state", [*ENDED, order(sent(), taken())])
def test_a_failure_says_nothing_of_an_order_that_ended_or_was_taken(
    state: OrderState, failure: Any, outcome: str, reason: str
) -> None:
    assert decide(state, failure) == []
    assert decide(state, attrs.evolve(failure, attempt=7)) == [ev.StaleOutcome("o", 7, outcome, reason)]


def test_only_the_last_attempt_has_an_outcome_unless_the_broker_has_the_order() -> None:
    twice = order(sent(), unknown(), sent(2))
    assert decide(twice, cmd.RecordRejection("o", "1", "no", "{}", 1)) == [ev.StaleOutcome("o", 1, "rejected", "no")]
    assert decide(twice, cmd.RecordNotSent("o", "r", 1)) == [ev.StaleOutcome("o", 1, "not_sent", "r")]
    assert decide(twice, cmd.RecordUnknown("o", "r", False, 1)) == [ev.StaleOutcome("o", 1, "unknown", "r")]
    assert decide(twice, cmd.RecordUnknown("o", "r", True, 1)) == [unknown(1, exists=True, reason="r")]
    assert decide(twice, cmd.RecordRejection("o", "1", "no", "{}", 2)) == [REJECTED]


def test_an_attempt_that_counts_is_one_of_so_many() -> None:
    never = cmd.RecordNotSent("o", "no route")
    assert decide(order(), never) == [], "nothing was on its way"
    state = order()
    for attempt in range(1, SUBMIT_ATTEMPTS):
        state = evolve(state, sent(attempt))
        assert decide(state, never) == [not_sent(attempt)]
        state = evolve(state, not_sent(attempt))
    last = evolve(state, sent(SUBMIT_ATTEMPTS))
    dead = ev.OrderDead("o", Work.SUBMIT, SUBMIT_ATTEMPTS, "no route")
    assert decide(last, never) == [not_sent(SUBMIT_ATTEMPTS), dead]
    told_when = cmd.RecordNotSent("o", "no route", counts=False)
    assert decide(last, told_when) == [not_sent(SUBMIT_ATTEMPTS, counts=False)]


def test_an_unknown_outcome_is_told_once_and_once_more_when_the_order_exists() -> None:
    cut, there = cmd.RecordUnknown("o", "cut off"), cmd.RecordUnknown("o", "cut off", exists=True)
    assert decide(order(), cut) == [], "nothing was on its way"
    assert decide(order(sent()), cut) == [unknown()]
    assert decide(order(sent(), unknown()), cut) == []
    assert decide(order(sent(), unknown()), there) == [unknown(exists=True)]
    assert decide(order(sent(), unknown(exists=True)), there) == []
    assert decide(order(), there) == [unknown(0, exists=True)], "as after an attempt that was lost"


# --- cancels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (order(REJECTED), "order o is already rejected"),
        (order(taken(), ev.ReplaceRequested("o", "n", "r"), canceled()), "order o is already canceled"),
        (order(taken(), ev.OrderReplaced("o", D(0), "{}")), "order o is already replaced"),
        (
            order(taken(), ev.ReplaceRequested("o", "n", "r"), ev.OrderReplaced("o", D(0), "{}")),
            "order o is already replaced by n",
        ),
    ],
)
def test_a_person_who_cancels_what_ended_is_told_how(state: OrderState, told: str) -> None:
    with pytest.raises(CancelRefused) as refused:
        decide(state, cmd.CancelOrder("o", "enough"))
    assert str(refused.value) == told


def test_a_cancel_is_asked_for_again_only_when_the_last_came_to_nothing() -> None:
    wish = cmd.CancelOrder("o", "enough")
    assert decide(order(taken()), wish) == [WANTED]
    assert decide(order(taken(), WANTED), wish) == []
    assert decide(order(taken(), WANTED, CANCEL), wish) == []
    assert decide(order(taken(), WANTED, CANCEL, CANCEL_TAKEN), wish) == [WANTED]
    spent = order(taken(), WANTED, ev.CancelSubmitted("o", CANCEL_ATTEMPTS, "lease"), ev.CancelAnswered("o", False, ""))
    assert decide(spent, wish) == [WANTED]


def test_what_was_never_sent_is_canceled_on_the_spot() -> None:
    wish, gone = cmd.CancelOrder("o", "enough"), ev.OrderCanceled("o", "enough", D(0), "")
    assert decide(order(), wish) == [gone]
    assert decide(order(sent(), not_sent(), DEAD), wish) == [gone]
    assert decide(evolve(planned(), ev.ApprovalRequested("o", ("r",), "large", LATER)), wish) == [gone]
    assert decide(order(sent()), wish) == [WANTED]
    assert decide(order(sent(), not_sent()), wish) == [WANTED], "it may be at the broker all the same"


@pytest.mark.parametrize(
    "state",
    [
        *ENDED,
        order(taken()),
        order(taken(), WANTED, CANCEL, CANCEL_TAKEN),
        order(taken(), WANTED, CANCEL, CANCEL_TAKEN, canceled()),
        order(taken(), WANTED, canceled()),
    ],
)
def test_no_cancel_is_sent_that_nobody_wants_or_that_was_taken(state: OrderState) -> None:
    assert decide(state, cmd.StartCancel("o", "lease")) == []


def test_a_cancel_without_an_outcome_has_one_before_the_next() -> None:
    assert decide(order(taken(), WANTED), cmd.StartCancel("o", "lease")) == [CANCEL]
    lost = ev.CancelAnswered("o", False, NO_OUTCOME)
    again = ev.CancelSubmitted("o", 2, "lease")
    assert decide(order(taken(), WANTED, CANCEL), cmd.StartCancel("o", "lease")) == [lost, again]


def test_a_cancel_that_fails_too_often_is_dead_unless_the_order_ended() -> None:
    no = cmd.RecordCancelAnswer("o", False, "no")
    refused, dead = ev.CancelAnswered("o", False, "no"), ev.OrderDead("o", Work.CANCEL, CANCEL_ATTEMPTS, "no")
    last = ev.CancelSubmitted("o", CANCEL_ATTEMPTS, "lease")
    assert decide(order(taken(), WANTED), no) == [], "none is on its way"
    assert decide(order(taken(), WANTED, CANCEL), no) == [refused]
    assert decide(order(taken(), WANTED, last), no) == [refused, dead]
    assert decide(order(taken(), WANTED, last, canceled()), no) == [refused]
    waits = cmd.RecordCancelAnswer("o", False, "no", counts=False)
    assert decide(order(taken(), WANTED, last), waits) == [ev.CancelAnswered("o", False, "no", False)]
    yes = cmd.RecordCancelAnswer("o", True, "")
    assert decide(order(taken(), WANTED, last), yes) == [CANCEL_TAKEN]


# --- what is dead ---------------------------------------------------------------------------------------------------


def spent_cancel(*more: ev.Event) -> OrderState:
    return order(
        taken(), WANTED, ev.CancelSubmitted("o", CANCEL_ATTEMPTS, "lease"), ev.CancelAnswered("o", False, "no"), *more
    )


def test_dead_work_is_tried_again_or_given_up() -> None:
    retry, discard = cmd.RetryWork("o", "try", SOON), cmd.DiscardWork("o", "leave it")
    assert decide(order(DEAD), retry) == [ev.OrderRetried("o", Work.SUBMIT, "try", SOON)]
    assert decide(order(DEAD), discard) == [
        ev.OrderDiscarded("o", Work.SUBMIT, "leave it"),
        ev.OrderCanceled("o", "leave it", D(0), ""),
    ]
    assert decide(spent_cancel(), retry) == [ev.OrderRetried("o", Work.CANCEL, "try"), ev.CancelRequested("o", "try")]
    assert decide(spent_cancel(), discard) == [ev.OrderDiscarded("o", Work.CANCEL, "leave it")]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (order(taken()), "nothing of order o is dead: delivery still works on what it needs"),
        (order(sent()), "order o may be at the broker: it is looked up until that is known"),
        (order(REJECTED), "order o is already rejected"),
        (spent_cancel(canceled()), "order o is already canceled"),
        (
            order(taken(), WANTED, CANCEL, CANCEL_TAKEN),
            "nothing of order o is dead: delivery still works on what it needs",
        ),
        (
            spent_cancel(ev.OrderDiscarded("o", Work.CANCEL, "leave it")),
            "nothing of order o is dead: delivery still works on what it needs",
        ),
    ],
)
def test_what_is_not_dead_is_neither_tried_again_nor_given_up(state: OrderState, told: str) -> None:
    for command in (cmd.RetryWork("o", "try", SOON), cmd.DiscardWork("o", "leave it")):
        with pytest.raises(WorkRefused) as refused:
            decide(state, command)
        assert str(refused.value) == told


# --- the broker's words ---------------------------------------------------------------------------------------------


def test_the_first_word_is_that_the_broker_has_it() -> None:
    on_its_way = order(sent())
    assert decide(on_its_way, answer()) == [taken()]
    assert decide(on_its_way, answer(S.PENDING_NEW)) == [taken(S.PENDING_NEW)]
    assert decide(on_its_way, answer(looked_up=True)) == [taken(found=True)]
    assert decide(on_its_way, report(S.ACCEPTED)) == [taken(at=SOON, found=True)]
    assert decide(on_its_way, answer(S.NEW)) == [taken(), updated(S.NEW, NOON, "answer")]
    assert decide(on_its_way, answer(S.CANCELED, "3")) == [taken(), canceled("3")]


def test_two_orders_of_the_broker_for_one_intent_are_a_broken_promise() -> None:
    with pytest.raises(InvariantViolated, match="two for one intent"):
        decide(order(taken()), cmd.RecordAnswer("o", "b2", S.NEW, D(0), NOON, "{}"))
    with pytest.raises(InvariantViolated, match="a fill names b2"):
        decide(order(taken()), execution("1", "b2"))


@pytest.mark.parametrize(
    ("word", "end"),
    [
        (report(S.CANCELED, "3"), canceled("3", "gone")),
        (answer(S.CANCELED, "3"), canceled("3")),
        (report(S.EXPIRED, "3"), ev.OrderExpired("o", D(3), "{}")),
        (report(S.REPLACED, "3"), ev.OrderReplaced("o", D(3), "{}")),
        (report(S.REJECTED, "3"), ev.OrderRejected("o", "", "rejected by the broker", "{}")),
    ],
)
def test_the_broker_ends_an_order_once(word: OrderCommand, end: ev.Event) -> None:
    assert decide(order(taken()), word) == [end]
    for ended in ENDED:
        if ended.broker_order_id is not None:
            assert decide(ended, word) == []


@pytest.mark.parametrize(
    ("state", "filled", "ends"),
    [
        (order(taken()), "10", False),
        (order(taken()), "7", False),
        (order(taken(), quantity=None, notional=D(50)), "7", True),
        (order(taken(), revised("5", "5")), "10", True),
        (order(taken(), WAITS), "10", True),
        (order(taken(), replaces="x"), "7", True),
        (order(taken(), replaces="x"), "10", False),
        (order(taken(), leg=Leg.STOP_LOSS, parent_order_id="p"), "7", True),
        (order(taken(), leg=Leg.STOP_LOSS, parent_order_id="p"), "10", False),
    ],
)
def test_that_it_is_filled_is_taken_on_its_word_only_where_nobody_else_knows_how_much(
    state: OrderState, filled: str, ends: bool
) -> None:
    assert decide(state, report(S.FILLED, filled)) == ([ev.OrderCompleted("o", D(filled), "{}")] if ends else [])


def test_an_end_is_counted_anew_after_a_bust_when_the_broker_counts_less() -> None:
    told = order(taken(), part("4", "4"), revised("0", "0", "4"), ev.OrderCanceled("o", "gone", D(4), "{}"))
    assert told.missing_fills == 4
    assert decide(told, report(S.CANCELED, "0")) == [canceled("0", "gone")]
    assert decide(told, report(S.CANCELED, "3")) == [canceled("3", "gone")]
    assert decide(told, report(S.CANCELED, "4")) == []
    assert decide(told, report(S.EXPIRED, "0")) == []
    whole = order(taken(), part("4", "4"), revised("4", "4", "4"), canceled("4"))
    assert decide(whole, report(S.CANCELED, "0")) == [], "none of its fills is missing"
    unrevised = order(taken(), canceled("4"))
    assert decide(unrevised, report(S.CANCELED, "0")) == []


@pytest.mark.parametrize(
    ("state", "word", "news"),
    [
        (order(taken()), report(S.NEW), True),
        (order(taken(), updated(S.NEW)), report(S.ACCEPTED, at=LATER), False),
        (order(taken(S.PENDING_NEW)), report(S.ACCEPTED, at=NOON), True),
        (order(taken(S.PENDING_NEW, SOON)), report(S.ACCEPTED, at=NOON), True),
        (order(taken(S.HELD)), report(S.ACCEPTED, at=NOON), False),
        (order(taken(S.HELD)), report(S.ACCEPTED, at=SOON), True),
        (order(taken(), updated(S.NEW)), report(S.NEW, at=LATER), False),
        (order(taken(), updated(S.NEW)), report(S.SUSPENDED, at=SOON), False),
        (order(taken(), updated(S.NEW)), report(S.SUSPENDED, at=LATER), True),
        (order(taken(), updated(S.SUSPENDED)), report(S.NEW, at=LATER), True),
        (order(taken(), updated(S.SUSPENDED)), report(S.QUEUED, at=LATER), False),
        (order(taken(), part("4", "4")), report(S.NEW, at=LATER), False),
        (order(taken(), part("4", "4")), report(S.PENDING_CANCEL, at=LATER), True),
        (order(taken()), report(S.PARTIALLY_FILLED, "4", LATER), False),
        (order(taken(), part("4", "4"), updated(S.SUSPENDED)), report(S.PARTIALLY_FILLED, "4", LATER), True),
        (order(taken(), part("4", "4"), updated(S.SUSPENDED)), report(S.PARTIALLY_FILLED, "4", SOON), False),
        (order(taken(), canceled("0")), report(S.NEW, at=LATER), False),
    ],
)
def test_a_working_status_is_news_where_it_is_further_along_or_later(
    state: OrderState, word: cmd.RecordReport, news: bool
) -> None:
    expected = [ev.OrderUpdated("o", word.status, word.updated_at, "stream", "{}")] if news else []
    assert decide(state, word) == expected


def test_what_was_given_up_and_arrives_is_unwanted() -> None:
    late = ev.CancelRequested("o", LATE)
    assert decide(order(GIVEN_UP), answer()) == [taken(), late]
    assert decide(order(GIVEN_UP), answer(S.NEW)) == [taken(), updated(S.NEW, NOON, "answer"), late]
    assert decide(order(GIVEN_UP), answer(S.CANCELED)) == [taken(), canceled()]
    assert decide(order(GIVEN_UP), answer(S.FILLED)) == [taken()]
    assert decide(order(sent(), WANTED, GIVEN_UP), answer()) == [taken()], "a cancel is wanted already"
    leg = order(GIVEN_UP, leg=Leg.STOP_LOSS, parent_order_id="p")
    assert decide(leg, answer()) == [taken()]


# --- fills ----------------------------------------------------------------------------------------------------------


def test_a_fill_that_overtakes_the_answer_proves_that_the_broker_has_the_order() -> None:
    assert decide(order(sent()), execution("4")) == [taken(at=SOON, found=True), part("4", "4")]
    assert decide(order(sent()), execution("10")) == [taken(at=SOON, found=True), FILLED]
    assert decide(order(taken(), part("4", "4")), execution("6")) == [ev.OrderFilled("o", "f", D(6), D(5), D(10))]
    assert decide(order(taken(), quantity=None, notional=D(50)), execution("10")) == [part("10", "10")]


def test_more_than_was_ordered_is_a_broken_promise() -> None:
    with pytest.raises(InvariantViolated, match="fills of 11 exceed its quantity 10"):
        decide(order(taken(), part("4", "4")), execution("7"))


def test_a_part_of_what_was_given_up_makes_the_rest_unwanted() -> None:
    late, there = ev.CancelRequested("o", LATE), taken(at=SOON, found=True)
    assert decide(order(GIVEN_UP), execution("4")) == [there, part("4", "4"), late]
    assert decide(order(GIVEN_UP), execution("10")) == [there, FILLED]
    assert decide(order(sent(), WANTED, GIVEN_UP), execution("4")) == [there, part("4", "4")]
    assert decide(order(GIVEN_UP, leg=Leg.STOP_LOSS, parent_order_id="p"), execution("4")) == [there, part("4", "4")]


def test_an_order_is_halted_once() -> None:
    halted = ev.OrderHalted("o", "two for one", "{}")
    assert decide(order(taken()), cmd.HaltOrder("o", "two for one", "{}")) == [halted]
    assert decide(order(taken(), halted), cmd.HaltOrder("o", "again", "{}")) == []


# --- what an event leaves -------------------------------------------------------------------------------------------


def test_counts_after_a_revision_are_those_without_what_was_taken_back() -> None:
    ended = order(taken(), part("10", "10"), ev.OrderCompleted("o", D(10), "{}"))
    lower = evolve(ended, revised("4", "4"))
    assert (lower.filled_qty, lower.filled_value, lower.broker_filled_qty) == (D(4), D(20), D(4))
    fewer = order(taken(), part("10", "10"), ev.OrderCompleted("o", D(7), "{}"), revised("0", "0"))
    assert (fewer.filled_qty, fewer.filled_value, fewer.broker_filled_qty) == (D(0), D(0), D(0))
    open_one = order(taken(), part("10", "10"), revised("4", "4"))
    assert (open_one.filled_value, open_one.broker_filled_qty) == (D(20), D(0))


def test_an_end_takes_the_order_out_of_flight_and_from_the_dead() -> None:
    dead = order(sent(), DEAD)
    for end in (GIVEN_UP, ev.OrderExpired("o", D(0), ""), ev.OrderReplaced("o", D(0), "")):
        after = evolve(dead, end)
        assert (after.dead, after.in_flight, after.status.is_terminal) == (False, False, True)
    assert not evolve(dead, taken()).dead
    assert not evolve(dead, unknown(exists=True)).dead
    assert evolve(dead, unknown()).dead


def test_an_unknown_outcome_stays_in_doubt_until_the_broker_shows_the_order() -> None:
    lost = order(sent(), unknown())
    assert (lost.status, lost.exists_at_broker, lost.lost_attempt, lost.in_flight) == (S.UNKNOWN, False, True, True)
    there = evolve(lost, unknown(exists=True))
    assert evolve(there, unknown()).exists_at_broker


def test_what_is_left_of_an_order_is_never_less_than_nothing() -> None:
    assert order(taken(), part("4", "4")).remaining == 6
    assert order(quantity=None, notional=D(50)).remaining == 10
    assert order(part("12", "12"), quantity=None, notional=D(50)).remaining == 0
    assert order(quantity=None, notional=D(50), reference_price=None).remaining == 0


def test_what_a_person_tries_again_begins_anew() -> None:
    tired = order(sent(), not_sent(), sent(2), not_sent(2), DEAD)
    assert (tired.failures, tired.dead, tired.not_after) == (2, True, LATER)
    again = evolve(tired, ev.OrderRetried("o", Work.SUBMIT, "try", SOON))
    assert (again.failures, again.dead, again.not_after, again.submits) == (0, False, SOON, 2)
    assert evolve(tired, ev.OrderRetried("o", Work.CANCEL, "try", SOON)) == tired
    assert evolve(order(taken()), ev.OrderDead("o", Work.CANCEL, 3, "no")) == order(taken())


def test_only_a_cancel_that_is_given_up_is_not_wanted_any_more() -> None:
    wanted = order(taken(), WANTED)
    assert not evolve(wanted, ev.OrderDiscarded("o", Work.CANCEL, "leave it")).cancel_requested
    assert evolve(wanted, ev.OrderDiscarded("o", Work.SUBMIT, "leave it")) == wanted


def test_a_cancel_that_is_wanted_again_has_all_its_attempts() -> None:
    spent = evolve(spent_cancel(), WANTED)
    assert (spent.cancels, spent.cancel_taken, spent.cancel_spent) == (0, False, False)
    taken_once = order(taken(), WANTED, CANCEL, CANCEL_TAKEN)
    assert (taken_once.cancel_taken, taken_once.cancel_spent, taken_once.cancel_in_flight) == (True, True, False)
    assert not evolve(taken_once, WANTED).cancel_taken


@pytest.mark.parametrize(("attempt", "counted"), [(1, 0), (2, 1), (3, 2), (9, 2)])
def test_a_cancel_that_is_told_when_to_come_again_spends_no_attempt(attempt: int, counted: int) -> None:
    state = order(taken(), WANTED, ev.CancelSubmitted("o", attempt, "lease"), ev.CancelAnswered("o", False, "", False))
    assert state.cancels == counted


def test_an_attempt_that_was_refused_or_filled_or_ended_is_not_on_its_way() -> None:
    for end in (REJECTED, canceled(), ev.OrderExpired("o", D(0), ""), part("4", "4"), FILLED, taken()):
        assert order(sent()).in_flight
        assert not order(sent(), end).in_flight


def test_a_part_that_comes_after_the_end_leaves_the_end() -> None:
    assert order(taken(), part("4", "4")).status is S.PARTIALLY_FILLED
    assert order(taken(), canceled("4"), part("4", "4")).status is S.CANCELED
    assert order(taken(), canceled("10"), FILLED).status is S.FILLED


def test_an_order_holds_only_words_of_an_order() -> None:
    with pytest.raises(InvariantViolated, match="an order cannot hold"):
        evolve(order(), ev.TradeApproved("t"))


def test_an_order_of_others_is_as_the_broker_shows_it() -> None:
    shown: dict[str, Any] = {
        "order_id": "o", "client_order_id": "c", "broker_order_id": "b", "account": "main", "symbol": "AAA",
        "side": Side.SELL, "quantity": D(7), "notional": None, "order_type": OrderType.STOP_LIMIT,
        "limit_price": D(4), "stop_price": D(5), "time_in_force": TimeInForce.GTC, "strategy": "external",
        "trade_id": "t", "reference_price": D(6), "status": S.NEW, "updated_at": SOON, "replaces": "x",
        "filled_before": D(3),
    }  # fmt: skip
    adopted = evolve(None, ev.OrderAdopted(**shown, raw="{}"))
    for name in shown.keys() - {"updated_at"}:
        assert getattr(adopted, name) == shown[name], name
    assert (adopted.broker_updated_at, adopted.external, adopted.extended_hours) == (SOON, True, False)
