"""One process's part in a lane: when it takes it, when it shows itself, and for how long it waits for the other."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from tests.ledger.desk import Desk, StillClock
from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.outbox import Lane

PATIENCE_S = 9.0


@attrs.define
class Door:
    """A ledger, the time of this process, and its lane."""

    desk: Desk
    clock: StillClock
    lane: Lane

    @classmethod
    def open(cls) -> Door:
        desk, clock = Desk.in_memory(), StillClock()
        desk.pin()
        return cls(desk, clock, Lane(desk.ledger, clock, desk.ids, "main", "me", PATIENCE_S))

    def wait(self, seconds: float) -> None:
        self.clock.at += dt.timedelta(seconds=seconds)

    def other(self, fence: int = 0) -> None:
        """Another process takes the lane; nobody is told here."""
        self.desk.ledger.handle(cmd.TakeLane("main", "other", fence), Cause("1" * 32, actor="test"))

    def sign_of_other(self) -> None:
        """The other one shows himself, and this process hears of it."""
        state = self.desk.ledger.lane("main")
        assert state is not None
        self.lane.observe(self.desk.give(cmd.UseLane("main", "other", state.fence)))


@pytest.fixture
def door() -> Door:
    return Door.open()


def test_a_free_lane_is_taken_when_there_is_work_and_not_before(door: Door) -> None:
    told = [(door.lane.may_deliver(has_work=has_work), door.lane.is_held) for has_work in (False, True, False)]
    assert told == [(False, False), (True, True), (True, True)], "it is kept"


def test_a_holder_is_waited_for_from_when_there_was_work(door: Door) -> None:
    door.other()
    door.wait(60)
    assert not door.lane.may_deliver(has_work=True), "nobody needed to show himself before"
    door.wait(PATIENCE_S - 0.1)
    assert not door.lane.may_deliver(has_work=True)
    door.wait(0.1)
    assert door.lane.may_deliver(has_work=True)


def test_work_that_comes_again_begins_the_wait_anew_and_work_that_goes_on_does_not(door: Door) -> None:
    door.other()
    assert not door.lane.may_deliver(has_work=True)
    door.wait(PATIENCE_S)
    assert not door.lane.may_deliver(has_work=False), "nothing is to be sent"
    assert not door.lane.may_deliver(has_work=True)
    door.wait(PATIENCE_S / 2)
    assert not door.lane.may_deliver(has_work=True)
    door.wait(PATIENCE_S / 2)
    assert door.lane.may_deliver(has_work=True)


def test_a_sign_of_the_holder_begins_the_wait_anew_and_other_events_do_not(door: Door) -> None:
    door.other()
    assert not door.lane.may_deliver(has_work=True)
    door.wait(PATIENCE_S - 1)
    door.sign_of_other()
    door.wait(PATIENCE_S - 1)
    assert not door.lane.may_deliver(has_work=True)
    door.lane.observe(door.desk.give(cmd.SetLimits("main", door.desk.account.limits, "settings", "none")))
    door.desk.limit(qty="5")
    door.lane.observe(tuple(door.desk.ledger.journal.read(0, 2)))
    door.wait(1)
    assert door.lane.may_deliver(has_work=True)


def test_a_sign_among_other_events_is_heard(door: Door) -> None:
    door.other()
    assert not door.lane.may_deliver(has_work=True)
    door.wait(PATIENCE_S - 1)
    door.lane.observe(tuple(door.desk.ledger.journal.read(0, 100)))
    door.wait(2)
    assert not door.lane.may_deliver(has_work=True)


def test_a_holder_that_is_known_to_be_dead_is_succeeded_at_once(door: Door) -> None:
    door.other()
    assert door.lane.may_deliver(has_work=True, is_dead=True)
    assert door.lane.sign() == cmd.UseLane("main", "me", 2)


def test_when_to_look_again(door: Door) -> None:
    began = door.clock.monotonic()
    assert door.lane.due_at == began + PATIENCE_S, "from when this process began"
    door.wait(5)
    assert door.lane.may_deliver(has_work=True)
    assert door.lane.due_at == began + 5 + PATIENCE_S / 3, "a sign is left every third of the patience"
    door.wait(1)
    door.lane.signed()
    assert door.lane.due_at == began + 6 + PATIENCE_S / 3


def test_the_sign_names_the_turn_that_it_is_of(door: Door) -> None:
    assert door.lane.sign() == cmd.UseLane("main", "me", 0)
    assert door.lane.may_deliver(has_work=True)
    assert door.lane.sign() == cmd.UseLane("main", "me", 1)


def test_who_is_not_fast_enough_waits_again(door: Door) -> None:
    ledger = door.desk.ledger
    assert ledger.lane("main") is None
    stale = Lane(ledger, door.clock, door.desk.ids, "main", "late", PATIENCE_S)
    assert door.lane.may_deliver(has_work=True)
    assert not stale.may_deliver(has_work=True)
    assert not stale.is_held
    assert stale.due_at == door.clock.monotonic() + PATIENCE_S


def test_only_who_holds_the_lane_leaves_it(door: Door) -> None:
    door.lane.leave()
    door.other()
    before = len(door.desk.names())
    door.lane.leave()
    assert len(door.desk.names()) == before, "it does not even try"
    assert door.lane.may_deliver(has_work=True, is_dead=True)
    door.lane.leave()
    state = door.desk.ledger.lane("main")
    assert state is not None
    assert state.holder is None
    assert not door.lane.is_held
