"""Delivery to the second: when the next attempt comes, what waits for what, and who says that it is stuck."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import UNREACHABLE, LoopTime, NoChance, ScriptedBroker
from tests.virtual_time import run_story
from tradecore import failpoints
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.values import OrderStatus, Purpose
from tradecore.errors import BrokerRefused, BrokerUnauthorized, NotSent, OutcomeUnknown
from tradecore.follower import Follower
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import BrokerOrder, OrderRequest

LATER = NOON + dt.timedelta(hours=9)
PACE = Pace(
    visibility_s=0, lookup_interval_s=3, lookups=1, retry_initial_s=2, retry_max_s=60, retry_jitter_s=0.0,
    max_concurrent=2, send_within_s=1e9,
)  # fmt: skip


class Timed(ScriptedBroker):
    """Notes at which second it was called; a submit takes `takes_s` by its symbol."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[tuple[str, float]] = []
        self.takes_s: dict[str, float] = {}

    def _call(self, name: str, *arguments: Any) -> None:
        self.at.append((name, round(asyncio.get_running_loop().time(), 3)))
        super()._call(name, *arguments)

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        await anyio.sleep(self.takes_s.get(request.symbol, 0.0))
        return await super().submit(request)

    def times(self, name: str) -> list[float]:
        return [at for called, at in self.at if called == name]


