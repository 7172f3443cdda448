"""The morning of a split: bars show the new price before the broker tells of it, and nothing is sold for that."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.risk.test_exits import plan
from tests.risk.test_wired import found
from tests.virtual_time import run_story
from tradecore.domain.events import AlertTriggered, ExitFired, ExitRaised
from tradecore.domain.exit_plan import ExitPlan, ExitRule, Rung
from tradecore.domain.jumps import is_jump
from tradecore.domain.values import Bar, TradingState
from tradecore.engine import Engine
from tradecore.exiting import Exits
from tradecore.ports.broker import ActivityKind, BrokerActivity, BrokerPosition
from tradecore.settings_triggers import TriggersSettings

D = Decimal
STOP = plan(stop_loss="0.02")


class Priced(ScriptedBroker):
    """A broker that says what units are worth."""

    def __init__(self) -> None:
        super().__init__()
        self.price: Decimal | None = D(100)

    async def positions(self) -> tuple[BrokerPosition, ...]:
        held = await super().positions()
        return tuple(attrs.evolve(position, current_price=self.price) for position in held)


@attrs.define
class Morning:
    """A runner that holds ten units at 100, as its broker does."""

    office: Office
    engine: Engine
    broker: Priced
    minutes: int = 0

    @classmethod
    def of(cls, exits: ExitPlan, side: str = "buy", **terms: Any) -> Morning:
        broker = Priced()
        office = Office.open(broker=broker)
        office.desk.done(side, "10", "100", exits=exits)
        broker.held["SPY"] = D(10) if side == "buy" else D(-10)
        broker.cash = office.desk.account.cash
        return cls(office, cls.runner(office, **terms), broker)

    @staticmethod
    def runner(office: Office, **terms: Any) -> Engine:
        vigilance = TriggersSettings().vigilance(is_replayed=False)
        engine = engine_of(office, patience_s=0.0, vigilance=vigilance, **terms)
        engine.follower.listen(office.desk.ledger.observe)
        engine.follower.listen(engine.watch.observe)
        return engine

    def bar(self, low: str, high: str, symbol: str = "SPY") -> None:
        start = NOON + dt.timedelta(minutes=self.minutes)
        self.engine.exits.see(Bar(symbol, start, D(low), D(high), D(low), D(high), D(1)))
        self.minutes += 1

    def compare(self) -> None:
        for _ in range(2):  # the first sight of a difference may be something on its way
            run_story(self.engine.reconcile)

    def split(self, change: str) -> None:
        """The broker has other units, and does not say why yet."""
        self.broker.held["SPY"] += D(change)
        self.broker.price = abs(D(1000) / self.broker.held["SPY"])

    def told(self, change: str) -> None:
        """The split is among the broker's activities."""
        self.broker.activities.append(
            BrokerActivity("split-1", ActivityKind.SPLIT, "SPY", D(0), D(change), NOON.date(), "{}")
        )

    def look(self) -> None:
        async def once() -> None:
            self.engine.look()

        run_story(once)

    @property
    def fired(self) -> list[tuple[ExitRule, Decimal]]:
        return [(event.rule, event.quantity) for event in found(self.office.desk, ExitFired)]

    @property
    def alerts(self) -> list[str]:
        return [event.message for event in found(self.office.desk, AlertTriggered) if event.kind == "unprotected"]


@pytest.mark.parametrize(
    ("known", "low", "high", "jumps"),
    [
        ("100", "20", "55", True),
        ("100", "20", "55.01", False),
        ("100", "54", "183", False),
        ("55", "99.99", "120", False),
        ("55", "100", "120", True),
    ],
)
def test_half_the_price_or_twice_is_a_jump(known: str, low: str, high: str, jumps: bool) -> None:
    assert is_jump(D(known), D(low), D(high)) is jumps


def test_jumps_are_doubted_unless_somebody_says_otherwise() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "100", exits=STOP)
    exits = Exits(desk.ledger, desk.ids, "main")
    exits.see(Bar("SPY", NOON, D(25), D(25), D(25), D(25), D(1)))
    assert found(desk, ExitFired) == []
    assert exits.doubted == {"SPY"}


def test_a_stop_does_not_fire_on_the_morning_of_a_split() -> None:
    morning = Morning.of(STOP)
    morning.bar("99", "101")
    morning.split("30")
    for _ in range(3):
        morning.bar("24.9", "25.1")
        morning.compare()
    assert morning.fired == []
    morning.told("30")
    morning.compare()
    assert morning.office.desk.account.position("SPY").quantity == 40
    morning.bar("24.6", "25.1")
    assert morning.fired == []
    morning.bar("24.5", "25.1")
    assert morning.fired == [(ExitRule.STOP_LOSS, D(40))]


