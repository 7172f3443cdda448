"""Every trigger: just below its figure nothing happens, at its figure trading stops, with what was seen on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import NOON, Desk
from tests.risk.test_switch import pinned, reconciled, resume
from tests.risk.test_wired import found, refusal
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.messages import Cause
from tradecore.domain.triggers import CRITICAL_ALERTS, STANDARD, Rule, Trigger, Vigilance
from tradecore.domain.values import Bar, OrderStatus, OrderType, Purpose, Side, TimeInForce, TradingState
from tradecore.errors import ConfigurationError, InputError
from tradecore.journal import open_journal
from tradecore.settings import load_settings
from tradecore.settings_triggers import TriggersSettings
from tradecore.watch import Watch

D = Decimal
HALTED, REDUCE_ONLY, ACTIVE = TradingState.HALTED, TradingState.REDUCE_ONLY, TradingState.ACTIVE


@attrs.define
class Guarded:
    """A desk under watch, which sees everything that the desk records."""

    desk: Desk
    watch: Watch
    unknown: int = 0
    seen: int = 0

    @classmethod
    def over(cls, desk: Desk, *rules: Rule, critical: tuple[str, ...] = ()) -> Guarded:
        guarded = cls(desk, None)  # type: ignore[arg-type]
        guarded.watch = Watch(
            desk.ledger, desk.clock, desk.ids, "main", Vigilance(rules, critical), lambda: guarded.unknown
        )
        return guarded

    def look(self) -> TradingState:
        events = self.desk.ledger.journal.read(self.seen, 10_000)
        self.watch.observe(events)
        self.seen = self.desk.ledger.journal.head()
        self.watch.look()
        return self.desk.account.may

    def note(self, event: ev.Event, stream: str = streams.BROKER) -> None:
        self.desk.ledger.note(stream, event, Cause(self.desk.ids.trace_id(), actor="test"))

    def wait(self, seconds: float) -> None:
        self.desk.clock.at += dt.timedelta(seconds=seconds)


def guarded(*rules: Rule, critical: tuple[str, ...] = ()) -> Guarded:
    desk = Desk.in_memory()
    desk.pin()
    return Guarded.over(desk, *rules, critical=critical)


def rule(trigger: Trigger, at: str, **terms: Any) -> Rule:
    return Rule(trigger, D(at), **terms)


def stop_of(watched: Guarded) -> ev.KillSwitchActivated:
    (stop,) = found(watched.desk, ev.KillSwitchActivated)
    assert isinstance(stop, ev.KillSwitchActivated)
    return stop


# --- one story per trigger: what brings it to just below its figure, and what brings it there ------------------------


def loses(watched: Guarded, price: str, *, first: bool = False) -> None:
    if first:
        watched.desk.done("buy", "100", "100")
        watched.desk.mark(SPY="100")
    watched.desk.mark(SPY=price)


def trade(watched: Guarded, *profits: str) -> None:
    for profit in profits:
        watched.desk.done("buy", "1", "100")
        watched.desk.done("sell", "1", str(100 + D(profit)))


def rejected(watched: Guarded, count: int, taken: int = 0) -> None:
    for _ in range(taken):
        watched.desk.live("buy", "1")
    for _ in range(count):
        order = watched.desk.place("buy", "1")
        watched.desk.send(order)
        watched.desk.give(cmd.RecordRejection(order, "403", "no", "{}"))


def parked(watched: Guarded, count: int) -> None:
    for number in range(count):
        watched.note(ev.ReportParked("stream", "strange", "{}"), f"parked-{watched.seen}-{number}")


def failing(watched: Guarded, seconds: float) -> None:
    watched.note(ev.ScheduledWorkFailed("sync", watched.desk.clock.now(), D("0.1"), "no route"))
    watched.wait(seconds)


def compared(watched: Guarded, *gating: int) -> None:
    for count in gating:
        event = ev.ReconciliationCompleted("main", "schedule", NOON, 0, 0, count, count)
        watched.note(event, streams.reconciliation("main"))


def bar(watched: Guarded, swing: str | None = None, seconds: float = 0) -> None:
    seen = Bar("SPY", watched.desk.clock.now(), D(100), D(100), D(100), D(100), D(1))
    watched.watch.see(seen, None if swing is None else D(swing))
    watched.wait(seconds)


def unknown(watched: Guarded, count: int) -> None:
    watched.unknown = count


def skewed(watched: Guarded, seconds: float) -> None:
    watched.watch.compare_clocks(watched.desk.clock.now() + dt.timedelta(seconds=seconds))


def contradicted(watched: Guarded) -> None:
    order = watched.desk.live("buy", "1")
    watched.desk.give(cmd.HaltOrder(order, "two of one intent", "{}"))


def repeated(watched: Guarded, count: int) -> None:
    watched.desk.place("buy", "8")
    for _ in range(count):
        watched.desk.place("buy", "7")


def recovered(watched: Guarded) -> None:
    watched.note(ev.DiskLow(1, 2))
    watched.note(ev.DiskRecovered(3, 2))


Step = Callable[[Guarded], Any]
STORIES: list[tuple[Rule, Step, Step, str]] = [
    (rule(Trigger.DAY_LOSS, "0.05"), lambda w: loses(w, "50.01", first=True), lambda w: loses(w, "50"), "5000.00 lost"),
    (rule(Trigger.DRAWDOWN, "0.05"), lambda w: loses(w, "50.01", first=True), lambda w: loses(w, "50"), "at its best"),
    (rule(Trigger.CONSECUTIVE_LOSSES, "3"), lambda w: trade(w, "-1", "1", "-1", "-1"),
     lambda w: trade(w, "-2"), "3 in a row"),
    (rule(Trigger.REJECT_RATE, "0.5", least=3), lambda w: rejected(w, 2, taken=1),
     lambda w: rejected(w, 1), "3 of 4 orders were rejected"),
    (rule(Trigger.ERROR_RATE, "3"), lambda w: parked(w, 2), lambda w: parked(w, 1), "3 system.report.parked"),
    (rule(Trigger.BROKER_UNREACHABLE, "120"), lambda w: failing(w, 119), lambda w: w.wait(1), "since"),
    (rule(Trigger.STALE_DATA, "900"), lambda w: bar(w, seconds=899), lambda w: w.wait(1), "no bar"),
    (rule(Trigger.RECONCILE_MISMATCH, "3"), lambda w: compared(w, 1, 1, 0, 1, 1),
     lambda w: compared(w, 2), "3 comparisons in a row"),
    (rule(Trigger.REPEATED_EXECUTION, "4", window_s=D(60)), lambda w: repeated(w, 3),
     lambda w: repeated(w, 1), "4 in 60 s: test buy 7 SPY"),
    (rule(Trigger.UNKNOWN_ORDERS, "5"), lambda w: unknown(w, 4), lambda w: unknown(w, 5), "5 orders"),
    (rule(Trigger.VOLATILITY, "0.1"), lambda w: bar(w, "0.099999999"), lambda w: bar(w, "0.1"), "SPY swings by 0.1"),
    (rule(Trigger.CLOCK_JUMP, "2"), lambda w: skewed(w, 1.999), lambda w: skewed(w, -2), "2.000 s apart"),
    (rule(Trigger.CONTRADICTION, "1"), lambda w: w.desk.live("buy", "1"), contradicted, "two of one intent"),
    (rule(Trigger.LEDGER_DAMAGED, "1"), lambda w: w.note(ev.LedgerChecked(9, None)),
     lambda w: w.note(ev.LedgerChecked(9, "a hole at 7")), "a hole at 7"),
    (rule(Trigger.DISK_LOW, "1"), recovered,
     lambda w: w.note(ev.DiskLow(1, 2)), "1 bytes are free"),
]  # fmt: skip


def test_every_trigger_has_a_story() -> None:
    assert {one.trigger for one, *_ in STORIES} == set(Trigger)


@pytest.mark.parametrize(("told", "below", "at", "evidence"), STORIES, ids=lambda one: getattr(one, "trigger", None))
def test_a_trigger_springs_at_its_figure_and_not_just_below_it(
    told: Rule, below: Step, at: Step, evidence: str
) -> None:
    watched = guarded(told)
    below(watched)
    assert watched.look() is ACTIVE
    at(watched)
    assert watched.look() is REDUCE_ONLY
    stop = stop_of(watched)
    assert (stop.trigger, stop.who, stop.cooldown_s) == (told.trigger.value, "watch", D(900))
    assert evidence in stop.evidence
    head = watched.desk.ledger.journal.head()
    watched.look()
    assert watched.desk.ledger.journal.head() == head, "it is said once"


@pytest.mark.parametrize(("told", "below", "at", "evidence"), STORIES, ids=lambda one: getattr(one, "trigger", None))
def test_a_trigger_is_quiet_for_its_cooldown_after_a_person_let_trading_go_on(
    told: Rule, below: Step, at: Step, evidence: str
) -> None:
    watched = guarded(attrs.evolve(told, state=HALTED))
    below(watched)
    watched.look()
    at(watched)
    assert watched.look() is HALTED
    compared(watched, 0)
    watched.desk.give(cmd.RequestClear("main", "somebody", "seen"))
    watched.look()
    resume(watched.desk)
    watched.wait(898)
    at(watched)
    assert watched.look() is ACTIVE
    stop_of(watched)


def test_after_the_cooldown_it_springs_again() -> None:
    watched = guarded(rule(Trigger.UNKNOWN_ORDERS, "5"))
    watched.unknown = 5
    watched.look()
    reconciled(watched.desk)
    watched.desk.give(cmd.RequestClear("main", "somebody", "seen"))
    resume(watched.desk)
    watched.wait(899)
    assert watched.look() is ACTIVE
    watched.wait(1)
    assert watched.look() is REDUCE_ONLY


def test_a_person_may_clear_a_stop_whose_figure_still_holds() -> None:
    watched = guarded(rule(Trigger.UNKNOWN_ORDERS, "5", state=HALTED))
    watched.unknown = 5
    watched.look()
    reconciled(watched.desk)
    watched.desk.give(cmd.RequestClear("main", "somebody", "seen"))
    watched.look()
    assert watched.desk.account.clear_requested_by == "somebody", "the trigger did not take it back"
    resume(watched.desk)
    assert watched.look() is ACTIVE


def test_another_trigger_while_trading_is_stopped_is_on_record_too() -> None:
    watched = guarded(rule(Trigger.UNKNOWN_ORDERS, "5", state=HALTED), rule(Trigger.CONTRADICTION, "1"))
    watched.unknown = 5
    watched.look()
    watched.desk.ledger.note(
        streams.BROKER, ev.AlertTriggered("x", "y"), Cause(watched.desk.ids.trace_id(), actor="test")
    )
    order = watched.desk.place("sell", "1", purpose=Purpose.PROTECT)
    assert watched.desk.ledger.order(order) is None
    watched.note(ev.LedgerChecked(1, None))
    working = [*watched.desk.account.reservations]
    assert working == []
    watched.watch._tally._contradiction = "told by the broker"
    assert watched.look() is HALTED
    assert set(watched.desk.account.stopped_by) == {"unknown_orders", "contradiction"}


def test_what_is_older_than_the_window_does_not_count() -> None:
    watched = guarded(rule(Trigger.ERROR_RATE, "3", window_s=D(60)))
    parked(watched, 2)
    watched.look()
    watched.wait(60)
    parked(watched, 1)
    assert watched.look() is ACTIVE


def test_a_stop_cancels_what_adds_risk_and_leaves_what_takes_it_away() -> None:
    watched = guarded(rule(Trigger.UNKNOWN_ORDERS, "1"))
    desk = watched.desk
    desk.done("buy", "10", "5")
    adding, waiting = desk.live("buy", "1", limit="1"), desk.place("buy", "1", "QQQ")
    reducing, protecting = desk.live("sell", "4", limit="9"), desk.live("sell", "10", purpose=Purpose.PROTECT)
    watched.unknown = 1
    watched.look()
    assert desk.order(adding).cancel_requested
    assert desk.order(waiting).status is OrderStatus.CANCELED
    assert not desk.order(reducing).cancel_requested
    assert not desk.order(protecting).cancel_requested


def test_counts_go_on_over_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    journal = open_journal(url)
    desk = Desk.over(journal)
    desk.pin()
    for _ in range(2):
        trade(Guarded.over(desk), "-1")
    journal.close()
    journal = open_journal(url)
    again = Desk.over(journal)
    again.ids._next = desk.ids._next
    watched = Guarded.over(again, rule(Trigger.CONSECUTIVE_LOSSES, "3"))
    watched.watch.restore()
    watched.seen = journal.head()
    assert watched.look() is ACTIVE
    trade(watched, "-1")
    assert watched.look() is REDUCE_ONLY
    journal.close()


def test_a_clock_that_is_set_forward_is_noticed_without_the_broker() -> None:
    watched = guarded(rule(Trigger.CLOCK_JUMP, "2"))
    watched.look()
    start = watched.desk.clock.monotonic()
    watched.wait(2)
    watched.watch._clock = _Stuck(watched.desk, start)
    assert watched.look() is REDUCE_ONLY
    assert "jumped by 2.000 s" in stop_of(watched).evidence


class _Stuck:
    """The wall's clock moved, the other did not."""

    def __init__(self, desk: Desk, monotonic: float) -> None:
        self._desk = desk
        self._monotonic = monotonic

    def now(self) -> dt.datetime:
        return self._desk.clock.now()

    def now_ns(self) -> int:
        return self._desk.clock.now_ns()

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def test_other_accounts_do_not_count() -> None:
    watched = guarded(rule(Trigger.REPEATED_EXECUTION, "2"), rule(Trigger.RECONCILE_MISMATCH, "1"))
    for _ in range(3):
        watched.desk.place("buy", "1", account="other")
    event = ev.ReconciliationCompleted("other", "schedule", NOON, 0, 0, 1, 1)
    watched.note(event, streams.reconciliation("other"))
    assert watched.look() is ACTIVE


