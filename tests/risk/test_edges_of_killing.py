"""Edges of a kill that suspends: what outlasts it, what takes it back, and until when the broker is to be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_switch import reconciled, stop
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import suspension
from tradecore.domain.events import Event
from tradecore.domain.kill import KillState
from tradecore.domain.messages import Cause
from tradecore.domain.suspension import Suspension
from tradecore.domain.values import TradingState
from tradecore.errors import ResumeRefused
from tradecore.ledger import Ledger
from tradecore.switching import clear

D = Decimal
HALTED, ACTIVE = TradingState.HALTED, TradingState.ACTIVE
NOTHING_OPEN = cmd.RecordKillAnswer("main", True, "", 0)
REFUSES, TAKES = cmd.NoteSuspension("main", True), cmd.NoteSuspension("main", False)
LIFT, LIFTED = cmd.StartLift("main", "lease"), cmd.RecordLiftAnswer("main", True, "", suspended=False)


def kill(desk: Desk) -> KillState:
    state = desk.ledger.kill("main")
    assert state is not None
    return state


def killed(*, suspend: bool = True) -> Desk:
    """An account whose kill the broker verified."""
    desk = Desk.in_memory()
    desk.pin()
    stop(desk)
    for command in (cmd.RequestKill("main", "a drill", suspend), cmd.StartKill("main", "lease"), NOTHING_OPEN):
        desk.give(command)
    return desk


def resume(desk: Desk, *, lift_suspension: bool = False) -> None:
    """Both steps."""
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    reconciled(desk)
    cause = Cause(desk.ids.trace_id(), actor="test")
    clear(desk.ledger, "main", "test", "looked into it", cause, lift_suspension=lift_suspension)


def test_the_broker_is_told_until_it_shows_nothing_and_again_until_it_takes_orders() -> None:
    desk = Desk.in_memory()
    desk.pin()
    stop(desk)
    desk.give(cmd.RequestKill("main", "a drill", suspend=True))
    assert kill(desk).needs_broker
    desk.give(cmd.StartKill("main", "lease"))
    desk.give(NOTHING_OPEN)
    assert not kill(desk).needs_broker, "verified, and still suspended"
    resume(desk)
    assert kill(desk).needs_broker
    assert desk.account.trading_state is HALTED, "nothing goes on before it is proved"
    desk.give(LIFT)
    desk.give(LIFTED)
    assert not kill(desk).needs_broker
    assert desk.account.trading_state is ACTIVE


@pytest.mark.parametrize(
    "answer",
    [
        cmd.RecordLiftAnswer("main", False, "no", suspended=False),
        cmd.RecordLiftAnswer("main", True, ""),
        cmd.RecordLiftAnswer("main", True, "", suspended=True),
    ],
)
def test_no_answer_short_of_proof_ends_a_suspension(answer: cmd.RecordLiftAnswer) -> None:
    desk = killed()
    resume(desk)
    desk.give(LIFT)
    desk.give(answer)
    assert (kill(desk).needs_broker, desk.account.trading_state) == (True, HALTED)
    desk.give(LIFT)
    desk.give(LIFTED)
    assert desk.account.trading_state is ACTIVE
    assert [event.attempt for event in found(desk, ev.SuspensionLiftSubmitted)] == [1, 2]
    assert [event.attempt for event in found(desk, ev.SuspensionLiftAnswered)] == [1, 2], "neither was lost"
    (cleared,) = found(desk, ev.KillSwitchCleared)
    assert (cleared.who, cleared.reason) == ("test", "looked into it")


@pytest.mark.parametrize("kills", [(True, False), (False, True), (False, False)])
def test_one_kill_that_suspends_is_enough_for_the_broker_to_be_told_otherwise(kills: tuple[bool, bool]) -> None:
    first, second = kills
    desk = killed(suspend=first)
    for command in (cmd.RequestKill("main", "another", second), cmd.StartKill("main", "lease"), NOTHING_OPEN):
        desk.give(command)
    resume(desk)
    suspends = first or second
    assert (kill(desk).suspension.lifting, desk.account.trading_state) == (suspends, HALTED if suspends else ACTIVE)


def test_a_kill_takes_a_lift_back_and_what_the_lift_came_to_late_lets_nothing_go_on() -> None:
    desk = killed()
    resume(desk)
    desk.give(LIFT)
    stop(desk)
    desk.give(cmd.RequestKill("main", "no, wait", suspend=True))
    assert not kill(desk).suspension.lifting
    desk.give(cmd.StartKill("main", "lease"))
    assert desk.give(LIFTED) == (), "nobody waits for it any more"
    assert desk.give(LIFT) == ()
    desk.give(NOTHING_OPEN)
    assert (kill(desk).suspension.ours, desk.account.trading_state) == (True, HALTED)


def test_a_lift_whose_answer_comes_before_the_new_kill_is_told_is_on_record_and_proves_nothing() -> None:
    desk = killed()
    resume(desk)
    desk.give(LIFT)
    desk.give(cmd.RequestKill("main", "no, wait", suspend=True))
    (answered,) = desk.give(LIFTED)
    assert isinstance(answered.event, ev.SuspensionLiftAnswered)
    assert (kill(desk).suspension.ours, desk.account.trading_state) == (True, HALTED)


def test_a_lift_whose_process_died_is_on_record_before_the_next_and_attempts_count_on() -> None:
    desk = killed()
    resume(desk)
    told: list[type[Event]] = []
    for command in (LIFT, LIFT, LIFTED):
        told += [type(item.event) for item in desk.give(command)]
    assert told == [
        ev.SuspensionLiftSubmitted, ev.SuspensionLiftAnswered, ev.SuspensionLiftSubmitted,
        ev.SuspensionLiftAnswered, ev.SuspensionLifted, ev.KillSwitchCleared,
    ]  # fmt: skip
    lost, _ = found(desk, ev.SuspensionLiftAnswered)
    assert (lost.attempt, lost.accepted, lost.suspended) == (1, False, None)
    assert desk.give(LIFTED) == ()
    assert kill(desk).suspension.attempts == 2


def test_a_resume_waits_for_the_kill_that_suspended_and_is_asked_for_once() -> None:
    desk = Desk.in_memory()
    desk.pin()
    stop(desk)
    desk.give(cmd.RequestKill("main", "a drill", suspend=True))
    with pytest.raises(ResumeRefused, match="not verified"):
        resume(desk)
    desk.give(cmd.StartKill("main", "lease"))
    desk.give(NOTHING_OPEN)
    resume(desk)
    resume(desk)
    assert len(found(desk, ev.SuspensionLiftRequested)) == 1


def test_what_somebody_else_suspended_halts_once_and_is_lifted_only_where_a_person_says_so() -> None:
    desk = Desk.in_memory()
    desk.pin()
    assert desk.give(TAKES) == ()
    desk.give(REFUSES)
    assert desk.give(REFUSES) == ()
    assert desk.account.trading_state is HALTED
    (halt,) = found(desk, ev.KillSwitchActivated)
    assert (halt.trigger, halt.who) == ("suspension", "engine")
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    desk.give(REFUSES)
    assert desk.account.clear_requested_by == "test", "what was seen before takes no step back"
    with pytest.raises(ResumeRefused, match="--lift-suspension"):
        resume(desk)
    resume(desk, lift_suspension=True)
    assert desk.give(TAKES) == (), "what is shown may be of before, while it is lifted"
    desk.give(LIFT)
    desk.give(LIFTED)
    assert desk.account.trading_state is ACTIVE


def test_it_halts_an_account_that_was_killed_before_without_a_suspension() -> None:
    desk = killed(suspend=False)
    resume(desk)
    desk.give(REFUSES)
    assert (desk.account.trading_state, set(desk.account.stopped_by)) == (HALTED, {"suspension"})


def test_what_a_suspension_does_not_wait_for_is_an_empty_answer() -> None:
    lifting = Suspension(ours=True, lifting=True)
    for state, command in (
        (Suspension(), TAKES), (Suspension(shown=True), REFUSES), (lifting, REFUSES), (Suspension(ours=True), LIFT),
        (lifting, LIFTED),
    ):  # fmt: skip
        assert suspension.decide(state, command) == []


def test_a_kill_between_looking_and_letting_go_on_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process kills, with a suspension, just when the second step is about to be recorded."""
    desk = Desk.in_memory()
    desk.pin()
    stop(desk)
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    reconciled(desk)
    other = Desk(Ledger(desk.ledger.journal, desk.clock, desk.ids), desk.clock, desk.ids)
    append = desk.ledger.journal.append

    def after_the_other(*arguments: Any) -> Any:
        monkeypatch.undo()
        other.give(cmd.RequestKill("main", "no, wait", suspend=True))
        return append(*arguments)

    monkeypatch.setattr(desk.ledger.journal, "append", after_the_other)
    with pytest.raises(ResumeRefused, match="not verified"):
        clear(desk.ledger, "main", "test", "looked into it", Cause(desk.ids.trace_id(), actor="test"))
    assert desk.account.trading_state is HALTED


