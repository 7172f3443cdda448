"""The one door for writing: what it tells, what it does when others were first, and whose client order ids are ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.ledger.desk import NOON, CountingIds, Desk, StillClock
from tradecore import failpoints
from tradecore.domain import commands as cmd
from tradecore.domain.events import EpochChanged, Event, LedgerCreated, RunnerStopped
from tradecore.domain.judgement import CycleMode
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.model_budget import BudgetState
from tradecore.errors import CorruptLedger, InputError, WrongVersion
from tradecore.journal import open_journal
from tradecore.ledger import Ledger

D = Decimal
CAUSE = Cause("00000000000000000000000000000abc", "test")


class Racing:
    """A journal in which somebody else is always first, so many times."""

    def __init__(self, journal: Any, times: int) -> None:
        self._journal, self.left, self.appends = journal, times, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def append(self, events: Sequence[Recorded[Event]], *more: Any) -> Any:
        self.appends += 1
        if self.left:
            self.left -= 1
            raise WrongVersion("somebody was first")
        return self._journal.append(events, *more)


def racing(desk: Desk, times: int) -> tuple[Ledger, Racing]:
    ledger = Ledger(desk.ledger.journal, desk.clock, desk.ids)
    journal = Racing(desk.ledger.journal, times)
    ledger.journal = journal
    return ledger, journal


def another(desk: Desk) -> Ledger:
    return Ledger(desk.ledger.journal, desk.clock, desk.ids)


@pytest.fixture
def passed() -> Iterator[list[str]]:
    """The failpoints that were passed."""
    names: list[str] = []
    failpoints.watch(names.append)
    yield names
    failpoints.watch(None)


# --- many commands at once ------------------------------------------------------------------------------------------


def test_each_command_has_its_own_events_or_its_own_error(desk: Desk) -> None:
    desk.pin()
    first, second = desk.live("buy", "10"), desk.live("buy", "5")
    told = desk.ledger.handle_many(
        [cmd.CancelOrder(first, "a"), cmd.CancelOrder("nobody's", "b"), cmd.CancelOrder(second, "c")], CAUSE
    )
    assert [isinstance(one, Exception) for one in told] == [False, True, False]
    streams = [[item.envelope.stream for item in one] for one in told if isinstance(one, tuple)]
    assert streams == [[f"order-{first}"], [f"order-{second}"]]


def test_what_records_nothing_is_not_looked_up_again_where_nothing_was_refused(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    ledger, journal = racing(desk, 0)
    ledger.handle_many(
        [cmd.RecordReport(order_id, f"b-{order_id}", desk.order(order_id).status, D(0), NOON, "s", "{}")], CAUSE
    )
    assert journal.appends == 0


def test_only_new_orders_pass_the_points_where_a_kill_is_tried(desk: Desk, passed: list[str]) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    placed = ["ledger.t1.before", "ledger.t1.after"]
    assert [name for name in passed if name.startswith("ledger")] == placed
    desk.give(cmd.CancelOrder(order_id, "enough"))
    assert [name for name in passed if name.startswith("ledger")] == placed
    again = desk.ids.order_id()
    terms = desk.order(order_id)
    order = cmd.PlaceOrder(
        again, "main", "SPY", terms.side, D(1), terms.order_type, None, terms.time_in_force, "test", NOON
    )  # fmt: skip
    desk.ledger.handle_many([cmd.RequestKill("main", "enough"), order], CAUSE)
    assert [name for name in passed if name.startswith("ledger")] == placed * 2


# --- races ----------------------------------------------------------------------------------------------------------


def test_a_lost_race_is_run_again(desk: Desk) -> None:
    desk.pin()
    ledger, journal = racing(desk, 3)
    ledger.handle(cmd.RequestKill("main", "enough"), CAUSE)
    told = ledger.note("system-runner", RunnerStopped("x", "y"), CAUSE)
    assert journal.appends == 5
    assert told.envelope.stream == "system-runner"


def test_whoever_loses_a_hundred_races_is_told(desk: Desk) -> None:
    desk.pin()
    ledger, journal = racing(desk, 1000)
    with pytest.raises(WrongVersion, match="RequestKill lost 100 races"):
        ledger.handle(cmd.RequestKill("main", "enough"), CAUSE)
    with pytest.raises(WrongVersion, match=r"system\.runner\.stopped lost 100 races"):
        ledger.note("system-runner", RunnerStopped("x", "y"), CAUSE)
    assert journal.appends == 200


def test_a_note_after_somebody_elses_goes_behind_it(desk: Desk) -> None:
    late = another(desk)
    assert not late.has_stream("system-runner")
    desk.ledger.note("system-runner", RunnerStopped("x", "y"), CAUSE)
    told = late.note("system-runner", RunnerStopped("z", "y"), CAUSE)
    assert told.envelope.version == 2
    assert late.has_stream("system-runner")


def test_what_others_recorded_is_known_when_it_is_asked_for(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    late = another(desk)
    before = late.order(order_id)
    desk.fill(order_id, "4", "100")
    assert late.order(order_id) == before
    late.refresh(f"order-{order_id}")
    assert late.order(order_id) == desk.order(order_id)
    desk.fill(order_id, "6", "100")
    late.look_again()
    assert late.order(order_id) == desk.order(order_id)


# --- epochs ---------------------------------------------------------------------------------------------------------


class Epochs(CountingIds):
    """Ids that tell these epochs, one after the other."""

    def __init__(self, *told: str) -> None:
        super().__init__()
        self.told = list(told)

    def epoch(self) -> str:
        return self.told.pop(0)


def test_a_new_epoch_is_one_that_no_id_ever_had(desk: Desk) -> None:
    ids = Epochs("0a1b2c3d", "00000001", "0a1b2c3d", "00000001", "00000002")
    ledger = Ledger(desk.ledger.journal, desk.clock, ids)
    assert ledger.begin_epoch("rewound", CAUSE) == "00000001"
    assert (ledger.epoch, ledger.epochs.past) == ("00000001", ("0a1b2c3d",))
    assert ledger.begin_epoch("again", CAUSE) == "00000002"
    told = [one.event for one in desk.ledger.journal.read(0, 100) if isinstance(one.event, EpochChanged)]
    assert [(event.reason) for event in told] == ["rewound", "again"]


def test_an_order_is_found_under_its_own_client_id_of_whichever_epoch(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    client_id = desk.order(order_id).client_order_id
    late = another(desk)
    ledger = Ledger(desk.ledger.journal, desk.clock, Epochs("00000001"))
    ledger.begin_epoch("rewound", CAUSE)
    found = ledger.order_under(client_id)
    assert found is not None
    assert found.order_id == order_id
    assert ledger.order_under(client_id.replace("0a1b2c3d", "00000001")) is None, "the same order id, and another order"
    assert ledger.order_under("somebody's") is None
    assert late.epoch == "0a1b2c3d"
    late.observe(desk.ledger.journal.load("system-ledger", 1))
    assert late.epoch == "00000001"


def test_a_ledger_begins_with_its_own_creation() -> None:
    journal = open_journal("memory:")
    desk = Desk.over(journal)
    first = journal.read(0, 1)[0].event
    assert isinstance(first, LedgerCreated)
    assert Ledger(journal, StillClock(), CountingIds()).epoch == desk.ledger.epoch
    strange = open_journal("memory:")
    other = Desk.in_memory()
    recorded = other.ledger.note("system-runner", RunnerStopped("x", "y"), CAUSE)
    envelope = msgspec.structs.replace(recorded.envelope, position=0)
    strange.append([msgspec.structs.replace(recorded, envelope=envelope)])
    with pytest.raises(CorruptLedger, match="own creation"):
        Ledger(strange, StillClock(), CountingIds())


# --- what stands ----------------------------------------------------------------------------------------------------


def test_what_nobody_recorded_is_not_there(desk: Desk) -> None:
    ledger = desk.ledger
    assert (ledger.fill("x"), ledger.trade("x"), ledger.saga("x"), ledger.deliberation("x")) == (None,) * 4
    assert (ledger.cycle("x"), ledger.lane("x"), ledger.kill("x"), ledger.exits("x")) == (None,) * 4
    assert ledger.budget("main-2024-01") == BudgetState("main-2024-01")


def test_what_was_recorded_is_there(desk: Desk) -> None:
    desk.pin()
    order_id = desk.done("buy", "10", "100")
    (fill_id,) = desk.order(order_id).fills
    fill = desk.ledger.fill(fill_id)
    assert fill is not None
    assert fill.quantity == 10
    desk.give(cmd.TakeLane("main", "one", 0))
    lane = desk.ledger.lane("main")
    assert lane is not None
    assert lane.holder == "one"
    desk.give(cmd.StartCycle("c", "main", "single", CycleMode.AUTONOMOUS, NOON, ("SPY",)))
    assert desk.ledger.cycle("c") is not None
    asked = cmd.RequestDecision("d", "single", "main", "SPY", "c", NOON, NOON + dt.timedelta(minutes=1), {}, (), ())
    desk.give(asked)
    state = desk.ledger.deliberation("d")
    assert state is not None
    assert state.symbol == "SPY"


def test_a_saga_that_nobody_began_takes_no_step(desk: Desk) -> None:
    with pytest.raises(InputError, match="saga"):
        desk.give(cmd.ResolveSaga("nobodys", "enough"))
