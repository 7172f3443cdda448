"""Alerts are told when trouble begins, and again when it begins anew, not while it lasts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import Desk, StillClock
from tests.review.scripted import UNREACHABLE, Office
from tests.risk.test_exits import plan
from tests.risk.test_switch import reconciled, resume
from tests.risk.test_wired import found
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.limits import Limits
from tradecore.domain.triggers import CRITICAL_ALERTS, Vigilance
from tradecore.domain.values import OrderType, Side, TimeInForce, TradingState
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.ports.broker import BrokerPosition
from tradecore.strategies.none import NoStrategy
from tradecore.troubles import Troubles
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector

D = Decimal
MINUTE = 60


# --- what is told when ----------------------------------------------------------------------------------------------


@attrs.define
class Listener:
    clock: StillClock = attrs.field(factory=StillClock)
    told: list[tuple[str, str]] = attrs.field(factory=list)

    def troubles(self) -> Troubles:
        return Troubles(self.clock, lambda kind, message: self.told.append((kind, message)))

    def wait(self, seconds: float) -> None:
        self.clock.at += dt.timedelta(seconds=seconds)


def test_what_lasts_is_told_once_and_what_begins_anew_again() -> None:
    listener = Listener()
    troubles = listener.troubles()
    for _ in range(3):
        troubles.lasts("disk", "disk_unknown", "no answer")
        listener.wait(MINUTE)
    assert listener.told == [("disk_unknown", "no answer")]
    troubles.is_over("disk")
    troubles.lasts("disk", "disk_unknown", "no answer")
    assert listener.told == [("disk_unknown", "no answer")] * 2


def test_topics_and_messages_are_troubles_of_their_own() -> None:
    listener = Listener()
    troubles = listener.troubles()
    said = [("a", "x"), ("a", "y"), ("b", "x")]
    for topic, message in said:
        troubles.lasts(topic, "kind", message)
    listener.wait(MINUTE)
    troubles.is_over("a", but=["y"])
    for topic, message in said:
        troubles.lasts(topic, "kind", message)
    assert [message for _, message in listener.told] == ["x", "y", "x", "x"]


def test_what_comes_and_goes_is_told_once_a_minute_and_what_has_come_to_stay_is_not_kept_silent() -> None:
    listener = Listener()
    troubles = listener.troubles()
    for _ in range(59):
        troubles.lasts("stream", "kind", "lost")
        troubles.is_over("stream")
        listener.wait(1)
    assert len(listener.told) == 1
    troubles.lasts("stream", "kind", "lost")
    assert len(listener.told) == 1
    listener.wait(1)
    troubles.lasts("stream", "kind", "lost")
    assert len(listener.told) == 2


def test_what_was_over_long_ago_is_forgotten() -> None:
    listener = Listener()
    troubles = listener.troubles()
    for number in range(100):
        troubles.lasts("broker", "kind", f"attempt {number}")
        troubles.is_over("broker")
        listener.wait(MINUTE)
    troubles.is_over("broker")
    assert (troubles._lasting, troubles._told) == (set(), {})


# --- an engine's alerts ---------------------------------------------------------------------------------------------


@attrs.define
class Watched:
    """An engine whose clock moves only when told."""

    office: Office
    engine: Engine

    @classmethod
    def over(cls, desk: Desk | None = None, **terms: Any) -> Watched:
        office = Office.open(desk)
        desk = office.desk
        engine = Engine(
            desk.ledger, office.broker, NoStrategy(), office.outbox, office.inbox,
            Projector(desk.ledger.journal, ALL_VIEWS), desk.clock, desk.ids, Terms("main", Limits(), 30.0, **terms),
        )  # fmt: skip
        engine.follower.listen(desk.ledger.observe)
        engine.follower.listen(engine.watch.observe)
        return cls(office, engine)

    def told(self, kind: str) -> int:
        return sum(1 for alert in found(self.office.desk, AlertTriggered) if alert.kind == kind)

    def wait(self, seconds: float = MINUTE) -> None:
        self.office.desk.clock.at += dt.timedelta(seconds=seconds)

    def reconcile(self, times: int = 1) -> None:
        async def rounds() -> None:
            for _ in range(times):
                await self.engine.reconcile()

        run_story(rounds)
        self.wait()

    def held_back(self, symbol: str = "SPY", side: Side = Side.BUY, qty: str = "1") -> str | None:
        order = cmd.PlaceOrder(
            self.office.desk.ids.order_id(), "main", symbol, side, D(qty), OrderType.MARKET, None, TimeInForce.DAY,
            "test", self.office.desk.clock.now(),
        )  # fmt: skip
        return self.engine.held_back(order)


def test_critical_trouble_that_begins_anew_holds_new_risk_again() -> None:
    watched = Watched.over(vigilance=Vigilance(critical=CRITICAL_ALERTS))
    desk, engine = watched.office.desk, watched.engine
    desk.done("buy", "10", "100", "QQQ", exits=plan(stop_loss="0.02"))
    for times in (1, 2):
        engine.exits.watched = frozenset()
        engine.look()
        engine.look()
        assert (watched.told("unprotected"), desk.account.may) == (times, TradingState.REDUCE_ONLY)
        desk.give(cmd.AcknowledgeAlert("main", "test", "bars are on their way"))
        watched.wait()
        engine.look()
        assert desk.account.may is TradingState.ACTIVE, "what was read and lasts is not told again"
        engine.exits.watched = frozenset({"QQQ"})
        engine.look()


@pytest.mark.parametrize("method", ["account", "positions"])
def test_a_broker_that_cannot_be_reached_again_is_told_again(method: str) -> None:
    watched = Watched.over()
    for times in (1, 2):
        watched.office.broker.trouble[method] = UNREACHABLE
        watched.reconcile(2)
        assert watched.told("broker_unreachable") == times
        watched.office.broker.trouble.clear()
        watched.reconcile()
        watched.wait(300)


def test_prices_that_cannot_be_read_while_all_else_can_are_told_once() -> None:
    """Positions are read twice in a round: to be compared, and for their prices."""
    watched = Watched.over()
    calls = iter(range(100))
    broker, real = watched.office.broker, watched.office.broker.positions

    async def every_second_call() -> tuple[BrokerPosition, ...]:
        if next(calls) % 2:
            raise UNREACHABLE
        return await real()

    broker.positions = every_second_call  # type: ignore[method-assign]
    for _ in range(3):
        watched.reconcile()
    assert watched.told("broker_unreachable") == 1


def test_a_difference_that_comes_back_is_told_again() -> None:
    watched = Watched.over()
    watched.office.broker.have("theirs")
    watched.reconcile()
    before = watched.told("reconcile_mismatch")
    for times in (1, 2):
        watched.office.broker.cash -= 5000
        for _ in range(4):
            watched.reconcile()
        assert watched.told("reconcile_mismatch") == before + times
        watched.office.broker.cash += 5000
        watched.reconcile()


def test_a_gate_that_closes_again_is_told_again_and_once_while_it_is_closed() -> None:
    watched = Watched.over()
    gate = watched.engine.gate
    for times in (1, 2):
        gate.close("difference", "cash differs")
        gate.close("doubt", "SPY may differ")
        for _ in range(2):
            assert watched.held_back() == "cash differs; SPY may differ"
            watched.wait()
        gate.open("difference")
        for _ in range(2):
            assert watched.held_back() == "SPY may differ"
            watched.wait()
        assert watched.told("held_back") == 2 * times, "once for every reason"
        gate.open("doubt")
        assert watched.held_back() is None


def test_a_gate_that_nobody_came_to_while_it_was_open_is_told_again() -> None:
    watched = Watched.over()
    desk = watched.office.desk
    desk.done("buy", "10", "100")
    for times in (1, 2):
        watched.engine.gate.close("difference", "cash differs")
        assert watched.held_back(side=Side.SELL, qty="10") is None, "what reduces passes, and opens nothing"
        watched.held_back()
        watched.held_back(side=Side.SELL, qty="10")
        watched.wait()
        watched.held_back()
        assert watched.told("held_back") == times
        watched.engine.gate.open("difference")


def test_what_was_sold_elsewhere_is_told_once_for_each_strategy_and_symbol() -> None:
    watched = Watched.over()
    desk = watched.office.desk
    for symbol in ("SPY", "QQQ"):
        desk.done("buy", "10", "100", symbol)
        desk.done("sell", "10", "100", symbol, strategy="external")
    for _ in range(3):
        for symbol in ("SPY", "QQQ"):
            why = watched.held_back(symbol, Side.SELL, "10")
            assert why is not None
            assert why.startswith(f"{symbol} that test holds was traded elsewhere")
        assert watched.held_back("IWM") is None
        watched.wait()
    assert watched.told("held_back") == 2
    desk.done("buy", "10", "100", strategy="external")
    assert watched.held_back("SPY", Side.SELL, "10") is None
    desk.done("sell", "10", "100", strategy="external")
    watched.held_back("SPY", Side.SELL, "10")
    assert watched.told("held_back") == 3


def test_every_stop_by_file_is_told_once() -> None:
    watched = Watched.over()
    desk = watched.office.desk
    for times in (1, 2):
        watched.office.outbox.leave.halt = lambda: "the file ledger.halt is there"
        watched.engine.look()
        watched.engine.look()
        assert watched.told("kill_switch") == times
        watched.office.outbox.leave.halt = lambda: None
        desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
        reconciled(desk)
        resume(desk)


def test_delivery_that_is_stuck_again_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched.over()
    for times in (1, 2):
        monkeypatch.setattr(watched.office.outbox, "why_stuck", lambda _: "nothing takes it up")
        watched.engine.watch_delivery(30)
        watched.engine.watch_delivery(30)
        assert watched.told("delivery_stalled") == times
        watched.wait()
        monkeypatch.undo()
        watched.engine.watch_delivery(30)
