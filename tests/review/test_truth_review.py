"""Truth and books where sources repeat, contradict, come late, or are of a time before the ledger."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.ledger.revisions import Told, tell
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.values import Side
from tradecore.errors import InputError
from tradecore.gate import Gate
from tradecore.journal import KeyRing, open_journal
from tradecore.journal.group_commit import GroupCommit
from tradecore.ports.broker import ActivityKind, BrokerActivity, Execution, OrderReport, StreamConnected, StreamLost
from tradecore.reconcile import Difference, Differences, Reconciler
from tradecore.testing.journal_samples import recorded
from tradecore.verify import verify


def clean(desk: Desk) -> bool:
    assert verify(desk.ledger.journal).findings == ()
    return True


@pytest.mark.parametrize("names", [None, "unlike"])
def test_a_bust_that_is_read_again_does_not_bust_another_fill_of_the_same_size_and_price(names: str | None) -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "20")
    tell(desk, Told(order_id, "s1", "10", "100", "10"))
    tell(desk, Told(order_id, "s2", "10", "100", "20"))
    bust = Told(order_id, "b1", "10", "100", "10", revises=names, busts=True, second=5, source="activities")
    for _ in range(3):
        tell(desk, bust)
    assert desk.account.position("SPY").quantity == 10
    assert clean(desk)


def test_a_correction_that_cannot_be_booked_keeps_no_fill_from_being_counted() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "c1", "8", "100", "8", revises="x2", second=5))
    with pytest.raises(InputError, match="no more than the order's 10"):
        tell(desk, Told(order_id, "c2", "15", "100", "15", revises="x1", second=5))
    tell(desk, Told(order_id, "x1", "5", "100", "5"))
    tell(desk, Told(order_id, "x2", "5", "100", "10"))
    assert desk.account.position("SPY").quantity == 10
    assert clean(desk)


def test_an_order_from_before_the_books_that_fills_later_is_counted_and_without_what_was_filled_before() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        old = broker.have("by-hand", qty="10", updated_at=NOON - dt.timedelta(days=1))
        broker.fill(old, "4", NOON - dt.timedelta(hours=20))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert office.desk.account.position("SPY").quantity == 4
        broker.fill(old, "6", NOON + dt.timedelta(minutes=5))
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert engine.gate.reasons == ()
        assert clean(office.desk)

    run_story(story)


def test_an_order_from_before_the_books_that_the_stream_tells_of_is_counted_once() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        old = broker.have("by-hand", qty="10", updated_at=NOON - dt.timedelta(days=1))
        broker.fill(old, "4", NOON - dt.timedelta(hours=20))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        execution = broker.fill(old, "6", NOON + dt.timedelta(minutes=5))
        told = attrs.evolve(execution, source="stream")
        await office.inbox.take(OrderReport(broker.orders[old.broker_order_id], "fill", told))
        engine.catch_up()
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert engine.gate.reasons == ()

    run_story(story)


def test_a_dividend_of_a_long_stop_is_booked_though_an_order_was_filled_since() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order_id = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        engine.catch_up()
        paid = (NOON + dt.timedelta(days=2)).date()
        broker.activities.append(
            BrokerActivity("d1", ActivityKind.DIVIDEND, "SPY", Decimal("12.5"), Decimal(0), paid, "{}")
        )
        broker.cash += Decimal("12.5")
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        broker.fill(order, "10", NOON + dt.timedelta(days=20))
        for _ in range(3):
            await engine.reconcile()
        assert engine.gate.reasons == ()
        assert office.desk.account.cash == broker.cash

    run_story(story)


def differing(desk: Desk, tolerance: str, *found: Difference) -> Differences:
    return Reconciler(desk.ledger, desk.ids, "main", Decimal(tolerance)).record("schedule", NOON, found)


def test_a_larger_tolerance_lets_go_of_a_difference_of_cash_that_is_open_and_a_smaller_one_gates() -> None:
    desk = Desk.in_memory()
    desk.pin()
    cash = Difference("cash", "USD", "100", "103")
    assert differing(desk, "1", cash).gating
    assert not differing(desk, "5", cash).gating
    assert differing(desk, "1", cash).gating


def test_a_position_taken_over_from_the_broker_leaves_no_strategy_to_sell_what_is_gone() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "10", "100")
    adjustment = cmd.BookAdjustment(
        "main", "difference-1", "SPY", Decimal(-10), Decimal(100), Decimal(1000), "sold elsewhere"
    )
    desk.give(adjustment)
    assert desk.account.position("SPY").quantity == 0
    refused = Gate().refuses(desk.account, "test", "SPY", Side.SELL, Decimal(10))
    assert refused is not None or desk.account.held("test", "SPY") == 0


def test_an_order_that_contradicts_itself_holds_back_new_risk_after_a_restart_too() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order_id = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        engine.catch_up()
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        broker.fill(order, "10", NOON + dt.timedelta(seconds=1))
        await engine.reconcile()
        twin = broker.have(order.client_order_id, broker_order_id="b-twin")
        await office.inbox.take(OrderReport(twin, "new", None))
        engine.catch_up()
        await engine.reconcile()
        assert engine.gate.reasons
        again = Office.open(office.desk, broker, "lease-2", caught_up=False)
        later = engine_of(again)
        broker.orders.pop("b-twin")
        await later.begin("runner-2")
        assert later.gate.reasons

    run_story(story)


@pytest.mark.parametrize("minutes", [-0.5, -30, -1200])
@pytest.mark.parametrize("later_s", [20, 300])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_order_that_worked_when_the_books_began_counts_what_it_fills_after_that_and_settles(
    minutes: float, later_s: int, streamed: bool
) -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        placed = NOON + dt.timedelta(minutes=minutes)
        old = broker.have("by-hand", qty="10", updated_at=placed)
        broker.fill(old, "4", placed + dt.timedelta(seconds=1))
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert office.desk.account.position("SPY").quantity == 4
        await engine.reconcile()
        execution = broker.fill(old, "6", NOON + dt.timedelta(seconds=later_s))
        if streamed:
            told = attrs.evolve(execution, source="stream")
            await office.inbox.take(OrderReport(broker.orders[old.broker_order_id], "fill", told))
            engine.catch_up()
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert office.desk.account.cash == broker.cash
        assert engine.gate.reasons == ()
        assert office.desk.account.reservations == {}
        assert not office.inbox.behind
        assert clean(office.desk)

    run_story(story)


def test_a_ledger_whose_keys_were_given_and_are_not_in_the_environment_can_be_copied(tmp_path: Path) -> None:
    ring = KeyRing({"2026": bytes(range(32))})
    url, copy = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "copy.db"
    with closing(open_journal(url, keys=ring)) as journal:
        desk = Desk.over(journal)
        desk.pin()
        desk.done("buy", "10", "100")
        assert journal.backup(copy) == journal.head()
    with closing(open_journal(f"sqlite:///{copy}", create=False, keys=ring)) as back:
        assert Desk.over(back).account.position("SPY").quantity == 10


def test_a_position_is_not_taken_over_when_the_books_changed_since_a_person_looked() -> None:
    desk = Desk.in_memory()
    desk.pin()
    seen = desk.account.position("SPY").quantity
    desk.done("buy", "10", "100")  # the execution that the books had not seen yet
    with pytest.raises(InputError, match="which is 10 by now"):
        desk.give(
            cmd.BookAdjustment("main", "difference-1", "SPY", Decimal(10), Decimal(100), Decimal(0), "by phone", seen)
        )
    assert desk.account.position("SPY").quantity == 10


@pytest.mark.parametrize("first", [-10, 40])
def test_the_rows_of_a_split_may_come_one_after_the_other(first: int) -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        desk = Desk.in_memory()
        office = Office.open(desk, broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order = desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        broker.fill(broker.orders[f"b-{desk.order(order).client_order_id}"], "10", NOON)
        await engine.reconcile()
        broker.held["SPY"] = Decimal(40)
        for quantity in (first, 30 - first):
            row = BrokerActivity(
                f"s{quantity}", ActivityKind.SPLIT, "SPY", Decimal(0), Decimal(quantity), NOON.date(), "{}"
            )
            broker.activities.append(row)
            for _ in range(2):
                await engine.reconcile()
        position = desk.account.position("SPY")
        assert position.quantity == 40
        assert position.cost == 1000
        assert desk.account.realised_pnl == 0
        assert desk.account.held("test", "SPY") == 40
        assert engine.gate.reasons == ()

    run_story(story)


def test_a_fill_that_was_too_much_until_the_bust_of_another_is_counted_and_holds_nothing_back_for_ever() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        office = Office.open(Desk.in_memory(), broker, caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        order_id = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver()
        engine.catch_up()
        order = broker.orders[f"b-{office.desk.order(order_id).client_order_id}"]
        first = broker.fill(order, "10", NOON + dt.timedelta(seconds=1))
        await engine.reconcile()
        second = attrs.evolve(first, execution_id="x9", occurred_at=NOON + dt.timedelta(seconds=9))
        told = OrderReport(broker.orders[order.broker_order_id], "fill", attrs.evolve(second, source="stream"))
        await office.inbox.take(told)
        engine.catch_up()
        broker.fills.append(
            attrs.evolve(
                first,
                execution=Execution.BUST,
                execution_id="x8",
                previous_execution_id=first.execution_id,
                occurred_at=NOON + dt.timedelta(seconds=8),
                cumulative_qty=Decimal(0),
            )
        )
        broker.fills.append(second)
        for _ in range(3):
            await engine.reconcile()
        assert office.desk.account.position("SPY").quantity == 10
        assert engine.gate.reasons == ()

    run_story(story)


def test_what_two_threads_append_at_once_is_there_when_they_are_told_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    told: list[tuple[str, int]] = []
    with closing(GroupCommit(open_journal(url))) as journal:

        def work(name: str) -> None:
            for version in range(1, 40):
                (item,) = journal.append([recorded(name, version, ev.AlertTriggered("kind", name))])
                told.append((name, item.envelope.position))
                with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
                    row = other.execute(
                        "SELECT originator_id, originator_version FROM events WHERE position = ?",
                        (item.envelope.position,),
                    ).fetchone()
                assert row == (name, version)

        threads = [threading.Thread(target=work, args=(f"s{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(position for _, position in told) == list(range(1, 4 * 39 + 1))


def differing_office() -> tuple[Office, ScriptedBroker]:
    """The books hold 5, the broker 7: nobody knows why."""
    broker = ScriptedBroker()
    office = Office.open(Desk.in_memory(), broker, caught_up=False)
    office.desk.pin(positions=[("SPY", "5", "100")])
    broker.held["SPY"] = Decimal(7)
    return office, broker


def test_what_is_queued_is_not_sent_before_the_first_clean_comparison_and_what_reduces_is() -> None:
    async def story() -> None:
        office, broker = differing_office()
        engine = engine_of(office)
        await engine.begin("runner-1")
        entry = office.desk.place("buy", "10")
        exit_id = office.desk.place("sell", "5")
        engine.catch_up()
        await office.deliver()
        assert (office.desk.order(entry).status, broker.count("submit")) == ("queued", 1)
        assert office.desk.order(exit_id).broker_order_id is not None

    run_story(story)


def test_what_waits_for_the_gate_is_sent_when_it_opens() -> None:
    async def story() -> None:
        office, broker = differing_office()
        engine = engine_of(office)
        await engine.begin("runner-1")
        entry = office.desk.place("buy", "10", "QQQ")
        engine.catch_up()
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(office.outbox.run)
                await office.outbox.drain()  # what waits is nothing to wait for
                broker.held["SPY"] = Decimal(5)
                assert office.desk.order(entry).status == "queued"
                while office.desk.order(entry).broker_order_id is None:
                    await engine.reconcile()
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
        assert engine.gate.reasons == ()
        assert office.desk.order(entry).submits == 1

    run_story(story)


def test_what_waits_for_the_gate_ends_when_its_time_has_passed_or_somebody_cancels_it() -> None:
    async def story() -> None:
        office, broker = differing_office()
        engine = engine_of(office)
        await engine.begin("runner-1")
        late = office.desk.place("buy", "10", "QQQ", not_after=NOON + dt.timedelta(seconds=0.2))
        unwanted = office.desk.place("buy", "10", "QQQ")
        engine.catch_up()
        await office.deliver(0.1)
        assert [office.desk.order(one).status for one in (late, unwanted)] == ["queued", "queued"]
        office.desk.give(cmd.CancelOrder(unwanted, "no longer wanted"))
        office.desk.clock.at += dt.timedelta(seconds=1)
        engine.catch_up()
        await office.deliver(0.3)
        assert [office.desk.order(one).status for one in (late, unwanted)] == ["canceled", "canceled"]
        assert (broker.count("submit"), office.outbox.open_items) == (0, 0)

    run_story(story)


def test_an_order_that_was_proved_not_to_have_arrived_waits_for_the_gate_and_keeps_it_from_nothing() -> None:
    async def story() -> None:
        office, broker = differing_office()
        engine = engine_of(office)
        await engine.begin("runner-1")
        lost = office.desk.place("buy", "10", "QQQ")
        office.desk.send(lost)
        office.desk.give(cmd.RecordUnknown(lost, "no answer", exists=False))
        engine.catch_up()
        await office.deliver(0.2)
        assert (office.desk.order(lost).status, broker.count("submit")) == ("unknown", 0)
        assert office.outbox.unresolved == 0  # nothing of it is on its way
        broker.held["SPY"] = Decimal(5)
        for _ in range(2):
            await engine.reconcile()
        await office.deliver(0.2)
        assert office.desk.order(lost).broker_order_id is not None

    run_story(story)


def test_what_is_queued_waits_while_the_stream_is_lost() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        engine = engine_of(office)
        await engine.begin("runner-1")
        assert engine.gate.reasons == ()
        await office.inbox.take(StreamLost("no route"))
        office.desk.clock.at += dt.timedelta(seconds=11)
        entry = office.desk.place("buy", "10")
        engine.catch_up()
        await office.deliver(0.2)
        assert office.desk.order(entry).status == "queued"
        await office.inbox.take(StreamConnected())
        engine.judge_age()
        await office.deliver(0.2)
        assert office.desk.order(entry).broker_order_id is not None

    run_story(story)
