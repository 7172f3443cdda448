"""Which call a piece of work leads to, what stops it at the last moment, and what a kill asks the broker afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import UNREACHABLE, LoopTime, ScriptedBroker
from tests.virtual_time import run_story
from tradecore import failpoints
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, Purpose, Side
from tradecore.errors import NotSent
from tradecore.outbox import Pace
from tradecore.outbox.answers import Done
from tradecore.outbox.caller import Caller
from tradecore.outbox.calls import LATE
from tradecore.outbox.leave import Leave
from tradecore.outbox.lookups import MORE_FILLED
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item
from tradecore.ports.broker import OrderRequest

D = Decimal
LATER = NOON + dt.timedelta(hours=1)
BRACKET: Any = {
    "order_class": OrderClass.BRACKET, "take_profit": TakeProfit(D(110)), "stop_loss": StopLoss(D(90)),
}  # fmt: skip
PACE = Pace(visibility_s=0, lookup_interval_s=1, lookups=1, send_within_s=2.0)


@attrs.define
class Post:
    """A caller, the ledger that it reads and the broker that it calls."""

    desk: Desk
    broker: ScriptedBroker
    leave: Leave
    caller: Caller

    @classmethod
    def open(cls) -> Post:
        desk, broker = Desk.in_memory(), ScriptedBroker()
        desk.pin()
        clock = LoopTime(desk)
        leave = Leave(desk.ledger, clock, "main")
        return cls(desk, broker, leave, Caller(desk.ledger, broker, clock, PACE, "main", leave))

    def call(self, kind: Kind, key: str = "kill", *, late_s: float = 0.0, **more: Any) -> Done:
        item = Item(key, kind, Priority.TRADE, key, **more)

        async def once() -> Done:
            return await self.caller.call(item, self.caller._clock.monotonic() - late_s)

        return run_story(once)

    def sent(self, side: str = "buy", qty: str = "10", **terms: Any) -> str:
        order_id = self.desk.place(side, qty, not_after=LATER, **terms)
        self.desk.send(order_id)
        return order_id

    def at_the_broker(self, side: str = "buy", qty: str = "10", **terms: Any) -> str:
        """An order that both have."""
        order_id = self.sent(side, qty, **terms)
        order = self.desk.order(order_id)
        there = self.broker.have(
            order.client_order_id, "SPY", qty, side=order.side, order_type=order.order_type.value,
            broker_order_id=f"b-{order_id}",
        )  # fmt: skip
        assert there.broker_order_id == f"b-{order_id}"
        self.desk.answer(order_id)
        return order_id

    def replacing(self, old: str, quantity: str) -> str:
        """The order that is to take the place of another, marked as sent."""
        new = self.desk.ids.order_id()
        self.desk.give(cmd.ReplaceOrder(old, new, LATER, quantity=D(quantity)))
        self.desk.send(new)
        return new

    def ended(self, order_id: str) -> None:
        there = self.broker.orders[f"b-{order_id}"]
        self.broker.orders[there.broker_order_id] = attrs.evolve(there, status=OrderStatus.CANCELED)

    def kill(self, **terms: Any) -> cmd.Command:
        """What a kill that is under way records."""
        self.desk.give(cmd.RequestKill("main", "enough", **terms))
        self.desk.give(cmd.StartKill("main", "lease-1"))
        (command,) = self.call(Kind.KILL).commands
        return command


@pytest.fixture
def post() -> Post:
    return Post.open()


@pytest.fixture
def passed() -> Iterator[list[str]]:
    """The failpoints that were passed."""
    names: list[str] = []
    failpoints.watch(lambda name: names.append(name) if name.startswith("outbox.") else None)
    yield names
    failpoints.watch(None)


def called(post: Post) -> list[str]:
    return [call[0] for call in post.broker.calls]


# --- which call -----------------------------------------------------------------------------------------------------


def test_each_kind_of_work_has_its_call(post: Post, passed: list[str]) -> None:
    post.call(Kind.SUBMIT, post.sent())
    assert (called(post), passed) == (["submit"], ["outbox.post.before", "outbox.post.after"])
    passed.clear()
    post.broker.calls.clear()
    order_id = post.at_the_broker()
    post.call(Kind.CANCEL, order_id)
    post.call(Kind.RESOLVE, order_id)
    post.call(Kind.LEGS, order_id)
    assert (called(post), passed) == (["cancel", "order_by_client_id", "order"], [])
    post.broker.calls.clear()
    done = post.call(Kind.REPLACE, post.replacing(order_id, "7"))
    assert (called(post), passed) == (["order", "replace"], ["outbox.post.before", "outbox.post.after"])
    (answer,) = done.commands
    assert isinstance(answer, cmd.RecordAnswer)
    assert not answer.found_by_lookup


def test_what_was_proved_not_to_have_arrived_is_sent_by_the_look_up_that_proved_it(post: Post) -> None:
    post.call(Kind.RESOLVE, post.sent(), send_again=1)
    assert called(post) == ["submit"]


def test_a_submit_tells_the_legs_that_came_with_it(post: Post) -> None:
    order_id = post.sent(limit="100", **BRACKET)
    client = post.desk.order(order_id).client_order_id

    async def with_legs(request: Any) -> Any:
        there = post.broker.have(client, "SPY", "10", order_type="limit")
        profit = attrs.evolve(there, broker_order_id="p", side=Side.SELL, order_type="limit")
        loss = attrs.evolve(there, broker_order_id="l", side=Side.SELL, order_type="stop")
        return attrs.evolve(there, legs=(profit, loss))

    post.broker.submit = with_legs  # type: ignore[method-assign]
    answer, *reports = post.call(Kind.SUBMIT, order_id).commands
    assert isinstance(answer, cmd.RecordAnswer)
    assert [one.broker_order_id for one in reports if isinstance(one, cmd.RecordReport)] == ["p", "l"]


# --- what stops it --------------------------------------------------------------------------------------------------


def unsent(done: Done) -> str:
    (command,) = done.commands
    assert isinstance(command, cmd.RecordNotSent)
    assert (command.counts, command.attempt, done.retry_in_s) == (False, 1, 0.0)
    return command.reason


def test_an_attempt_that_was_recorded_too_long_ago_is_not_sent(post: Post) -> None:
    order_id = post.sent()
    assert unsent(post.call(Kind.SUBMIT, order_id, late_s=2.001)) == LATE
    assert called(post) == []
    post.call(Kind.SUBMIT, order_id, late_s=2.0)
    assert called(post) == ["submit"]


def test_a_process_that_slept_while_its_request_waited_for_its_turn_sends_nothing(post: Post) -> None:
    """Somebody else may have taken its lane meanwhile, looked the order up, and sent it again."""
    vetoes: list[str | None] = []

    async def after_a_nap(request: OrderRequest) -> Any:
        for nap_s in (0.0, 2.0, 0.001):
            assert isinstance(post.caller._clock, LoopTime)
            post.caller._clock.skipped_s += nap_s
            vetoes.append(request.veto())
        raise NotSent(str(vetoes[-1]), 0.0)

    post.broker.submit = after_a_nap  # type: ignore[method-assign]
    assert unsent(post.call(Kind.SUBMIT, post.sent())) == LATE
    assert vetoes == [None, None, LATE]


def test_a_stop_that_came_since_the_mark_keeps_what_adds_risk_here(post: Post) -> None:
    trade, closing = post.sent(), post.sent("sell", purpose=Purpose.CLOSE)
    post.leave.halt = lambda: "a file says so"
    assert unsent(post.call(Kind.SUBMIT, trade)) == "a file says so"
    assert called(post) == []
    post.call(Kind.SUBMIT, closing)
    assert called(post) == ["submit"]


def test_a_replacement_that_would_fill_too_much_is_withdrawn(post: Post) -> None:
    old = post.at_the_broker()
    new = post.replacing(old, "12")
    post.broker.fill(post.broker.orders[f"b-{old}"], "4", NOON)
    commands = post.call(Kind.REPLACE, new).commands
    assert commands == [cmd.RecordNotSent(new, MORE_FILLED, 1, counts=False), cmd.WithdrawOrder(new, MORE_FILLED)]
    assert called(post) == ["order"]


# --- kill -----------------------------------------------------------------------------------------------------------


def test_a_kill_is_verified_by_what_the_broker_shows(post: Post) -> None:
    order_id = post.at_the_broker()
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 1, None)
    post.ended(order_id)
    post.desk.give(cmd.RecordKillAnswer("main", True, "", 1))
    post.desk.give(cmd.StartKill("main", "lease-1"))
    assert post.call(Kind.KILL).commands == [cmd.RecordKillAnswer("main", True, "", 0, None)]


def test_a_kill_to_be_flat_counts_what_is_held(post: Post) -> None:
    post.broker.held = {"SPY": D(3), "QQQ": D(-1), "IWM": D(0)}
    assert post.kill(flat=True) == cmd.RecordKillAnswer("main", True, "", 0, 2)


def test_a_kill_that_the_broker_did_not_take_looks_at_nothing(post: Post) -> None:
    post.broker.trouble["cancel_all"] = UNREACHABLE
    assert post.kill() == cmd.RecordKillAnswer("main", False, str(UNREACHABLE))
    assert called(post) == ["cancel_all"]


def test_a_kill_after_which_nothing_can_be_seen_was_taken_and_is_not_verified(post: Post) -> None:
    post.broker.trouble["orders_since"] = UNREACHABLE
    assert post.kill() == cmd.RecordKillAnswer("main", True, str(UNREACHABLE))


def test_what_was_sent_and_has_no_name_yet_may_be_at_the_broker(post: Post) -> None:
    on_its_way, unknown = post.sent(), post.sent()
    post.desk.give(cmd.RecordUnknown(unknown, "cut off"))
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 2, None)
    post.desk.give(cmd.WithdrawOrder(on_its_way, "absent"))
    post.desk.give(cmd.StartKill("main", "lease-1"))
    assert post.call(Kind.KILL).commands == [cmd.RecordKillAnswer("main", True, "", 1, None)]


def test_what_was_never_sent_or_has_ended_is_not_asked_for(post: Post) -> None:
    post.desk.place("buy", "10", not_after=LATER)
    ended = post.at_the_broker()
    post.desk.report(ended, "canceled")
    post.ended(ended)
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 0, None)
    assert post.broker.count("order") == 0


def test_what_closes_and_waits_here_is_not_at_the_broker(post: Post) -> None:
    post.desk.place("sell", "10", not_after=LATER, purpose=Purpose.CLOSE)
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 0, None)


def test_what_ended_with_fills_missing_is_not_asked_for(post: Post) -> None:
    order_id = post.at_the_broker()
    post.desk.report(order_id, "canceled", filled="5")
    del post.broker.orders[f"b-{order_id}"]
    assert order_id in post.desk.account.reservations
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 0, None)
    assert post.broker.count("order") == 0


def test_an_order_that_a_lagging_list_lacks_is_asked_for_by_name(post: Post) -> None:
    order_id = post.at_the_broker()
    listed = post.broker.orders.pop(f"b-{order_id}")

    async def by_name(broker_order_id: str) -> Any:
        return listed if broker_order_id == listed.broker_order_id else None

    post.broker.order = by_name  # type: ignore[method-assign]
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 1, None)


@pytest.mark.parametrize("is_filled", [False, True])
def test_legs_are_asked_for_though_they_reserve_nothing(post: Post, is_filled: bool) -> None:
    entry = post.at_the_broker(limit="100", **BRACKET)
    legs = [leg_order_id(entry, leg.value) for leg in Leg]
    for leg in legs:
        post.desk.report(leg, "held")
    if is_filled:
        post.desk.fill(entry, "10", "100")
        post.ended(entry)
    assert post.kill() == cmd.RecordKillAnswer("main", True, "", 2 if is_filled else 3, None)
    assert [call[1] for call in post.broker.calls if call[0] == "order"] == [f"b-{leg}" for leg in legs]


def test_lifting_a_suspension_is_a_call_of_its_own(post: Post, passed: list[str]) -> None:
    assert post.kill(suspend=True) == cmd.RecordKillAnswer("main", True, "", 0, None)
    post.desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    post.broker.calls.clear()
    done = post.call(Kind.KILL)
    assert done.commands == [cmd.RecordLiftAnswer("main", True, "", False)]
    assert (called(post), passed) == (["suspend", "account"], ["outbox.lift.before", "outbox.lift.after"])


def test_an_account_that_the_broker_still_shows_as_suspended_is_told(post: Post) -> None:
    post.kill(suspend=True)
    post.desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    seen = run_story(post.broker.account)

    async def suspended() -> Any:
        return attrs.evolve(seen, suspended=True)

    post.broker.account = suspended  # type: ignore[method-assign]
    told = "the broker still shows the account as suspended"
    assert post.call(Kind.KILL).commands == [cmd.RecordLiftAnswer("main", True, told, True)]
