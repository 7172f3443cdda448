"""What each answer to an instruction becomes, and what each look-up: nothing is taken to be more than it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk, StillClock
from tests.review.scripted import UNREACHABLE, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.kill import KillState
from tradecore.domain.order import OrderState
from tradecore.domain.suspension import Suspension
from tradecore.domain.terms import body_hash
from tradecore.domain.values import Leg, OrderClass, OrderStatus, OrderType, Side, TimeInForce
from tradecore.errors import (
    AlreadyExists,
    BrokerRefused,
    BrokerUnauthorized,
    NotSent,
    OutcomeUnknown,
    ProtocolError,
)
from tradecore.outbox import Pace, calls
from tradecore.outbox.answers import Done, failed
from tradecore.outbox.lookups import MORE_FILLED, count_held, count_open, outgrown, resolve
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item
from tradecore.outbox.requests import replace_request_of, request_of

D = Decimal
PATIENT = Pace(visibility_s=10.0, lookup_interval_s=2.0, lookups=3, lookups_before_alert=5)


def done(call: Callable[[], Awaitable[Done]]) -> Done:
    return run_story(call)


def heard(broker: ScriptedBroker) -> list[Any]:
    return list(broker.calls)


def no_veto() -> None:
    return None


@pytest.fixture
def order(desk: Desk) -> OrderState:
    """An order whose first attempt is recorded."""
    order_id = desk.place("buy", "10", not_after=NOON + dt.timedelta(minutes=1))
    desk.send(order_id)
    return desk.order(order_id)


@pytest.fixture
def broker() -> ScriptedBroker:
    return ScriptedBroker()


# --- instructions ---------------------------------------------------------------------------------------------------


def submit(broker: ScriptedBroker, order: OrderState, trouble: Exception | None = None) -> Done:
    if trouble is not None:
        broker.trouble["submit"] = trouble
    return done(lambda: calls.submit_order(broker, order, [], no_veto))


def test_what_the_broker_took_is_recorded_as_it_said_it(broker: ScriptedBroker, order: OrderState) -> None:
    answer = cmd.RecordAnswer(
        order.order_id, f"b-{order.client_order_id}", OrderStatus.NEW, D(0), NOON, "{}", found_by_lookup=False
    )
    assert submit(broker, order) == Done([answer])


def test_a_refusal_has_its_code_and_its_words_and_the_attempt(broker: ScriptedBroker, order: OrderState) -> None:
    told = submit(broker, order, BrokerRefused(403, 40310000, "no buying power", "raw"))
    rejection = cmd.RecordRejection(order.order_id, "403/40310000", "no buying power", "raw", 1)
    assert told == Done([rejection])
    told = submit(broker, order, BrokerRefused(422, None, "no", "raw"))
    assert told == Done([cmd.RecordRejection(order.order_id, "422", "no", "raw", 1)])


def test_what_did_not_leave_is_an_attempt_unless_the_broker_wished_to_wait(
    broker: ScriptedBroker, order: OrderState
) -> None:
    told = submit(broker, order, NotSent("no route"))
    assert told == Done([cmd.RecordNotSent(order.order_id, "no route", 1, counts=True)], retry_in_s=0.0)
    told = submit(broker, order, NotSent("slow down", retry_after_s=7.0))
    wait = cmd.RecordNotSent(order.order_id, "slow down", 1, counts=False)
    assert told == Done([wait], retry_in_s=7.0, hold_s=7.0)


def test_keys_that_are_not_accepted_stop_the_runner_and_cost_no_attempt(
    broker: ScriptedBroker, order: OrderState
) -> None:
    error = BrokerUnauthorized("no")
    told = submit(broker, order, error)
    assert told == Done([cmd.RecordNotSent(order.order_id, "no", 1, counts=False)], fatal=error)


@pytest.mark.parametrize(("error", "exists"), [(OutcomeUnknown("timed out"), False), (AlreadyExists("it is"), True)])
def test_an_unknown_outcome_is_recorded_as_unknown(
    broker: ScriptedBroker, order: OrderState, error: Exception, exists: bool
) -> None:
    assert submit(broker, order, error) == Done([cmd.RecordUnknown(order.order_id, str(error), exists, 1)])


def test_an_error_that_nobody_planned_for_stops_the_runner_and_records_nothing(
    broker: ScriptedBroker, order: OrderState
) -> None:
    error = ProtocolError("what is this")
    assert submit(broker, order, error) == Done(fatal=error)


@pytest.mark.parametrize(("filled", "before", "is_sent"), [("4", "0", True), ("4.5", "0", False), ("6", "2", True)])
def test_what_the_broker_filled_of_the_old_order_decides_whether_another_takes_its_place(
    broker: ScriptedBroker, order: OrderState, filled: str, before: str, is_sent: bool
) -> None:
    old = attrs.evolve(order, broker_order_id="b-old", filled_at_replace=D(4), filled_before=D(before))
    broker.have("old", filled_qty=D(filled))
    told = run_story(outgrown, broker, order, old)
    not_sent = cmd.RecordNotSent(order.order_id, MORE_FILLED, 1, counts=False)
    withdrawn = cmd.WithdrawOrder(order.order_id, MORE_FILLED)
    assert told == (None if is_sent else Done([not_sent, withdrawn]))


def test_an_old_order_that_cannot_be_read_is_not_replaced_yet(broker: ScriptedBroker, order: OrderState) -> None:
    old = attrs.evolve(order, broker_order_id="b-old")
    assert run_story(outgrown, broker, order, old) is None
    broker.trouble["order"] = UNREACHABLE
    told = run_story(outgrown, broker, order, old)
    reason = f"the order that it is to replace cannot be read: {UNREACHABLE}"
    assert told == Done([cmd.RecordNotSent(order.order_id, reason, 1)], retry_in_s=0.0)
    broker.trouble["order"] = error = BrokerUnauthorized("no")
    told = run_story(outgrown, broker, order, old)
    assert told == Done([cmd.RecordNotSent(order.order_id, "no", 1, counts=False)], fatal=error)


def test_how_much_a_leg_is_for_the_broker_knows(broker: ScriptedBroker, order: OrderState) -> None:
    leg = attrs.evolve(order, leg=Leg.STOP_LOSS, broker_order_id="b-old")
    assert replace_request_of(leg, no_veto).quantity is None
    broker.have("old")
    assert run_story(outgrown, broker, leg, leg) is None
    broker.have("old", filled_qty=D(1))
    told = run_story(outgrown, broker, leg, leg)
    assert told is not None, "it would be for its whole quantity again"
    assert told.commands[-1] == cmd.WithdrawOrder(leg.order_id, MORE_FILLED)


def test_a_replace_goes_to_the_order_that_is_replaced(broker: ScriptedBroker, order: OrderState) -> None:
    broker.have("old")
    told = done(lambda: calls.replace_order(broker, order, "b-old", no_veto))
    assert heard(broker) == [("replace", "b-old", order.client_order_id)]
    assert [type(command) for command in told.commands] == [cmd.RecordAnswer]
    broker.trouble["replace"] = OutcomeUnknown("timed out")
    told = done(lambda: calls.replace_order(broker, order, "b-old", no_veto))
    assert told == Done([cmd.RecordUnknown(order.order_id, "timed out", False, 1)])


def test_an_attempt_that_came_too_late_costs_nothing_and_is_made_again_at_once(order: OrderState) -> None:
    told = calls.not_sent(order)
    assert told == Done([cmd.RecordNotSent(order.order_id, calls.LATE, 1, counts=False)], retry_in_s=0.0)


def cancel(broker: ScriptedBroker, order: OrderState, trouble: Exception | None) -> tuple[Done, cmd.RecordCancelAnswer]:
    if trouble is not None:
        broker.trouble["cancel"] = trouble
    told = done(lambda: calls.cancel_order(broker, attrs.evolve(order, broker_order_id="b-1")))
    (answer,) = told.commands
    assert isinstance(answer, cmd.RecordCancelAnswer)
    return told, answer


def test_a_cancel_that_was_taken_needs_no_other(broker: ScriptedBroker, order: OrderState) -> None:
    told, answer = cancel(broker, order, None)
    assert heard(broker) == [("cancel", "b-1")]
    assert answer == cmd.RecordCancelAnswer(order.order_id, True, "")
    assert (told.retry_in_s, told.fatal) == (None, None)


@pytest.mark.parametrize(
    ("error", "words", "counts", "retry_in_s"),
    [
        (NotSent("no route"), "no route", True, 0.0),
        (NotSent("slow down", retry_after_s=3.0), "slow down", False, 3.0),
        (OutcomeUnknown("timed out"), "timed out", True, 0.0),
        (BrokerRefused(422, 1, "not cancelable"), "not cancelable", True, 0.0),
    ],
)
def test_a_cancel_that_was_not_taken_is_asked_for_again(
    broker: ScriptedBroker, order: OrderState, error: Exception, words: str, counts: bool, retry_in_s: float
) -> None:
    told, answer = cancel(broker, order, error)
    assert answer == cmd.RecordCancelAnswer(order.order_id, False, words, counts)
    assert (told.retry_in_s, told.fatal) == (retry_in_s, None)


def test_a_cancel_with_keys_that_are_not_accepted_stops_the_runner(broker: ScriptedBroker, order: OrderState) -> None:
    error = BrokerUnauthorized("no")
    told, answer = cancel(broker, order, error)
    assert answer == cmd.RecordCancelAnswer(order.order_id, False, "no")
    assert (told.retry_in_s, told.fatal) == (None, error)


# --- the kill and the suspension ------------------------------------------------------------------------------------


def kill(broker: ScriptedBroker, *, suspend: bool) -> Done:
    return done(lambda: calls.kill_everything(broker, KillState("main", is_open=True, suspend=suspend)))


def test_a_kill_suspends_first_where_that_is_wanted(broker: ScriptedBroker) -> None:
    assert kill(broker, suspend=True) == Done([cmd.RecordKillAnswer("main", True, "")], retry_in_s=0.0)
    assert heard(broker) == [("suspend", True), ("cancel_all",)]


def test_a_kill_without_suspension_only_cancels(broker: ScriptedBroker) -> None:
    kill(broker, suspend=False)
    assert heard(broker) == [("cancel_all",)]


def test_everything_is_canceled_also_when_the_suspension_fails_and_both_are_told(broker: ScriptedBroker) -> None:
    unauthorized = BrokerUnauthorized("no")
    broker.trouble = {"suspend": NotSent("no route"), "cancel_all": unauthorized}
    told = kill(broker, suspend=True)
    assert broker.count("cancel_all") == 1
    assert told == Done([cmd.RecordKillAnswer("main", False, "no route; no")], fatal=unauthorized)


def lift(broker: ScriptedBroker, **state: Any) -> Done:
    return done(lambda: calls.lift_suspension(broker, KillState("main", suspension=Suspension(), **state)))


def test_a_suspension_is_lifted_when_the_broker_shows_it(broker: ScriptedBroker) -> None:
    assert lift(broker) == Done([cmd.RecordLiftAnswer("main", True, "", False)], retry_in_s=0.0)
    assert heard(broker) == [("suspend", False), ("account",)]


def test_nothing_is_lifted_once_a_kill_came(broker: ScriptedBroker) -> None:
    told = lift(broker, is_open=True)
    assert told == Done([cmd.RecordLiftAnswer("main", False, "not sent: a kill came")], retry_in_s=0.0)
    assert heard(broker) == []


def test_what_was_not_lifted_is_not_looked_at(broker: ScriptedBroker) -> None:
    broker.trouble["suspend"] = error = BrokerUnauthorized("no")
    assert lift(broker) == Done([cmd.RecordLiftAnswer("main", False, "no", None)], fatal=error)
    assert broker.count("account") == 0


def test_a_lift_that_could_not_be_seen_failed(broker: ScriptedBroker) -> None:
    broker.trouble["account"] = UNREACHABLE
    told = lift(broker)
    assert told == Done([cmd.RecordLiftAnswer("main", False, str(UNREACHABLE), None)], retry_in_s=0.0)


# --- look-ups -------------------------------------------------------------------------------------------------------


@attrs.define
class Asking:
    """A person who looks an order up again and again."""

    broker: ScriptedBroker
    order: OrderState
    clock: StillClock
    item: Item
    others: dict[str, OrderState] = attrs.field(factory=dict)

    def ask(self) -> Done:
        return done(lambda: resolve(self.broker, self.order, self.others.get, self.item, PATIENT, self.clock))

    def wait(self, seconds: float) -> None:
        self.clock.at += dt.timedelta(seconds=seconds)


@pytest.fixture
def asking(broker: ScriptedBroker, order: OrderState) -> Asking:
    return Asking(broker, order, StillClock(), Item(order.order_id, Kind.RESOLVE, Priority.LOOK_UP, order.order_id))


def test_an_order_that_is_found_is_recorded_as_found(asking: Asking) -> None:
    asking.broker.have(asking.order.client_order_id)
    (answer,) = asking.ask().commands
    assert isinstance(answer, cmd.RecordAnswer)
    assert answer.found_by_lookup


def test_absence_is_proved_by_enough_look_ups_over_enough_time(asking: Asking) -> None:
    for _ in range(3):
        assert asking.ask() == Done(retry_in_s=2.0)
    asking.wait(9.0)
    assert asking.ask() == Done(retry_in_s=2.0)
    asking.wait(1.0)
    assert asking.ask() == Done(send_again=1)
    assert (asking.item.first_lookup_at, asking.item.lookups) == (None, 0)


def test_time_alone_proves_nothing(asking: Asking) -> None:
    asking.ask()
    asking.wait(30.0)
    assert asking.ask() == Done(retry_in_s=2.0)
    assert asking.ask() == Done(send_again=1)


def test_a_look_up_that_failed_proves_nothing_and_many_of_them_are_told_once(asking: Asking) -> None:
    asking.broker.trouble["order_by_client_id"] = UNREACHABLE
    told = [asking.ask() for _ in range(7)]
    assert [done.alert is not None for done in told] == [False] * 4 + [True, False, False]
    assert {done.retry_in_s for done in told} == {2.0}
    assert asking.item.lookups == 0
    alert = told[4].alert
    assert alert is not None
    assert alert[0] == "order_unknown"


def test_what_the_broker_claims_to_have_is_never_sent_again(asking: Asking) -> None:
    asking.order = attrs.evolve(asking.order, exists_at_broker=True)
    for _ in range(4):
        assert asking.ask() == Done(retry_in_s=2.0), "neither sent again nor withdrawn, however late it is"
        asking.wait(60.0)


@pytest.mark.parametrize(("status", "is_there"), [(OrderStatus.REPLACED, True), (OrderStatus.CANCELED, False)])
def test_what_took_the_place_of_another_is_at_the_broker(asking: Asking, status: OrderStatus, is_there: bool) -> None:
    asking.order = attrs.evolve(asking.order, replaces="old")
    asking.others["old"] = attrs.evolve(asking.order, order_id="old", replaces=None, status=status)
    asking.ask()
    asking.ask()
    asking.wait(10.0)
    assert asking.ask() == (Done(retry_in_s=2.0) if is_there else Done(send_again=1))


def test_what_the_broker_hides_is_told_as_such(asking: Asking) -> None:
    asking.order = attrs.evolve(asking.order, exists_at_broker=True)
    alerts = [done.alert for done in (asking.ask() for _ in range(5)) if done.alert is not None]
    told = "after 5 look-ups: the broker shows no such order, and claims to have it"
    assert alerts == [("order_unknown", f"nobody knows what became of order {asking.order.order_id} {told}")]


@pytest.mark.parametrize(("past_s", "is_withdrawn"), [(60.0, False), (61.0, True)])
def test_what_never_arrived_is_withdrawn_when_its_time_has_passed(
    asking: Asking, past_s: float, is_withdrawn: bool
) -> None:
    asking.ask()
    asking.ask()
    asking.wait(past_s)
    told = asking.ask()
    assert [type(command) for command in told.commands] == ([cmd.WithdrawOrder] if is_withdrawn else [])
    assert told.send_again == (None if is_withdrawn else 1)


def test_what_never_arrived_is_withdrawn_when_it_is_to_be_canceled(asking: Asking) -> None:
    asking.order = attrs.evolve(asking.order, cancel_requested=True)
    asking.ask()
    asking.ask()
    asking.wait(10.0)
    assert [type(command) for command in asking.ask().commands] == [cmd.WithdrawOrder]


def test_open_orders_are_those_that_have_not_ended_however_old_they_are(broker: ScriptedBroker) -> None:
    broker.have("works")
    broker.have("unread", status=None)
    broker.have("done", status=OrderStatus.FILLED)
    broker.have("ninety days old", updated_at=NOON - dt.timedelta(days=99))
    assert run_story(count_open, broker, ()) == 3


def test_what_a_list_lacks_and_we_know_of_is_asked_for_by_name(broker: ScriptedBroker) -> None:
    """A list may lag behind: a kill was verified while an order worked that was placed seconds before."""
    desk = Desk.in_memory()
    desk.pin()
    orders = [desk.order(desk.live("buy", "1")) for _ in range(4)]
    for order, status in zip(orders[:3], (OrderStatus.NEW, OrderStatus.NEW, OrderStatus.CANCELED), strict=True):
        broker.have(order.client_order_id, broker_order_id=f"b-{order.order_id}", status=status)
    for order in orders[1:]:
        broker.submitted_at[f"b-{order.order_id}"] = NOON - dt.timedelta(days=1000)
    nameless = attrs.evolve(orders[0], broker_order_id=None)
    assert run_story(count_open, broker, orders[:1]) == 1
    assert run_story(count_open, broker, orders[:2]) == 2
    assert run_story(count_open, broker, orders[:3]) == 2, "what it shows as ended has ended"
    assert run_story(count_open, broker, orders) == 3, "of what it does not show nobody knows"
    assert run_story(count_open, broker, [*orders, nameless]) == 4
    assert [call[1] for call in broker.calls if call[0] == "order"].count("b-" + orders[0].order_id) == 0


def test_held_positions_are_counted(broker: ScriptedBroker) -> None:
    broker.held = {"SPY": D(1), "QQQ": D(-2), "GONE": D(0)}
    assert run_story(count_held, broker) == 2


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_an_order_is_sent_as_it_was_recorded(order: OrderState) -> None:
    full = attrs.evolve(
        order,
        side=Side.SELL,
        order_type=OrderType.STOP_LIMIT,
        limit_price=D(99),
        stop_price=D(100),
        trail_price=D(1),
        trail_percent=D(2),
        notional=D(3),
        extended_hours=True,
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.OTO,
    )
    request = request_of(full, no_veto)
    names = [field.name for field in attrs.fields(type(request)) if field.name != "veto"]
    assert {name: getattr(request, name) for name in names} == {name: getattr(full, name) for name in names}
    assert request.veto is no_veto


def test_a_replacement_is_sent_with_the_trail_that_it_has(order: OrderState) -> None:
    full = attrs.evolve(order, limit_price=D(99), stop_price=D(100), trail_price=D(1), time_in_force=TimeInForce.GTC)
    request = replace_request_of(full, no_veto)
    assert (request.client_order_id, request.quantity) == (order.client_order_id, D(10))
    assert (request.limit_price, request.stop_price, request.trail) == (D(99), D(100), D(1))
    assert (request.time_in_force, request.veto) == (TimeInForce.GTC, no_veto)
    assert replace_request_of(attrs.evolve(full, trail_price=None, trail_percent=D(2)), no_veto).trail == D(2)


@pytest.mark.parametrize(
    ("replaces", "lost", "is_refused"), [(None, True, True), ("old", False, True), ("old", True, False)]
)
def test_a_replacement_that_is_refused_may_be_there_by_an_attempt_before(
    replaces: str | None, lost: bool, is_refused: bool
) -> None:
    """The old order is not open any more then, which is what the broker says: it was replaced."""
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.place("buy", "1")
    desk.send(order_id)
    if lost:
        desk.give(cmd.RecordUnknown(order_id, "no answer"))
        desk.give(cmd.StartSubmit(order_id, "lease-1", body_hash(desk.order(order_id)), NOON))
    done = failed(attrs.evolve(desk.order(order_id), replaces=replaces), BrokerRefused(422, None, "not open", "{}"))
    kind = cmd.RecordRejection if is_refused else cmd.RecordUnknown
    assert [(type(command), getattr(command, "attempt", None)) for command in done.commands] == [(kind, 1 + lost)]
