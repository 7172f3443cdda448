"""Two outboxes at one ledger, in virtual time: one holds the lane and shows itself, the other waits meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import LoopTime, NoChance, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnauthorized, LeaseHeld
from tradecore.follower import Follower
from tradecore.outbox import Lane, Outbox, Pace
from tradecore.ports.broker import BrokerOrder, OrderRequest

LATER = NOON + dt.timedelta(hours=9)
PATIENCE_S = 12.0
PACE = Pace(visibility_s=0, lookup_interval_s=1, lookups=1, retry_initial_s=1, retry_jitter_s=0.0, send_within_s=1e9)


class Slow(ScriptedBroker):
    """Answers a submit after a while."""

    takes_s = 0.0

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        answer = await super().submit(request)
        await anyio.sleep(self.takes_s)
        return answer


@attrs.define
class Member:
    """One process that may deliver."""

    outbox: Outbox
    lane: Lane
    follower: Follower
    clock: LoopTime

    @classmethod
    def of(cls, desk: Desk, broker: ScriptedBroker, name: str, **terms: Any) -> Member:
        clock = LoopTime(desk)
        lane = Lane(desk.ledger, clock, desk.ids, "main", name, PATIENCE_S)
        token = terms.pop("token", lambda: f"lease of {name}")
        outbox = Outbox(desk.ledger, broker, clock, desk.ids, NoChance(), token, terms.pop("pace", PACE), lane=lane)
        follower = Follower(desk.ledger.journal)
        follower.listen(outbox.observe)
        return cls(outbox, lane, follower, clock)

    async def follow(self) -> None:
        while True:
            self.follower.catch_up()
            await anyio.sleep(0.05)


def office() -> tuple[Desk, Slow]:
    desk = Desk.in_memory()
    desk.pin()
    return desk, Slow()


def holder(desk: Desk) -> str | None:
    state = desk.ledger.lane("main")
    return None if state is None else state.holder


def place(desk: Desk, symbol: str = "SPY") -> str:
    return desk.place("buy", "10", symbol, not_after=LATER)


async def deliver(member: Member, meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(member.follow)
        group.start_soon(member.outbox.run)
        group.start_soon(meanwhile)


def test_the_lane_is_taken_when_there_is_work_and_everything_is_sent_once() -> None:
    async def story() -> None:
        desk, broker = office()
        members = [Member.of(desk, broker, name) for name in ("first", "second")]
        async with anyio.create_task_group() as group:
            for member in members:
                group.start_soon(member.follow)
                group.start_soon(member.outbox.run)
            await anyio.sleep(1)
            assert holder(desk) is None, "nobody takes what nobody needs"
            orders = [place(desk, symbol) for symbol in ("SPY", "QQQ", "IWM")]
            await anyio.sleep(1)
            group.cancel_scope.cancel()
        assert broker.count("submit") == 3
        assert {desk.order(order).status for order in orders} == {OrderStatus.NEW}
        assert holder(desk) == "first"

    run_story(story)


def test_who_holds_the_lane_shows_himself_while_there_is_work_and_keeps_it() -> None:
    async def story() -> None:
        desk, broker = office()
        broker.takes_s = 100.0
        first, second = (Member.of(desk, broker, name) for name in ("first", "second"))
        async with anyio.create_task_group() as group:
            for member in (first, second):
                group.start_soon(member.follow)
                group.start_soon(member.outbox.run)
            place(desk)
            await anyio.sleep(90)
            assert holder(desk) == "first"
            signs = desk.names().count("system.lane.used")
            assert 90 / (PATIENCE_S / 3) - 3 < signs <= 90 / (PATIENCE_S / 3) + 3
            await anyio.sleep(20)
            assert not first.outbox.open_items
            told = len(desk.names())
            await anyio.sleep(60)
            assert len(desk.names()) == told, "who has nothing to do says nothing"
            group.cancel_scope.cancel()
        assert broker.count("submit") == 1

    run_story(story)


def test_a_holder_that_falls_silent_is_succeeded_after_the_patience_and_not_before() -> None:
    async def story() -> None:
        desk, broker = office()
        first, second = (Member.of(desk, broker, name) for name in ("first", "second"))
        place(desk)
        first.follower.catch_up()
        assert first.lane.may_deliver(has_work=True)  # and never says a word again
        async with anyio.create_task_group() as group:
            group.start_soon(second.follow)
            group.start_soon(second.outbox.run)
            await anyio.sleep(PATIENCE_S - 1)
            assert broker.count("submit") == 0
            await anyio.sleep(2)
            assert broker.count("submit") == 1
            assert holder(desk) == "second"
            group.cancel_scope.cancel()
        assert not first.lane.is_held

    run_story(story)


def test_who_was_succeeded_records_what_he_sent_and_begins_nothing_new() -> None:
    async def story() -> None:
        desk, broker = office()
        broker.takes_s = 5.0
        first, second = (Member.of(desk, broker, name) for name in ("first", "second"))
        async with anyio.create_task_group() as group:
            group.start_soon(first.follow)
            group.start_soon(first.outbox.run)
            order = place(desk)
            await anyio.sleep(1)
            second.follower.catch_up()
            assert second.lane.may_deliver(has_work=True, is_dead=True)
            other = place(desk, "QQQ")
            await anyio.sleep(PATIENCE_S - 1)  # then he would take the lane back
            group.cancel_scope.cancel()
        assert desk.order(order).status is OrderStatus.NEW, "the answer counts, whoever delivers by now"
        assert desk.order(other).status is OrderStatus.QUEUED
        assert broker.count("submit") == 1
        assert holder(desk) == "second"

    run_story(story)


def test_who_leaves_lets_go_of_the_lane_and_the_other_begins_at_once() -> None:
    async def story() -> None:
        desk, broker = office()
        first, second = (Member.of(desk, broker, name) for name in ("first", "second"))
        async with anyio.create_task_group() as group:
            group.start_soon(first.follow)
            group.start_soon(first.outbox.run)
            place(desk)
            await anyio.sleep(1)
            await first.outbox.settle_calls()
            assert holder(desk) is None
            place(desk, "QQQ")
            await anyio.sleep(1)
            assert broker.count("submit") == 1, "who settles begins nothing"
            group.start_soon(second.follow)
            group.start_soon(second.outbox.run)
            await anyio.sleep(1)
            assert broker.count("submit") == 2
            group.cancel_scope.cancel()
        first.lane.leave()
        assert holder(desk) == "second", "nobody gives away what is another's"

    run_story(story)


def test_what_is_not_sent_says_why() -> None:
    async def story() -> None:
        desk, broker = office()
        first, second = (Member.of(desk, broker, name) for name in ("first", "second"))
        place(desk)
        first.follower.catch_up()
        assert first.lane.may_deliver(has_work=True)
        async with anyio.create_task_group() as group:
            group.start_soon(second.follow)
            group.start_soon(second.outbox.run)
            await anyio.sleep(5)
            assert second.outbox.why_stuck(10) is None, "not for long enough"
            assert second.outbox.why_stuck(3) == "another process holds the lane and delivers nothing"
            await anyio.sleep(10)
            assert second.outbox.why_stuck(0) is None, "it took the lane"
            group.cancel_scope.cancel()

    run_story(story)


def test_a_lease_that_is_lost_ends_delivery_with_the_outcomes_recorded_and_nothing_sent() -> None:
    async def story() -> None:
        desk, broker = office()
        broker.takes_s = 5.0
        is_lost: list[bool] = []

        def token() -> str:
            if is_lost:
                raise LeaseHeld("the lease is another's")
            return "lease-1"

        member = Member.of(desk, broker, "first", token=token)
        sent = place(desk)

        async def lose() -> None:
            await anyio.sleep(1)
            is_lost.append(True)
            place(desk, "QQQ")

        with pytest.raises(ExceptionGroup) as raised:
            await deliver(member, lose)
        assert raised.value.subgroup(LeaseHeld) is not None
        assert broker.count("submit") == 1
        assert desk.order(sent).status in (OrderStatus.NEW, OrderStatus.SUBMITTED)

    run_story(story)


def test_keys_that_are_refused_end_delivery() -> None:
    async def story() -> None:
        desk, broker = office()
        broker.trouble["submit"] = BrokerUnauthorized("no such key")
        member = Member.of(desk, broker, "first")
        order = place(desk)
        with pytest.raises(ExceptionGroup) as raised:
            await deliver(member, lambda: anyio.sleep(60))
        assert raised.value.subgroup(BrokerUnauthorized) is not None
        assert broker.count("submit") == 1
        assert desk.order(order).status is OrderStatus.QUEUED, "it is known not to have been taken"

    run_story(story)
