"""Exits in combinations: a trade that is added to, legs that were replaced, a split, a market that is closed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.ledger.desk import Desk
from tests.risk.test_exits import Market, plan
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import ExitFired, ExitsArmed
from tradecore.domain.exit_plan import Keeper, Rung
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, TimeInForce
from tradecore.exiting import Exits

D = Decimal


def test_an_order_that_would_add_to_a_trade_does_not_lower_its_raised_stop() -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(trail="0.05", stop_loss="0.1"))
    market.bar("100", "110")  # the stop is at 104.50
    more = market.desk.live("buy", "5", limit="60", exits=plan(trail="0.05", stop_loss="0.1"))
    market.desk.report(more, "canceled", at=1)
    market.bar("104", "105")
    assert len(found(market.desk, ExitFired)) == 1


def test_a_rung_that_was_closed_is_not_closed_again_because_of_an_order_that_never_filled() -> None:
    planned = plan(stop_loss="0.1", ladder=(Rung(D("0.05"), D("0.5")), Rung(D("0.5"), D("0.5"))))
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=planned)
    market.bar("100", "105")
    (half,) = market.closes()
    market.stage.works(half)
    market.desk.fill(half, "5", "105")
    more = market.desk.live("buy", "5", limit="60", exits=planned)
    market.desk.report(more, "canceled", at=1)
    market.bar("100", "106")
    assert market.closes() == [half]


def test_what_the_engine_keeps_stays_with_it_when_an_order_with_legs_would_add_to_it() -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    market.desk.live(
        "buy", "5", limit="60", exits=plan(stop_loss="0.02"),
        order_class=OrderClass.OTO, stop_loss=StopLoss(D("58.80")), time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    market.bar("97", "99")
    assert len(found(market.desk, ExitFired)) == 1


def with_stop_at_broker(desk: Desk) -> tuple[str, str]:
    entry = desk.place(
        "buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(98)), exits=plan(stop_loss="0.02"),
        time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    leg = leg_order_id(entry, "stop_loss")
    desk.send(entry)
    desk.answer(entry)
    desk.fill(entry, "10", "100")
    desk.report(leg, "new")
    return entry, leg


def test_a_stop_that_was_moved_at_the_broker_is_not_taken_over() -> None:
    market = Market.over()
    desk = market.desk
    _, leg = with_stop_at_broker(desk)
    moved = desk.ids.order_id()
    desk.give(cmd.ReplaceOrder(leg, moved, desk.clock.now() + dt.timedelta(seconds=30), stop_price=D(90)))
    desk.send(moved)
    desk.answer(moved, "new")
    desk.report(leg, "replaced", at=1)
    market.bar("97", "99")
    assert found(desk, ExitFired) == []
    assert [event.keeper for event in found(desk, ExitsArmed)] == [Keeper.BROKER]


def test_a_split_moves_a_raised_stop_with_the_price() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(trail="0.05", stop_loss="0.1"))
    market.bar("100", "110")  # the stop is at 104.50
    when = desk.clock.now() + dt.timedelta(minutes=1)
    desk.give(cmd.BookActivity("main", "split-1", "split", "SPY", D(0), D(10), when, "{}"))
    market.bar("54", "55")
    assert found(desk, ExitFired) == []
    market.bar("52.25", "54")
    (fired,) = found(desk, ExitFired)
    assert fired.quantity == 20


def test_a_trade_is_not_left_for_its_age_while_its_market_is_closed() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(stop_loss="0.1", max_holding_s="3600"))
    exits = Exits(desk.ledger, desk.ids, "main")
    night = dt.datetime(2024, 1, 3, 4, 0, tzinfo=dt.UTC)
    exits.look(night)
    assert found(desk, ExitFired) == []
    exits.look(dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC))
    assert len(found(desk, ExitFired)) == 1


def test_a_trade_that_never_closes_is_left_for_its_age_at_night() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "1", "100", "BTC/USD", exits=plan(max_holding_s="3600"))
    Exits(desk.ledger, desk.ids, "main").look(dt.datetime(2024, 1, 3, 4, 0, tzinfo=dt.UTC))
    assert len(found(desk, ExitFired)) == 1