def test_a_runner_that_starts_on_that_morning_knows_the_price_of_before() -> None:
    morning = Morning.of(STOP)
    morning.split("30")
    morning.engine = Morning.runner(morning.office)
    morning.compare()
    morning.bar("24.9", "25.1")
    assert morning.fired == []
    assert morning.engine.exits.doubted == {"SPY"}


def test_a_crash_that_the_broker_names_too_is_left() -> None:
    morning = Morning.of(STOP)
    morning.bar("99", "101")
    morning.compare()
    morning.bar("39", "41")
    assert morning.fired == []
    morning.broker.price = D(40)
    morning.compare()
    morning.bar("39", "41")
    assert morning.fired == [(ExitRule.STOP_LOSS, D(10))]
    assert morning.engine.exits.doubted == set()


def test_a_fall_in_steps_is_left_at_its_stop() -> None:
    morning = Morning.of(plan(stop_loss="0.6"))
    for price in ("75", "56", "42"):
        morning.bar(price, price)
    assert morning.fired == []
    morning.bar("40", "40")
    assert morning.fired == [(ExitRule.STOP_LOSS, D(10))]


@pytest.mark.parametrize(
    "exits",
    [plan(ladder=(Rung(D("0.05"), D(1)),)), plan(trail="0.05"), plan(break_even="0.05"), plan(target_price="120")],
)
def test_a_reverse_split_is_no_gain(exits: ExitPlan) -> None:
    morning = Morning.of(exits)
    morning.split("-9")
    morning.bar("990", "1010")
    morning.compare()
    morning.bar("990", "1010")
    assert (morning.fired, found(morning.office.desk, ExitRaised)) == ([], [])


def test_a_short_position_is_not_bought_back_for_a_reverse_split() -> None:
    morning = Morning.of(STOP, "sell")
    morning.split("9")
    morning.bar("990", "1010")
    assert morning.fired == []


def test_time_passes_whatever_the_price() -> None:
    morning = Morning.of(plan(stop_loss="0.02", max_holding_s="60"))
    morning.bar("25", "25")
    assert morning.fired == [(ExitRule.MAX_HOLDING, D(10))]


def test_what_others_do_is_no_matter() -> None:
    morning = Morning.of(STOP)
    morning.bar("25", "25", "QQQ")
    morning.bar("250", "250", "QQQ")
    morning.bar("97", "99")
    assert morning.fired == [(ExitRule.STOP_LOSS, D(10))]
    assert morning.engine.exits.unseen() == ()


def test_a_replayed_market_is_believed() -> None:
    morning = Morning.of(STOP, is_replayed=True)
    morning.bar("25", "25")
    assert morning.fired == [(ExitRule.STOP_LOSS, D(10))]


def test_a_person_is_told_once_and_new_risk_waits_for_that() -> None:
    morning = Morning.of(STOP)
    for price in ("25", "24", "26"):
        morning.bar(price, price)
        morning.look()
    (message,) = morning.alerts
    assert message.startswith("SPY: from 100 to 25 at 2024-01-02T17:00:00+00:00 may be a split")
    assert morning.office.desk.account.may is TradingState.REDUCE_ONLY


def test_a_split_that_is_not_told_yet_is_no_loss() -> None:
    morning = Morning.of(STOP)
    morning.compare()
    equity = morning.office.desk.account.equity
    morning.split("30")
    morning.bar("25", "25")
    morning.compare()
    assert morning.office.desk.account.equity == equity
    assert morning.office.desk.account.exposure.marks["SPY"] == 100


@pytest.mark.parametrize(("held", "price", "marked"), [("11", "90", "90"), ("10", "25", "25"), ("11", "25", "100")])
def test_only_a_jump_of_units_that_differ_is_not_taken_as_a_price(held: str, price: str, marked: str) -> None:
    morning = Morning.of(STOP)
    morning.broker.held["SPY"], morning.broker.price = D(held), D(price)
    morning.compare()
    assert morning.office.desk.account.exposure.marks["SPY"] == D(marked)


def test_while_a_price_is_doubted_the_broker_is_asked_for_it_each_time() -> None:
    morning = Morning.of(STOP)
    morning.compare()
    morning.broker.price = D(99)
    morning.compare()
    assert morning.office.desk.account.exposure.marks["SPY"] == 100, "it was asked lately"
    morning.bar("25", "25")
    morning.compare()
    assert morning.office.desk.account.exposure.marks["SPY"] == 99
