"""A wall clock that is set moves no deadline of a saga that runs: it ends neither early nor late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing

import attrs
import pytest

from tests.ledger.desk import Desk, StillClock
from tests.sagas.stage import SAGA, Stage
from tests.sagas.test_kinds import SIGNAL
from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus, Purpose, SagaStatus, TradingState
from tradecore.journal import open_journal
from tradecore.sagas.conductor import Conductor

HOUR = dt.timedelta(hours=1)
FORWARD_AND_BACK = pytest.mark.parametrize("by", [HOUR, -HOUR, dt.timedelta(seconds=3), dt.timedelta(days=-40)])
RUNNING, COMPENSATING, FAILED = SagaStatus.RUNNING, SagaStatus.COMPENSATING, SagaStatus.FAILED


class WallClock(StillClock):
    """A clock on the wall that somebody sets; seconds pass as they do."""

    def __init__(self) -> None:
        super().__init__()
        self.off = dt.timedelta()

    def now(self) -> dt.datetime:
        return self.at + self.off

    def now_ns(self) -> int:
        return int(self.now().timestamp()) * 1_000_000_000


@attrs.define
class Wall:
    stage: Stage
    clock: WallClock

    def set(self, by: dt.timedelta) -> None:
        self.clock.off += by


@pytest.fixture
def wall() -> Iterator[Wall]:
    with closing(open_journal("memory:")) as journal:
        desk, clock = Desk.over(journal), WallClock()
        desk.ledger._clock = desk.clock = clock
        desk.pin()
        yield Wall(Stage(desk, Conductor(desk.ledger, clock, desk.ids, "main")), clock)


@FORWARD_AND_BACK
def test_an_order_has_its_time_whatever_the_wall_clock_is_set_to(wall: Wall, by: dt.timedelta) -> None:
    stage = wall.stage
    stage.start("signal_execution", SIGNAL)
    (order,) = stage.orders()
    stage.works(order)
    wall.set(by)
    assert stage.look(119).status is RUNNING
    assert stage.look(1).status is COMPENSATING
    wall.set(by)
    assert stage.look(59).status is COMPENSATING, "so has its withdrawal"
    assert stage.look(1).status is SagaStatus.MANUAL


@FORWARD_AND_BACK
def test_a_position_is_flattened_although_the_clock_is_set(wall: Wall, by: dt.timedelta) -> None:
    stage, desk = wall.stage, wall.stage.desk
    desk.done("buy", "10", "100")
    desk.give(cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "a drill", "test"))
    desk.give(cmd.RequestKill("main", "a drill"))
    stage.start("flatten", {"reason": "a drill"})
    wall.set(by)
    assert stage.look(1).status is SagaStatus.PENDING, "the kill has its time"
    desk.give(cmd.StartKill("main", "lease"))
    desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    assert stage.look().status is RUNNING
    (closing_order,) = stage.orders(purpose=Purpose.CLOSE)
    not_after = desk.order(closing_order).not_after
    assert not_after is not None
    assert (not_after - wall.clock.now()).total_seconds() == 299, "it may be sent for as long as the saga lasts"
    stage.works(closing_order)
    assert stage.look(298).status is RUNNING
    assert stage.look(1).status is SagaStatus.MANUAL


def test_what_a_restart_finds_is_held_against_the_wall_clock(wall: Wall) -> None:
    stage, desk = wall.stage, wall.stage.desk
    stage.start("signal_execution", SIGNAL)
    wall.set(HOUR)
    again = Conductor(desk.ledger, wall.clock, desk.ids, "main")
    again.restore([{"saga_id": SAGA, "account": "main", "status": "running"}])
    again.advance()
    (order,) = stage.orders()
    assert desk.order(order).status is OrderStatus.CANCELED


def test_a_saga_that_begins_after_the_clock_was_set_has_its_time(wall: Wall) -> None:
    stage = wall.stage
    stage.start("signal_execution", SIGNAL)
    wall.set(HOUR)
    stage.look()
    second = SAGA[:-1] + "3"
    stage.conductor.start(second, "signal_execution", SIGNAL, Cause(stage.desk.ids.trace_id(), actor="test"))
    stage.look()
    stage.look(119)
    state = stage.desk.ledger.saga(second)
    assert state is not None
    assert (stage.saga.status, state.status) == (RUNNING, RUNNING)
    stage.look(1)
    state = stage.desk.ledger.saga(second)
    assert state is not None
    assert (stage.saga.is_live, state.is_live) == (False, False)


@pytest.mark.parametrize(("passed", "by", "looks_in"), [(20, HOUR, 100), (20, -HOUR, 100), (121, -HOUR, 1)])
def test_the_manager_wakes_in_time(wall: Wall, passed: float, by: dt.timedelta, looks_in: float) -> None:
    stage = wall.stage
    stage.start("signal_execution", SIGNAL)
    wall.set(by)
    wall.clock.at += dt.timedelta(seconds=passed)
    assert stage.conductor._until_deadline() == looks_in


def test_what_ended_is_forgotten(wall: Wall) -> None:
    stage = wall.stage
    stage.start("signal_execution", SIGNAL)
    assert stage.look(120).status is FAILED
    assert stage.conductor._deadlines == {}