# --- alerts ---------------------------------------------------------------------------------------------------------


def test_a_critical_alert_holds_new_risk_until_it_is_read() -> None:
    watched = guarded(critical=("order_halted",))
    desk = watched.desk
    desk.done("buy", "10", "5")
    waiting = desk.place("buy", "1")
    watched.note(ev.AlertTriggered("held_back", "not critical"))
    assert watched.look() is ACTIVE
    watched.note(ev.AlertTriggered("order_halted", "look at it"))
    assert watched.look() is REDUCE_ONLY
    assert refusal(desk, "buy", "1") == "state"
    assert refusal(desk, "sell", "1") is None
    desk.send(waiting)
    assert desk.order(waiting).status is OrderStatus.CANCELED
    ((position, (kind, message)),) = desk.account.unread.items()
    assert (kind, message) == ("order_halted", "look at it")
    with pytest.raises(InputError, match="alert"):
        desk.give(cmd.AcknowledgeAlert("main", "somebody", "read", position + 1))
    with pytest.raises(InputError, match="reason"):
        desk.give(cmd.AcknowledgeAlert("main", "somebody", " ", position))
    desk.give(cmd.AcknowledgeAlert("main", "somebody", "read", position))
    assert desk.account.may is ACTIVE
    watched.watch.restore()
    assert desk.account.may is ACTIVE, "what was read stays read over a restart"