@attrs.define
class Shop:
    """An outbox at work on a ledger; what is given to the ledger reaches it at once."""

    desk: Desk
    broker: Timed
    outbox: Outbox
    follower: Follower

    @classmethod
    def open(cls, **pace: Any) -> Shop:
        desk = Desk.in_memory()
        desk.pin()
        return cls.over(desk, **pace)

    @classmethod
    def over(cls, desk: Desk, **pace: Any) -> Shop:
        broker = Timed()
        outbox = Outbox(
            desk.ledger, broker, LoopTime(desk), desk.ids, NoChance(), lambda: "lease-1", attrs.evolve(PACE, **pace)
        )
        follower = Follower(desk.ledger.journal)
        follower.listen(outbox.observe)
        return cls(desk, broker, outbox, follower)

    def place(self, symbol: str = "SPY", **terms: Any) -> str:
        return self.desk.place("buy", "10", symbol, **({"not_after": LATER} | terms))

    def give(self, command: cmd.Command) -> None:
        self.desk.give(command)
        self.follower.catch_up()

    async def work(self, seconds: float, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """Deliver for so many seconds of the loop's time, and hear of everything that is recorded."""

        async def follow() -> None:
            while True:
                self.follower.catch_up()
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await self.run(seconds, meanwhile)
            group.cancel_scope.cancel()

    async def run(self, seconds: float, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """Deliver for so many seconds, and hear of nothing but what it is told."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.outbox.run)
            if meanwhile is not None:
                await meanwhile()
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()


def story(told: Callable[[], Awaitable[None]]) -> None:
    run_story(told)


# --- again ----------------------------------------------------------------------------------------------------------


def test_each_attempt_waits_twice_as_long_as_the_one_before() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.trouble["submit"] = NotSent("no route")
        shop.place()
        await shop.work(200)
        assert shop.broker.times("submit") == [0.0, 2.0, 6.0, 14.0, 30.0]

    story(told)


def test_each_cancel_waits_a_little_longer_than_the_one_before() -> None:
    async def told() -> None:
        shop = Shop.open()
        order = shop.desk.live("buy", "10", limit="1")
        shop.desk.give(cmd.CancelOrder(order, "enough"))
        shop.broker.trouble["cancel"] = BrokerRefused(500, None, "no")
        await shop.work(200)
        assert shop.broker.times("cancel") == [0.0, 2.0, 6.0]

    story(told)


def test_a_cancel_waits_as_long_as_the_broker_wishes() -> None:
    async def told() -> None:
        shop = Shop.open()
        order = shop.desk.live("buy", "10", limit="1")
        shop.desk.give(cmd.CancelOrder(order, "enough"))
        shop.broker.trouble["cancel"] = NotSent("too many", retry_after_s=7.0)
        await shop.work(20)
        assert shop.broker.times("cancel") == [0.0, 7.0, 14.0]

    story(told)


def test_look_ups_come_at_even_times_and_the_order_follows_the_proof_at_once() -> None:
    async def told() -> None:
        shop = Shop.open(lookups=3)
        shop.broker.trouble["submit"] = OutcomeUnknown("cut off")
        shop.place()

        async def mend() -> None:
            await anyio.sleep(1)
            shop.broker.trouble.clear()

        await shop.work(30, mend)
        assert shop.broker.times("order_by_client_id") == [0.0, 3.0, 6.0]
        assert shop.broker.times("submit") == [0.0, 6.0]

    story(told)


def test_what_the_broker_wished_for_holds_everything_new_and_no_cancel() -> None:
    async def told() -> None:
        shop = Shop.open()
        working = shop.desk.live("buy", "10", "OLD", limit="1")
        shop.broker.trouble["submit"] = NotSent("too many", retry_after_s=10.0)
        shop.place()

        async def more() -> None:
            await anyio.sleep(1)
            shop.broker.trouble.clear()
            shop.place("QQQ")
            shop.desk.give(cmd.CancelOrder(working, "enough"))

        await shop.work(30, more)
        assert shop.broker.times("submit")[0] == 0.0
        assert shop.broker.times("submit")[1:] == [10.0, 10.0]
        assert [round(at, 1) for at in shop.broker.times("cancel")] == [1.0]

    story(told)


def test_each_kill_waits_a_little_longer_than_the_one_before() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.trouble["cancel_all"] = BrokerRefused(500, None, "no")
        shop.desk.give(cmd.RequestKill("main", "enough"))
        await shop.work(25)
        assert shop.broker.times("cancel_all") == [0.0, 2.0, 6.0, 12.0, 20.0]

    story(told)


def test_the_first_of_several_that_wait_is_not_late() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.trouble = {"submit": OutcomeUnknown("cut off"), "order_by_client_id": UNREACHABLE}
        shop.place("AAA")

        async def more() -> None:
            await anyio.sleep(1)
            shop.place("BBB")

        await shop.work(6.5, more)
        assert [round(at, 1) for at in shop.broker.times("order_by_client_id")] == [0.0, 1.0, 3.0, 4.0, 6.0, 7.0]

    story(told)


def test_what_is_held_up_goes_when_that_is_over_whoever_was_the_reason() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.trouble["submit"] = NotSent("too many", retry_after_s=10.0)
        first = shop.place("AAA")

        async def withdraw() -> None:
            await anyio.sleep(1)
            shop.broker.trouble.clear()
            shop.place("BBB")
            await anyio.sleep(1)
            shop.give(cmd.WithdrawOrder(first, "enough"))

        await shop.work(20, withdraw)
        assert shop.broker.times("submit") == [0.0, 10.0]

    story(told)


# --- at once --------------------------------------------------------------------------------------------------------


def test_one_place_is_kept_for_what_takes_risk_away() -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=3)
        working = shop.desk.live("buy", "10", "OLD", limit="1")
        symbols = ("AAA", "BBB", "CCC")
        shop.broker.takes_s = dict.fromkeys(symbols, 10.0)
        for symbol in symbols:
            shop.place(symbol)

        async def cancel() -> None:
            await anyio.sleep(1)
            shop.desk.give(cmd.CancelOrder(working, "enough"))

        await shop.work(40, cancel)
        assert shop.broker.times("submit") == [10.0, 10.0, 20.0], "told when they are done: two at once"
        assert [round(at, 1) for at in shop.broker.times("cancel")] == [1.0]

    story(told)


def test_who_may_only_do_one_thing_at_a_time_keeps_no_place_free() -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=1)
        shop.broker.takes_s = {"AAA": 10.0, "BBB": 10.0}
        shop.place("AAA")
        shop.place("BBB")
        await shop.work(40)
        assert shop.broker.times("submit") == [10.0, 20.0]

    story(told)


def test_nothing_begins_once_it_settles_and_what_is_under_way_ends() -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=3)
        shop.broker.takes_s = {"AAA": 10.0}
        first = shop.place("AAA")

        async def settle() -> None:
            await anyio.sleep(1)
            async with anyio.create_task_group() as group:
                group.start_soon(shop.outbox.settle_calls)
                await anyio.sleep(1)
                shop.place("BBB")
            assert round(asyncio.get_running_loop().time(), 3) == 10.0

        await shop.work(20, settle)
        assert shop.broker.times("submit") == [10.0]
        assert shop.desk.order(first).status is OrderStatus.NEW

    story(told)


def test_an_order_that_somebody_else_sent_is_let_go_and_its_line_goes_on() -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=2)
        first, second = shop.place(), shop.place()
        shop.follower.catch_up()
        shop.desk.send(first)  # by another process; this one has not heard of it
        shop.broker.have(shop.desk.order(first).client_order_id)
        await shop.work(20)
        assert len(shop.broker.times("submit")) == 1
        assert {shop.desk.order(one).status for one in (first, second)} == {OrderStatus.NEW}
        third = shop.place()
        await shop.work(5)
        assert shop.desk.order(third).status is OrderStatus.NEW, "its place is free again"

    story(told)


# --- what waits for leave -------------------------------------------------------------------------------------------


def waiting() -> Shop:
    """A shop that holds everything that adds risk."""
    shop = Shop.open()
    shop.outbox.leave.hold = lambda order: "the books are behind" if order.purpose is Purpose.TRADE else None
    return shop


def test_what_waits_is_sent_when_somebody_says_so() -> None:
    async def told() -> None:
        shop = waiting()
        shop.place()

        async def let_go() -> None:
            await anyio.sleep(5)
            assert (shop.outbox.open_items, shop.broker.times("submit")) == (1, [])
            await shop.outbox.drain()  # does not wait for it
            shop.outbox.leave.hold = lambda _: None
            shop.outbox.look_again()

        await shop.work(5, let_go)
        assert shop.broker.times("submit") == [5.0]

    story(told)


def test_what_waits_holds_up_nothing_behind_it() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.outbox.leave.hold = lambda order: "the books are behind" if order.symbol == "AAA" else None
        for symbol in ("AAA", "AAA", "BBB"):
            shop.place(symbol)
        await shop.work(1)
        assert (shop.broker.times("submit"), shop.outbox.open_items) == ([0.0], 2)

    story(told)


def test_who_drains_waits_until_everything_else_is_done() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.takes_s = {"AAA": 5.0}
        shop.place("AAA")

        async def drain() -> None:
            await anyio.sleep(1)
            await shop.outbox.drain()
            assert round(asyncio.get_running_loop().time(), 3) == 5.0
            await shop.outbox.drain()
            assert round(asyncio.get_running_loop().time(), 3) == 5.0

        await shop.work(1, drain)

    story(told)


@pytest.mark.parametrize("first", ["AAA", "BBB"])
def test_keys_that_are_refused_end_delivery_whatever_else_ends_at_that_moment(first: str) -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=3)
        shop.broker.takes_s = {"AAA": 5.0, "BBB": 5.0}
        plain = shop.broker.submit

        async def submit(request: OrderRequest) -> BrokerOrder:
            answer = await plain(request)
            if request.symbol == first:
                raise BrokerUnauthorized("no such key")
            return answer

        shop.broker.submit = submit  # type: ignore[method-assign]
        orders = [shop.place(symbol) for symbol in ("AAA", "BBB")]
        with pytest.raises(ExceptionGroup) as raised:
            await shop.work(20)
        assert raised.value.subgroup(BrokerUnauthorized) is not None
        assert sorted(shop.desk.order(one).status for one in orders) == [OrderStatus.NEW, OrderStatus.QUEUED]

    story(told)


def test_what_waits_and_is_canceled_ends_at_once() -> None:
    async def told() -> None:
        shop = waiting()
        order = shop.place()

        async def cancel() -> None:
            await anyio.sleep(5)
            shop.give(cmd.CancelOrder(order, "enough"))
            await anyio.sleep(0.1)
            assert shop.desk.order(order).status is OrderStatus.CANCELED
            assert shop.outbox.open_items == 0

        await shop.work(5, cancel)

    story(told)


def test_what_waits_ends_when_its_time_has_passed() -> None:
    async def told() -> None:
        shop = waiting()
        order = shop.place(not_after=NOON + dt.timedelta(seconds=5))

        async def pass_by() -> None:
            await anyio.sleep(4.9)
            shop.desk.clock.at = NOON + dt.timedelta(seconds=4.9)
            assert shop.desk.order(order).status is OrderStatus.QUEUED
            await anyio.sleep(0.09)
            shop.desk.clock.at = NOON + dt.timedelta(seconds=6)

        await shop.work(1, pass_by)
        assert shop.desk.order(order).status is OrderStatus.CANCELED
        assert shop.broker.times("submit") == []

    story(told)


def test_room_that_is_made_lets_everything_stand_again() -> None:
    """What was released or filled may make an order one that only reduces."""

    async def told() -> None:
        shop = waiting()
        shop.place("AAA")
        other = shop.desk.live("buy", "5", "BBB", limit="1")
        asked: list[str] = []

        def hold(order: Any) -> str | None:
            asked.append(order.symbol)
            return "the books are behind"

        async def release() -> None:
            await anyio.sleep(5)
            shop.outbox.leave.hold = hold
            shop.give(cmd.CancelOrder(other, "enough"))
            await anyio.sleep(1)
            assert asked == []
            shop.desk.report(other, "canceled", at=9)
            shop.follower.catch_up()
            await anyio.sleep(1)
            assert asked == ["AAA"]

        await shop.work(1, release)

    story(told)


# --- stuck ----------------------------------------------------------------------------------------------------------


def test_who_waits_for_the_broker_says_so() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.trouble["submit"] = NotSent("too many", retry_after_s=60.0)
        shop.place()

        async def ask() -> None:
            await anyio.sleep(1)
            assert shop.outbox.why_stuck(0.0) is None, "nothing is ready: the order waits for its time"
            shop.place("QQQ")
            await anyio.sleep(1)
            assert shop.outbox.why_stuck(0.5) == "the broker wants to be left alone"
            assert shop.outbox.why_stuck(1.5) is None, "not for so long"
            await anyio.sleep(58.5)
            assert shop.outbox.why_stuck(0.0) is None

        await shop.work(1, ask)

    story(told)


def test_who_has_its_hands_full_is_not_stuck() -> None:
    async def told() -> None:
        shop = Shop.open(max_concurrent=1)
        shop.broker.takes_s = {"AAA": 30.0}
        shop.place("AAA")
        shop.place("BBB")

        async def ask() -> None:
            await anyio.sleep(20)
            shop.place("CCC")
            await anyio.sleep(1)
            assert shop.outbox.why_stuck(0.0) is None

        await shop.work(20, ask)

    story(told)


# --- told -----------------------------------------------------------------------------------------------------------


def test_an_unknown_order_is_told_once_at_the_look_up_that_is_meant_for_it() -> None:
    async def told() -> None:
        shop = Shop.open(lookups_before_alert=4)
        shop.broker.trouble = {"submit": OutcomeUnknown("cut off"), "order_by_client_id": UNREACHABLE}
        order = shop.place()
        await shop.work(100)
        found = [one.event for one in shop.desk.ledger.journal.read(0, 10_000) if isinstance(one.event, AlertTriggered)]
        assert [event.kind for event in found] == ["order_unknown"]
        assert shop.outbox.unresolved_orders == (order,)
        assert shop.broker.times("order_by_client_id")[:4] == [0.0, 3.0, 6.0, 9.0]

    story(told)


# --- a new run ------------------------------------------------------------------------------------------------------


def test_a_start_takes_up_a_kill_and_orders_and_tells_what_died_before() -> None:
    async def told() -> None:
        before = Shop.open()
        before.broker.trouble["submit"] = NotSent("no route")
        dead, queued = (before.place(symbol, purpose=Purpose.CLOSE) for symbol in ("AAA", "BBB"))
        while not before.desk.order(dead).dead:
            before.desk.send(dead)
            before.desk.give(cmd.RecordNotSent(dead, "no route", before.desk.order(dead).submits))
        before.desk.give(cmd.RequestKill("main", "enough"))
        shop = Shop.over(before.desk)
        for order_id in (dead, queued, "nobody's"):
            shop.outbox.consider(order_id)
        shop.outbox.restore()
        assert (shop.outbox.open_items, alerts(shop)) == (2, ["delivery_dead"])
        await shop.run(5)
        assert shop.broker.times("cancel_all") == [0.0]
        assert shop.broker.times("submit") == [0.0]

    story(told)


def test_what_comes_while_it_waits_is_begun_at_once() -> None:
    """Each of these is said to an outbox that has nothing to do, and nobody else wakes it."""

    async def told() -> None:
        shop = Shop.open()
        order_id = shop.place("AAA")

        async def consider() -> None:
            await anyio.sleep(5)
            shop.outbox.consider(order_id)
            await anyio.sleep(5)
            shop.desk.give(cmd.RequestKill("main", "enough"))
            shop.outbox.restore()

        await shop.run(5, consider)
        assert shop.broker.times("submit") == [5.0]
        assert shop.broker.times("cancel_all")[0] == 10.0

    story(told)


def test_orders_of_another_account_are_not_its_own() -> None:
    async def told() -> None:
        shop = Shop.open()
        other = shop.desk.ids.order_id()
        held = cmd.PinAccount("other", "test", "broker-account-2", True, "USD", Decimal(1000), (), NOON)
        shop.desk.give(held)
        shop.desk.place("buy", "1", order_id=other, account="other", not_after=LATER)
        while not shop.desk.order(other).dead:
            shop.desk.send(other)
            shop.desk.give(cmd.RecordNotSent(other, "no route", shop.desk.order(other).submits))
        shop.outbox.consider(other)
        assert (shop.outbox.open_items, alerts(shop)) == (0, [])

    story(told)


def alerts(shop: Shop) -> list[str]:
    found = (one.event for one in shop.desk.ledger.journal.read(0, 10_000))
    return [event.kind for event in found if isinstance(event, AlertTriggered)]


def test_the_failpoints_around_a_call_are_passed_once_each() -> None:
    names: list[str] = []
    failpoints.watch(lambda name: names.append(name) if name.startswith("outbox.") else None)

    async def told() -> None:
        shop = Shop.open()
        shop.place()
        await shop.work(1)

    try:
        story(told)
    finally:
        failpoints.watch(None)
    assert names == ["outbox.t2.before", "outbox.post.before", "outbox.post.after", "outbox.t3.after"]


def test_an_outcome_of_the_last_moment_is_recorded_when_the_run_ends() -> None:
    async def told() -> None:
        shop = Shop.open()
        shop.broker.takes_s = {"AAA": 5.0}
        order_id = shop.place("AAA")
        await shop.work(1)
        assert shop.broker.times("submit") == [5.0], "an instruction is finished, whoever cancels"
        assert shop.desk.order(order_id).status is OrderStatus.NEW

    story(told)


def test_what_is_looked_up_is_unresolved_until_it_is_proved_absent() -> None:
    async def told() -> None:
        shop = Shop.open(lookups=2)
        shop.broker.trouble["submit"] = OutcomeUnknown("cut off")
        order_id = shop.place()

        async def watch() -> None:
            await anyio.sleep(1)
            assert shop.outbox.unresolved_orders == (order_id,)
            shop.outbox.leave.hold = lambda _: "the books are behind"
            await anyio.sleep(4)
            assert (shop.outbox.unresolved, shop.outbox.open_items) == (0, 1), "it waits, and is not at the broker"

        await shop.work(1, watch)
        assert shop.broker.times("submit") == [0.0]

    story(told)
