"""The working set, event by event: what opens an item, what changes it, what closes it, and what it keeps."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk, StillClock
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item
from tradecore.outbox.working_set import KILL, WorkingSet

D = Decimal
LATER = NOON + dt.timedelta(hours=1)
BRACKET: Any = {
    "order_class": OrderClass.BRACKET, "take_profit": TakeProfit(D(110)), "stop_loss": StopLoss(D(90)),
}  # fmt: skip


@attrs.define
class Bench:
    """A ledger and what is open on it."""

    desk: Desk
    clock: StillClock
    open: WorkingSet

    @classmethod
    def new(cls) -> Bench:
        desk, clock = Desk.in_memory(), StillClock()
        desk.pin()
        return cls(desk, clock, WorkingSet(desk.ledger, "main", clock))

    def give(self, command: cmd.Command) -> None:
        self.open.observe(self.desk.give(command))

    def hear(self) -> None:
        """Of everything that is on record."""
        self.open.observe(tuple(self.desk.ledger.journal.read(0, 10_000)))

    def place(self, symbol: str = "SPY", **terms: Any) -> str:
        order_id = self.desk.place("buy", "10", symbol, **({"not_after": LATER} | terms))
        self.open.consider(order_id)
        return order_id

    def take(self) -> Item:
        item = self.open.queue.take(self.clock.monotonic(), only_urgent=False)
        assert item is not None
        item.busy = True
        return item

    def back(self, item: Item) -> None:
        self.open.queue.release(item.line)
        self.open.came_back(item)

    def kinds(self) -> dict[str, Kind]:
        return {key: item.kind for key, item in self.open.items.items()}


@pytest.fixture
def bench() -> Bench:
    return Bench.new()


def test_an_order_has_an_item_from_its_plan_to_the_brokers_answer(bench: Bench) -> None:
    order_id = bench.place()
    item = bench.open.items[order_id]
    assert (item.kind, item.priority, item.line) == (Kind.SUBMIT, Priority.TRADE, "SPY")
    bench.desk.send(order_id)
    bench.desk.answer(order_id)
    bench.hear()
    assert bench.kinds() == {}
    assert item.gone
    bench.give(cmd.CancelOrder(order_id, "enough"))
    assert (bench.kinds(), bench.open.items[order_id].line) == ({order_id: Kind.CANCEL}, order_id)


def test_orders_of_another_account_and_of_nobody_open_nothing(bench: Bench) -> None:
    bench.desk.give(cmd.PinAccount("other", "test", "b-2", True, "USD", D(1000), (), NOON))
    other = bench.desk.ids.order_id()
    bench.desk.place("buy", "1", order_id=other, account="other", not_after=LATER)
    bench.hear()
    bench.open.consider("nobody's")
    assert bench.kinds() == {}


def test_a_leg_is_found_by_way_of_its_parent_until_it_has_a_name(bench: Bench) -> None:
    entry = bench.place(limit="100", **BRACKET)
    bench.desk.send(entry)
    bench.desk.answer(entry)
    bench.hear()
    assert bench.kinds() == {entry: Kind.LEGS}
    profit, loss = (leg_order_id(entry, leg) for leg in ("take_profit", "stop_loss"))
    for leg in (profit, loss):
        assert bench.kinds() == {entry: Kind.LEGS}
        report = cmd.RecordReport(leg, f"b-{leg}", bench.desk.order(entry).status, D(0), NOON, "stream", "{}")
        bench.give(report)
    assert bench.kinds() == {}, "both are known, and the parent is asked no more"
    bench.open.consider(profit)
    assert bench.kinds() == {}


def test_a_leg_that_nobody_knows_yet_takes_its_parent_up(bench: Bench) -> None:
    entry = bench.place(limit="100", **BRACKET)
    bench.desk.send(entry)
    bench.desk.answer(entry)
    fresh = WorkingSet(bench.desk.ledger, "main", bench.clock)
    fresh.consider(leg_order_id(entry, "stop_loss"))
    assert {key: item.kind for key, item in fresh.items.items()} == {entry: Kind.LEGS}


def test_what_is_under_way_is_looked_at_when_it_comes_back(bench: Bench) -> None:
    order_id = bench.place()
    item = bench.take()
    bench.desk.send(order_id)
    bench.desk.answer(order_id)
    bench.hear()
    assert bench.open.items[order_id] is item, "its call has not ended"
    bench.back(item)
    assert (bench.kinds(), item.busy) == ({}, False)


def test_what_failed_and_must_be_looked_up_and_sent_again_keeps_its_place_and_its_past(bench: Bench) -> None:
    first, second = bench.place(), bench.place()
    item = bench.take()
    assert item.key == first
    bench.desk.send(first)
    bench.desk.give(cmd.RecordUnknown(first, "cut off"))
    item.failures = 2
    bench.back(item)
    look_up = bench.open.items[first]
    assert (look_up.kind, look_up.failures, look_up.number) == (Kind.RESOLVE, 2, item.number)
    assert (item.gone, look_up.due_at) == (True, 0.0)
    look_up.due_at = bench.clock.monotonic() + 5
    bench.desk.give(cmd.RecordNotSent(first, "absent"))
    bench.hear()
    again = bench.open.items[first]
    assert (again.kind, again.failures, again.number) == (Kind.SUBMIT, 2, item.number)
    assert again.due_at == look_up.due_at, "until when it waits goes on"
    bench.give(cmd.CancelOrder(second, "enough"))
    assert bench.kinds() == {first: Kind.SUBMIT}


def test_what_is_not_done_stands_again(bench: Bench) -> None:
    order_id = bench.place()
    item = bench.take()
    bench.back(item)
    assert bench.open.items == {order_id: item}
    assert bench.take() is item


def test_only_what_still_needs_the_same_is_wanted(bench: Bench) -> None:
    order_id = bench.place()
    item = bench.take()
    wanted = bench.open.still_wanted(item)
    assert wanted is not None
    assert wanted.order_id == order_id
    bench.desk.send(order_id)
    assert bench.open.still_wanted(item) is None
    assert bench.open.still_wanted(attrs.evolve(item, key="nobody's")) is None


# --- the kill -------------------------------------------------------------------------------------------------------


def test_a_kill_is_open_until_it_is_verified(bench: Bench) -> None:
    bench.give(cmd.RequestKill("main", "enough"))
    assert bench.kinds() == {"kill": Kind.KILL}
    item = bench.take()
    assert (item.key, item.priority, item.line) == (KILL, Priority.KILL, KILL)
    bench.give(cmd.StartKill("main", "lease-1"))
    bench.back(item)
    assert bench.open.items == {KILL: item}
    assert bench.take() is item
    bench.give(cmd.RecordKillAnswer("main", True, "", 0))
    bench.back(item)
    assert bench.kinds() == {}


def test_a_kill_that_another_process_verified_is_dropped(bench: Bench) -> None:
    bench.give(cmd.RequestKill("main", "enough"))
    item = bench.open.items[KILL]
    bench.desk.give(cmd.StartKill("main", "lease-1"))
    bench.desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    bench.hear()
    assert (bench.kinds(), item.gone) == ({}, True)
    assert bench.open.queue.take(bench.clock.monotonic(), only_urgent=False) is None


def test_a_kill_of_another_account_is_not_its_own(bench: Bench) -> None:
    bench.desk.give(cmd.PinAccount("other", "test", "b-2", True, "USD", D(1000), (), NOON))
    bench.give(cmd.RequestKill("other", "enough"))
    assert bench.kinds() == {}


def test_a_kill_that_is_under_way_is_not_dropped_by_what_is_heard_meanwhile(bench: Bench) -> None:
    bench.give(cmd.RequestKill("main", "enough"))
    item = bench.take()
    bench.desk.give(cmd.StartKill("main", "lease-1"))
    bench.desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    bench.hear()
    assert (bench.open.items, item.gone) == ({KILL: item}, False)
    bench.back(item)
    assert bench.kinds() == {}
