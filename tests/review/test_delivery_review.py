"""Delivery of orders, read with distrust: what must hold when the broker, the clock or another process misbehaves."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import anyio
import attrs
import msgspec
import pytest

from tests.alpaca.served import alpaca_venue
from tests.delivery.rig import open_rig
from tests.ledger.desk import NOON, CountingIds, Desk
from tests.review.scripted import PACE, Office, ScriptedBroker, engine_of
from tests.sagas.stage import SAGA, Stage
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered, CancelRequested
from tradecore.domain.identity import leg_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, OrderType, Purpose, SagaStatus
from tradecore.errors import BrokerRefused, NotSent
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.ports.broker import BrokerOrder, OrderRequest
from tradecore.sagas.conductor import Conductor
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.budget import Pace
from tradecore_alpaca.channel import Guards

D = Decimal
S = OrderStatus
LATER = NOON + dt.timedelta(hours=1)


def events(desk: Desk) -> list[Any]:
    return [recorded.event for recorded in desk.ledger.journal.read(0, 100_000)]


def alerts(desk: Desk) -> list[str]:
    return [event.kind for event in events(desk) if isinstance(event, AlertTriggered)]


def bracket(desk: Desk) -> tuple[str, str, str]:
    """A bracket that the broker has, with the legs that it is to make; nothing of it is filled."""
    parent = desk.place(
        "buy", "10", not_after=LATER, order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(D(110)), stop_loss=StopLoss(D(90)),
    )  # fmt: skip
    desk.send(parent)
    desk.answer(parent, "new")
    return parent, *(leg_order_id(parent, leg.value) for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS))  # type: ignore[return-value]


# --- the queue ------------------------------------------------------------------------------------------------------


def test_a_sender_that_wakes_late_does_not_break_the_delivery_of_who_took_over() -> None:
    async def story() -> None:
        office = Office.open()
        office.outbox._caller._pace = attrs.evolve(PACE, lookup_interval_s=30.0, visibility_s=30.0)
        order = office.desk.place("buy", "10", not_after=LATER)
        office.desk.send(order)  # by the other process, which then slept
        await office.deliver(0.1)  # one look-up, and the next one waits
        office.desk.give(cmd.RecordNotSent(order, "too late to send", attempt=1, counts=False))
        office.follower.catch_up()
        assert office.outbox.open_items == 1

    anyio.run(story)


class Hanging(ScriptedBroker):
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self._call("submit", request.client_order_id)
        await anyio.sleep(0.3)
        return self.have(request.client_order_id, request.symbol, str(request.quantity), side=request.side)


def test_delivery_does_not_spin_while_every_place_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        office = Office.open(None, Hanging())
        office.outbox._pace = attrs.evolve(PACE, max_concurrent=1)
        unknown = office.desk.place("buy", "1", "UNK", not_after=LATER)
        office.desk.send(unknown)
        office.desk.give(cmd.RecordUnknown(unknown, "timed out"))
        item, work = office.outbox, office.outbox._open
        office.follower.catch_up()
        waiting = work.items[unknown]
        work._drop(unknown)  # it asked before, and is due again in a moment
        waiting.gone, waiting.due_at = False, anyio.current_time() + 0.05
        work.items[unknown] = waiting
        work.queue.put(waiting, anyio.current_time())
        office.desk.place("buy", "1", not_after=LATER)
        steps = 0
        step = item._step

        def counted(group: Any) -> None:
            nonlocal steps
            steps += 1
            step(group)

        monkeypatch.setattr(item, "_step", counted)
        await office.deliver(0.25)
        assert steps < 60

    anyio.run(story)


# --- kills ----------------------------------------------------------------------------------------------------------


def test_an_open_kill_is_taken_up_after_a_restart_also_when_no_order_of_ours_is_open() -> None:
    async def story() -> None:
        desk = Desk.in_memory()
        desk.pin()
        broker = ScriptedBroker()
        broker.have("somebody-else")
        desk.give(cmd.RequestKill("main", "while no runner ran"))
        office = Office.open(desk, broker, caught_up=False)
        await engine_of(office).begin("runner-1")
        with anyio.move_on_after(0.2):
            await office.outbox.run()
        assert broker.count("cancel_all") > 0

    anyio.run(story)


def test_a_kill_cancels_everything_also_when_the_account_cannot_be_suspended() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.have("somebody-else")
        office.broker.trouble["suspend"] = BrokerRefused(403, 40310000, "not allowed")
        office.desk.give(cmd.RequestKill("main", "test", suspend=True))
        await office.deliver(0.1)
        assert office.broker.count("cancel_all") > 0
        state = office.desk.ledger.kill("main")
        assert state is not None
        assert state.is_open

    anyio.run(story)


@pytest.mark.parametrize("end", ["kill", "cancel", "time"])
def test_an_order_that_waits_for_its_turn_is_not_sent_when_it_is_unwanted_by_then(end: str) -> None:
    async def story() -> None:
        guards = Guards(Pace(per_minute=6, patience_s=5.0))  # two at once, then one in 15 s; kept: none
        async with open_rig(with_stream=False) as rig, alpaca_venue(rig.server.base_url, guards) as venue:
            broker = venue.broker
            assert isinstance(broker, AlpacaBroker)
            rig.outbox._caller._broker = broker
            budget = broker._instructions.channel._budget
            assert budget is not None
            budget._tokens = 0.97  # its turn comes in half a second
            order = rig.place(not_after=rig.clock.now() + dt.timedelta(seconds=0.2 if end == "time" else 60))
            await rig.until(lambda: rig.order(order).status is S.SUBMITTED, "the mark")
            if end == "kill":
                rig.give(cmd.RequestKill("main", "test"))
            elif end == "cancel":
                rig.give(cmd.CancelOrder(order, "test"))
            await rig.until(lambda: rig.order(order).status is not S.SUBMITTED, "its outcome")
            assert rig.order(order).status in (S.QUEUED, S.CANCELED)  # the kill may have spent its turn
            assert (await rig.seen())["orders"] == []

    anyio.run(story)


# --- cancels --------------------------------------------------------------------------------------------------------


def test_a_cancel_that_the_broker_wants_later_is_not_dead_before_that() -> None:
    async def story() -> None:
        office = Office.open()
        order = office.desk.live("buy", "10", limit="1")
        office.broker.trouble["cancel"] = NotSent("HTTP 429: rate limit exceeded", retry_after_s=0.15)
        office.desk.give(cmd.CancelOrder(order, "test"))
        begun = anyio.current_time()
        await office.deliver(0.8)
        assert "cancel_failed" not in alerts(office.desk)
        assert office.broker.count("cancel") <= 1 + (anyio.current_time() - begun) / 0.15  # as late as it was told
        office.broker.trouble.clear()
        await office.deliver(0.3)
        assert office.desk.order(order).cancel_taken

    anyio.run(story)


def test_dead_work_is_told_also_when_the_process_ended_before_it_could_tell() -> None:
    async def story() -> None:
        desk = Desk.in_memory()
        desk.pin()
        order = desk.place("buy", "10", not_after=LATER)
        for attempt in range(1, 6):
            desk.send(order)
            desk.give(cmd.RecordNotSent(order, "no route", attempt))  # the last one: dead, and then a crash
        assert desk.order(order).dead
        office = Office.open(desk, ScriptedBroker(), "lease-2", caught_up=False)
        await engine_of(office).begin("runner-1")
        assert alerts(desk).count("delivery_dead") == 1
        again = Office.open(desk, office.broker, "lease-3", caught_up=False)
        await engine_of(again).begin("runner-2")
        assert alerts(desk).count("delivery_dead") == 1

    anyio.run(story)


# --- legs and replacements ------------------------------------------------------------------------------------------


def test_protection_that_shows_up_late_is_not_taken_off_the_market_while_its_position_is_open() -> None:
    desk = Desk.in_memory()
    desk.pin()
    parent, _, loss = bracket(desk)
    desk.fill(parent, "10", "100")
    desk.give(cmd.WithdrawOrder(loss, "the broker shows no such leg"))
    desk.report(loss, "new", at=5)
    assert desk.order(loss).status is S.NEW
    assert not desk.order(loss).cancel_requested


def test_a_replacement_that_the_broker_filled_at_what_was_left_ends_and_reserves_nothing() -> None:
    desk = Desk.in_memory()
    desk.pin()
    old = desk.live("buy", "10", limit="10")
    desk.fill(old, "4", "10")
    new = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(old, new, LATER, limit_price=D(11)))
    desk.send(new)
    desk.answer(new, "new")
    desk.report(old, "replaced", filled="4", at=1)
    desk.fill(new, "6", "11")
    desk.report(new, "filled", filled="6", at=2)
    assert desk.order(new).is_settled
    assert desk.account.reservations == {}
    assert desk.account.position("SPY").quantity == 10


def test_a_batch_that_undoes_a_fill_forgets_that_it_was_recorded() -> None:
    desk = Desk.in_memory()
    desk.pin()
    from tradecore.domain import streams
    from tradecore.draft import Draft

    order = desk.done("buy", "10", "100")
    fill_id = desk.order(order).fills[0]
    known = desk.ledger.fill(fill_id)
    assert known is not None
    draft = Draft(desk.ledger._shelf)
    draft.keep()
    other = msgspec.structs.replace(known.recorded, fill_id="another")
    draft.insert(0, streams.fill("another"), other)
    draft.undo(0)
    assert draft.fill("another") is None


# --- sagas ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage() -> Iterator[Stage]:
    with closing(open_journal("memory:")) as journal:
        yield Stage.over(journal)


def opened(stage: Stage) -> tuple[str, str, str]:
    """A filled bracket with its legs working: its trade, take-profit and stop-loss."""
    parent, profit, loss = bracket(stage.desk)
    for leg in (profit, loss):
        stage.desk.report(leg, "held")
    stage.desk.fill(parent, "10", "100")
    stage.desk.report(profit, "new", at=1)
    return stage.desk.order(parent).trade_id, profit, loss


def taken(stage: Stage, order: str) -> None:
    """The broker takes the request to cancel, and has not done it yet."""
    stage.desk.give(cmd.StartCancel(order, "lease-1"))
    stage.desk.give(cmd.RecordCancelAnswer(order, True, ""))


def test_a_close_asks_once_for_a_cancel_that_the_broker_has_taken(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.start("position_close", {"trade_id": trade})
    for _ in range(5):
        for leg in (profit, loss):
            if stage.desk.order(leg).cancels == 0:
                taken(stage, leg)
        stage.look(1)
    asked = [event for event in events(stage.desk) if isinstance(event, CancelRequested)]
    assert len(asked) == 2


@pytest.mark.parametrize("limits", [{"orders": 0}, {"qty": "5"}, {"notional": "1"}], ids=str)
def test_limits_never_leave_a_position_bare_that_is_being_closed(stage: Stage, limits: dict[str, Any]) -> None:
    trade, profit, loss = opened(stage)
    stage.desk.limit(**limits)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.report(close, "rejected", at=2)
    stage.look()
    assert len(stage.orders(purpose=Purpose.PROTECT)) == 3, "the legs, and the protection that is armed again"


def test_an_order_that_calls_itself_closing_and_is_larger_than_what_is_held_passes_no_limit(stage: Stage) -> None:
    stage.desk.done("buy", "10", "100")
    stage.desk.limit(qty="5")
    order = stage.desk.place("sell", "11", purpose=Purpose.CLOSE)
    assert stage.desk.ledger.order(order) is None


def test_two_sagas_that_close_one_trade_leave_no_protection_behind_for_a_flat_position(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.start("position_close", {"trade_id": trade})
    other = "018f3c5e-9d1a-7c3b-8a54-0242ac120003"
    stage.conductor.start(other, "position_close", {"trade_id": trade}, Cause(stage.desk.ids.trace_id(), actor="test"))
    stage.look()
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    assert not stage.desk.order(close).status.is_terminal
    stage.works(close)
    stage.desk.fill(close, "10", "101")
    assert stage.look().status is SagaStatus.COMPLETED
    working = [order for order in stage.orders() if not stage.desk.order(order).status.is_terminal]
    assert working == []


def test_a_fractional_position_gets_its_protection_back(stage: Stage) -> None:
    entry = stage.desk.done("buy", "1.5", "100")
    stop = stage.desk.live("sell", "1.5", order_type=OrderType.STOP, stop_price=D(90), purpose=Purpose.PROTECT)
    stage.start("position_close", {"trade_id": stage.desk.order(entry).trade_id})
    stage.canceled(stop)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.report(close, "rejected", at=2)
    assert stage.look().status is SagaStatus.COMPENSATING
    assert stage.desk.order(stage.orders()[-1]).order_type is OrderType.STOP


def test_protection_that_is_only_on_its_way_is_not_armed(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.report(close, "rejected", at=2)
    stage.look()
    protection = stage.orders(purpose=Purpose.PROTECT)[-1]
    stage.desk.send(protection)
    stage.desk.answer(protection, "pending_new")
    assert stage.look().status is SagaStatus.COMPENSATING
    stage.desk.report(protection, "rejected", at=3)
    assert stage.look().status is SagaStatus.MANUAL


def test_a_signal_in_crypto_is_placed(stage: Stage) -> None:
    terms = {"symbol": "BTC/USD", "side": "buy", "quantity": "0.5", "strategy": "test", "reference_price": "100"}
    assert stage.start("signal_execution", terms).status is SagaStatus.RUNNING
    assert len(stage.orders()) == 1


def test_a_saga_follows_the_order_that_took_the_place_of_its_own(stage: Stage) -> None:
    order = stage.desk.live("buy", "10", limit="1")
    stage.start("order_execution", {"order_id": order})
    new = stage.desk.ids.order_id()
    stage.desk.give(cmd.ReplaceOrder(order, new, LATER, limit_price=D(2)))
    stage.desk.send(new)
    stage.desk.answer(new, "new")
    stage.desk.report(order, "replaced", at=1)
    assert stage.look().status is SagaStatus.PENDING
    assert stage.look(61).status is SagaStatus.COMPENSATING
    stage.canceled(new)
    assert stage.look().status is SagaStatus.FAILED


def test_a_close_withdraws_an_order_and_the_one_that_is_to_take_its_place(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.desk.give(cmd.ReplaceOrder(loss, stage.desk.ids.order_id(), LATER, stop_price=D(95)))
    assert stage.start("position_close", {"trade_id": trade}).status is SagaStatus.RUNNING
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    assert len(stage.orders(purpose=Purpose.CLOSE)) == 1


def test_a_close_that_was_replaced_is_not_doubled_by_protection(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    new = stage.desk.ids.order_id()
    stage.desk.give(cmd.ReplaceOrder(close, new, LATER, quantity=D(9)))
    stage.desk.send(new)
    stage.desk.answer(new, "new")
    stage.desk.report(close, "replaced", at=2)
    stage.look()
    assert len(stage.orders(purpose=Purpose.PROTECT)) == 2, "the legs, and no other stop beside the close"


def test_a_step_that_another_process_takes_on_old_books_does_not_sell_what_is_sold_already(stage: Stage) -> None:
    trade, profit, loss = opened(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    ids = CountingIds()
    ids._next = itertools.count(10**6)
    other = Ledger(stage.desk.ledger.journal, stage.desk.clock, ids)
    conductor = Conductor(other, stage.desk.clock, ids, "main")
    conductor.restore([{"saga_id": SAGA, "account": "main", "status": "running"}])
    assert other.saga(SAGA) is not None
    assert other.trade(trade) is not None  # as it is now; what follows it has not read yet
    for leg in (profit, loss):
        assert other.order(leg) is not None
    stage.desk.fill(loss, "10", "90")  # filled before its cancel, and told late
    conductor.advance()
    assert stage.orders(purpose=Purpose.CLOSE) == []
