"""Exits that nobody could keep are told, or refused: a stop in the engine is worth what its bars are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.review.scripted import Office, engine_of
from tests.risk.test_exits import BOTH, placing, plan
from tests.risk.test_wired import found
from tradecore.domain.events import AlertTriggered
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.triggers import CRITICAL_ALERTS, Vigilance
from tradecore.domain.values import OrderClass, TimeInForce, TradingState
from tradecore.engine import Engine
from tradecore.errors import InputError
from tradecore.proposing import with_exits
from tradecore.runner.contract import Session
from tradecore.settings import load_settings
from tradecore_daemon.live import is_watching

D = Decimal
STOP, TIME = plan(stop_loss="0.02"), plan(max_holding_s="60")


def holding(*plans: tuple[str, ExitPlan | None]) -> tuple[Office, Engine]:
    """An engine whose account holds symbols that are to be left so."""
    office = Office.open()
    for symbol, exits in plans:
        office.desk.done("buy", "10", "100", symbol, exits=exits)
    engine = engine_of(office, vigilance=Vigilance(critical=CRITICAL_ALERTS))
    engine.follower.listen(office.desk.ledger.observe)
    engine.follower.listen(engine.watch.observe)
    return office, engine


def unprotected(office: Office) -> list[str]:
    return [alert.message for alert in found(office.desk, AlertTriggered) if alert.kind == "unprotected"]


def test_a_stop_without_bars_is_told_once_and_holds_new_risk_until_somebody_read_it() -> None:
    office, engine = holding(("QQQ", STOP), ("SPY", STOP), ("IWM", TIME), ("GLD", None))
    engine.exits.watched = frozenset({"SPY"})
    engine.look()
    engine.look()
    (message,) = unprotected(office)
    assert message.startswith("QQQ: its exits need prices, and no bars of it come")
    assert office.desk.account.may is TradingState.REDUCE_ONLY


@pytest.mark.parametrize("watched", [None, frozenset({"SPY", "QQQ"})])
def test_what_is_watched_or_what_nobody_can_say_is_no_alert(watched: frozenset[str] | None) -> None:
    office, engine = holding(("QQQ", STOP), ("SPY", STOP))
    engine.exits.watched = watched
    engine.look()
    assert unprotected(office) == []
    assert office.desk.account.may is TradingState.ACTIVE


def test_every_rule_but_the_time_needs_prices() -> None:
    assert not TIME.needs_prices
    assert not plan(max_holding_s="60", trail_arm="0.1").needs_prices
    assert all(one.needs_prices for one in (STOP, BOTH, plan(trail="0.05"), plan(break_even="0.05")))


def test_an_order_whose_stop_nobody_would_keep_is_refused_before_it_is_placed() -> None:
    for_the_day = placing(time_in_force=TimeInForce.DAY)
    with pytest.raises(InputError, match=r"exits: 'SPY'.*a symbol that bars come of"):
        with_exits(for_the_day, STOP, D(0), frozenset({"QQQ"}))
    assert with_exits(for_the_day, STOP, D(0), frozenset({"SPY"})).exits == STOP
    assert with_exits(for_the_day, TIME, D(0), frozenset()).exits == TIME
    assert with_exits(placing(), BOTH, D(0), frozenset()).order_class is OrderClass.BRACKET, "the broker keeps it"


@pytest.mark.parametrize(
    ("tables", "wants"),
    [
        ({"strategy": {"name": "none"}}, False),
        ({"strategy": {"name": "none"}, "market_data": {"symbols": ["SPY"]}}, True),
        ({"strategy": {"name": "sma"}, "market_data": {"symbols": ["SPY"]}}, True),
    ],
)
def test_a_runner_without_a_strategy_watches_the_symbols_that_are_named(tables: dict[str, Any], wants: bool) -> None:
    """Whoever trades by hand has exits kept: bars come although no strategy asks for them."""
    nothing: Any = None  # only the settings say it
    settings = load_settings(None, tables)
    session = Session("runner", settings, nothing, nothing, nothing, nothing, nothing, nothing)
    assert is_watching(session) is wants