def test_who_turned_it_on_may_turn_it_off_and_then_nothing_is_lifted() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.give(REFUSES)
    desk.give(TAKES)
    resume(desk)
    assert (kill(desk).needs_broker, desk.account.trading_state) == (False, ACTIVE)


def test_what_a_kill_turned_on_is_no_halt_by_somebody_else() -> None:
    desk = killed()
    desk.give(REFUSES)
    (halt,) = found(desk, ev.KillSwitchActivated)
    assert halt.trigger == "manual"
    assert (kill(desk).suspension.ours, kill(desk).suspension.shown) == (True, True)


def test_a_halt_after_the_second_step_keeps_trading_halted_when_the_lift_is_proved() -> None:
    desk = killed()
    resume(desk)
    desk.give(LIFT)
    stop(desk)
    desk.give(LIFTED)
    assert desk.account.trading_state is HALTED
    assert not kill(desk).suspension.may_hold


# --- the second step ------------------------------------------------------------------------------------------------


def test_a_comparison_of_before_the_stop_says_nothing_of_what_the_stop_left() -> None:
    desk = Desk.in_memory()
    desk.pin()
    reconciled(desk)
    stop(desk)
    cause = Cause(desk.ids.trace_id(), actor="test")
    with pytest.raises(ResumeRefused, match="nobody asked for it yet"):
        clear(desk.ledger, "main", "test", "looked into it", cause)
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    with pytest.raises(ResumeRefused, match="not compared since trading stopped"):
        clear(desk.ledger, "main", "test", "looked into it", cause)
    assert desk.account.trading_state is HALTED
    reconciled(desk)
    clear(desk.ledger, "main", "test", "looked into it", cause)
    assert desk.account.trading_state is ACTIVE


def test_a_suspension_by_somebody_else_is_not_lifted_where_nothing_is_said_of_it() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.give(REFUSES)
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    reconciled(desk)
    with pytest.raises(ResumeRefused, match="--lift-suspension"):
        clear(desk.ledger, "main", "test", "looked into it", Cause(desk.ids.trace_id(), actor="test"))
