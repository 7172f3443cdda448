"""`kill --flatten`: halt, cancel everything, have that verified, close what is held, have that verified too."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.cli.terminal import Terminal
from tests.delivery.rig import Rig, open_rig
from tests.delivery.test_wire_work import resting
from tests.ledger.desk import NOON
from tests.risk.test_switch import pinned
from tests.sagas.stage import SAGA, Stage
from tradecore.cli import main
from tradecore.domain import commands as cmd
from tradecore.domain.events import KillRequested, KillVerified
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus, Purpose, SagaStatus, TradingState
from tradecore.journal import Journal, open_journal
from tradecore.sagas.conductor import Conductor
from tradecore.switching import kill_of

D = Decimal


def stop(stage: Stage) -> None:
    desk = stage.desk
    desk.give(cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "a drill", "test"))
    orders = kill_of(cmd.RequestKill("main", "a drill"), SAGA, desk.clock.now())
    desk.ledger.handle_many([orders], Cause(desk.ids.trace_id(), actor="test"))
    stage.conductor.observe(desk.ledger.journal.read(0, 10_000))


def killed(stage: Stage, orders: int = 0, positions: int | None = None) -> None:
    """The broker takes the kill and says what is left."""
    stage.desk.give(cmd.StartKill("main", "lease-1"))
    stage.desk.give(cmd.RecordKillAnswer("main", True, "", orders, positions))


@pytest.mark.parametrize("restarts", [False, True])
def test_nothing_is_closed_before_the_kill_is_verified_and_the_broker_has_the_last_word(restarts: bool) -> None:
    stage = Stage.over(open_journal("memory:"), restarts=restarts)
    stage.desk.done("buy", "10", "5")
    stage.desk.done("sell", "4", "20", "QQQ")
    working = stage.desk.live("buy", "1", limit="1")
    stop(stage)
    stage.look()
    killed(stage, orders=1)
    assert stage.look().step == "", "an order may still fill"
    assert stage.orders(purpose=Purpose.CLOSE) == []
    stage.canceled(working)
    killed(stage)
    assert stage.look().step == "closing"
    closes = {stage.desk.order(order).symbol: stage.desk.order(order) for order in stage.orders(purpose=Purpose.CLOSE)}
    assert {symbol: (order.side.value, order.quantity) for symbol, order in closes.items()} == {
        "SPY": ("sell", D(10)),
        "QQQ": ("buy", D(4)),
    }
    for order in closes.values():
        stage.works(order.order_id)
        stage.desk.fill(order.order_id, str(order.quantity), "6")
    assert stage.look().step == "verifying"
    killed(stage, positions=1)
    assert stage.look().is_live, "the broker still shows a position"
    killed(stage, positions=0)
    assert stage.look().status is SagaStatus.COMPLETED
    assert stage.desk.account.trading_state is TradingState.HALTED
    events = [item.event for item in stage.desk.ledger.journal.read(0, 10_000)]
    assert [event.flat for event in events if isinstance(event, KillVerified)] == [False, True]


def stage_with_a_close() -> tuple[Stage, str]:
    stage = Stage.over(open_journal("memory:"))
    stage.desk.done("buy", "10", "5")
    stop(stage)
    killed(stage)
    stage.look()
    return stage, stage.orders(purpose=Purpose.CLOSE)[-1]


def test_a_close_that_ends_without_a_fill_is_tried_again_and_then_a_person_is_asked() -> None:
    stage, _ = stage_with_a_close()
    for _ in range(3):
        order = stage.orders(purpose=Purpose.CLOSE)[-1]
        stage.works(order)
        stage.desk.report(order, "expired", at=1)
        stage.look()
    assert len(stage.orders(purpose=Purpose.CLOSE)) == 3
    assert (stage.status(), stage.saga.outcome) == (SagaStatus.MANUAL, "still held: SPY")


def test_closes_that_are_slow_work_on_and_a_person_is_told() -> None:
    stage, order = stage_with_a_close()
    stage.works(order)
    assert stage.look(299).is_live
    assert stage.look(1).status is SagaStatus.MANUAL
    assert order in stage.saga.outcome
    assert not stage.desk.order(order).cancel_requested


def test_a_kill_that_is_never_verified_closes_nothing() -> None:
    stage = Stage.over(open_journal("memory:"))
    stage.desk.done("buy", "10", "5")
    stop(stage)
    assert stage.look(299).is_live
    assert stage.look(1).status is SagaStatus.MANUAL
    assert stage.orders(purpose=Purpose.CLOSE) == []


def test_books_that_are_flat_while_the_broker_is_not_leave_no_kill_behind_that_can_never_end() -> None:
    stage, order = stage_with_a_close()
    stage.works(order)
    stage.desk.fill(order, "10", "6")
    stage.look()
    killed(stage, positions=1)
    assert stage.look(300).status is SagaStatus.MANUAL
    killed(stage)
    kill = stage.desk.ledger.kill("main")
    assert kill is not None
    assert not kill.is_open


def test_another_kill_between_does_not_stand_for_the_last_word() -> None:
    stage, order = stage_with_a_close()
    stage.works(order)
    stage.desk.fill(order, "10", "6")
    stage.look()
    stage.desk.give(cmd.RequestKill("main", "somebody else"))
    killed(stage)
    assert stage.look().is_live
    killed(stage, positions=0)
    assert stage.look().status is SagaStatus.COMPLETED


def test_what_was_held_before_the_ledger_is_closed_too() -> None:
    stage = Stage.over(open_journal("memory:"))
    desk = stage.desk
    desk.give(cmd.PinAccount("other", "test", "b-2", True, "USD", D(0), (), NOON))
    desk.give(cmd.BookAdjustment("main", "d-1", "IWM", D(3), D(10), D(-30), "taken over"))
    stop(stage)
    killed(stage)
    stage.look()
    (order,) = (desk.order(one) for one in stage.orders(purpose=Purpose.CLOSE))
    assert (order.symbol, order.quantity, order.strategy) == ("IWM", D(3), "manual")


def test_the_command_line_begins_it_and_refuses_what_would_hold_it_up(terminal: Terminal) -> None:
    terminal.trade(pinned)
    assert terminal.run("kill", "--reason", "drill", "--flatten", "--suspend").code == 2
    (said,) = terminal.json("kill", "--reason", "drill", "--flatten")
    assert said["flatten"] is True
    (saga,) = terminal.json("sagas")
    assert (saga["kind"], saga["status"]) == ("flatten", "pending")


def test_kill_with_flatten_over_the_wire(tmp_path: Path) -> None:
    """A real exchange with a position and orders: afterwards it has neither, and the order of work was kept."""
    url = f"sqlite:///{tmp_path}/ledger.db"

    async def story(journal: Journal) -> None:
        async with open_rig(journal=journal) as rig:
            bought = rig.place(qty="5")
            await rig.until_status(bought, "accepted", "new", "pending_new")
            await rig.advance()
            await rig.until_status(bought, "filled")
            working = [await resting(rig) for _ in range(2)]
            conductor = Conductor(rig.ledger, rig.clock, rig.ids, "main", wake=rig.follower.catch_up)
            rig.follower.listen(conductor.observe)
            async with anyio.create_task_group() as group:
                group.start_soon(conductor.run)
                kill = partial(main, ["kill", "--reason", "drill", "--flatten", "--ledger", url])
                assert await anyio.to_thread.run_sync(kill) == 0
                await rig.until(lambda: bool(conductor.live), "the saga")
                await rig.until(lambda: is_closing(rig), "a close at the broker")
                await rig.advance()
                await rig.until(lambda: not conductor.live, "the end of the saga")
                group.cancel_scope.cancel()
            for order in working:
                assert rig.order(order).status is OrderStatus.CANCELED
            assert await rig.broker.positions() == ()
            assert rig.ledger.account("main").positions == {}
            events = [item.event for item in journal.read(0, 10_000)]
            told = [event.flat for event in events if isinstance(event, KillRequested | KillVerified)]
            assert told == [False, False, True, True]

    with closing(open_journal(url)) as journal:
        anyio.run(story, journal)


def is_closing(rig: Rig) -> bool:
    orders = (rig.ledger.order(order) for order in rig.ledger.account("main").reservations)
    return any(one is not None and one.purpose is Purpose.CLOSE and one.broker_order_id for one in orders)