def test_an_alert_that_nobody_was_told_of_before_a_crash_holds_after_it() -> None:
    watched = guarded()
    watched.note(ev.AlertTriggered("order_halted", "look at it"))
    again = Guarded.over(watched.desk, critical=CRITICAL_ALERTS)
    again.watch.restore()
    assert again.desk.account.may is REDUCE_ONLY
    again.note(ev.AlertTriggered("saga_manual", "look at this too"))
    again.look()
    again.desk.give(cmd.AcknowledgeAlert("main", "somebody", "read both"))
    assert again.desk.account.may is ACTIVE


def test_the_command_line_lists_alerts_and_acknowledges_them(terminal: Terminal) -> None:
    terminal.trade(pinned)
    assert "every critical alert was read" in terminal.run("alerts").out
    terminal.trade(lambda desk: desk.give(cmd.RaiseAlert("main", 7, "saga_manual", "look at it")))
    assert terminal.json("alerts") == [{"alert": 7, "kind": "saga_manual", "message": "look at it"}]
    assert terminal.json("limits")[0]["trading_state"] == "reduce_only"
    assert terminal.run("place", "SPY", "buy", "1").code == 3
    assert terminal.run("alerts", "acknowledge", "--reason", "x").code == 2
    assert terminal.run("alerts", "acknowledge", "8", "--reason", "x").code == 2
    (state,) = terminal.json("alerts", "acknowledge", "7", "--reason", "dealt with")
    assert (state["trading_state"], state["unread"]) == ("active", 0)
    assert terminal.run("alerts", "acknowledge", "--all", "--reason", "none left").code == 0


# --- settings -------------------------------------------------------------------------------------------------------


def test_the_standard_holds_for_a_live_market_and_only_what_is_named_for_a_replayed_one() -> None:
    told = TriggersSettings()
    assert told.vigilance(is_replayed=False) == Vigilance(STANDARD, CRITICAL_ALERTS)
    assert told.vigilance(is_replayed=True) == Vigilance()
    named = TriggersSettings.model_validate(
        {"drawdown": 0.2, "day_loss": "none", "unknown_orders": {"state": "reduce_only"}, "critical_alerts": []}
    )
    (replayed,) = (one for one in named.vigilance(is_replayed=True).rules if one.trigger is Trigger.DRAWDOWN)
    assert replayed == Rule(Trigger.DRAWDOWN, D("0.2"))
    live = {one.trigger: one for one in named.vigilance(is_replayed=False).rules}
    assert Trigger.DAY_LOSS not in live
    assert live[Trigger.UNKNOWN_ORDERS] == Rule(Trigger.UNKNOWN_ORDERS, D(5), REDUCE_ONLY)
    assert named.vigilance(is_replayed=False).critical == ()


@pytest.mark.parametrize("wrong", ["-1", "0", {"state": "active"}, {"cooldown_s": 0}, {"no_such": 1}])
def test_settings_that_cannot_be_meant_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"triggers\.drawdown"):
        load_settings(None, {"triggers": {"drawdown": wrong}})


def test_rules_that_cannot_be_meant_are_refused() -> None:
    for wrong in (rule(Trigger.DRAWDOWN, "NaN"), rule(Trigger.DRAWDOWN, "1", state=ACTIVE)):
        with pytest.raises(InputError, match="drawdown"):
            Vigilance((wrong,))
    with pytest.raises(InputError, match="one rule per trigger"):
        Vigilance((rule(Trigger.DRAWDOWN, "1"), rule(Trigger.DRAWDOWN, "2")))


def test_what_a_person_places_again_and_again_is_no_repeated_execution() -> None:
    watched = guarded(rule(Trigger.REPEATED_EXECUTION, "2"))
    desk = watched.desk
    for _ in range(5):
        order = cmd.PlaceOrder(
            desk.ids.order_id(), "main", "SPY", Side.BUY, D(1), OrderType.MARKET, None, TimeInForce.DAY, "manual", NOON
        )
        desk.ledger.handle(order, Cause(desk.ids.trace_id(), actor="cli:somebody"))
    assert watched.look() is ACTIVE
