"""The gate where it counts: inside the command, on figures that the account's own events keep."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.account import AccountState, evolve
from tradecore.domain.events import Event, LimitBreached, LimitsSet, LimitWarned, OrderReduced, ReservationMade
from tradecore.domain.limits import Action, Limits, ScopeLimits
from tradecore.domain.values import ZERO, Purpose, Side, minus, plus, times

D = Decimal


@pytest.fixture
def desk() -> Desk:
    return Desk.in_memory()


def found(desk: Desk, kind: type[Event]) -> list[Any]:
    return [item.event for item in desk.ledger.journal.read(0, 100_000) if isinstance(item.event, kind)]


def refusal(desk: Desk, side: str, qty: str, symbol: str = "SPY", **terms: Any) -> str | None:
    """The rule that refuses an order, None when it is placed."""
    order_id = desk.place(side, qty, symbol, **terms)
    if desk.ledger.order(order_id) is not None:
        return None
    breach: LimitBreached = found(desk, LimitBreached)[-1]
    assert breach.order_id == order_id
    return breach.rule


@pytest.mark.parametrize(
    ("limits", "allowed", "above"),
    [
        ({"max_position_qty": D(100)}, "30", "30.000000001"),
        ({"max_position_notional": D(1000)}, "30", "30.000000001"),
        ({"max_position_share": D("0.01")}, "30", "30.000000001"),
        ({"max_gross_exposure": D(1500)}, "30", "30.000000001"),
        ({"max_gross_exposure_share": D("0.015")}, "30", "30.000000001"),
        ({"max_net_exposure_share": D("0.015")}, "30", "30.000000001"),
        ({"max_sector_share": D("0.015"), "sectors": {"SPY": "index", "QQQ": "index"}}, "30", "30.000000001"),
        ({"max_notional_per_day": D(1500)}, "30", "30.000000001"),
    ],
)
def test_what_is_held_and_what_is_open_count_together(
    desk: Desk, limits: dict[str, Any], allowed: str, above: str
) -> None:
    """50 SPY held, 20 open at 10; 50 QQQ at 10: 100,000 in all, and 30 SPY more are exactly at each limit."""
    desk.pin()
    desk.done("buy", "50", "10", limit="10")
    desk.done("buy", "50", "10", "QQQ", limit="10")
    desk.live("buy", "20", limit="10")
    desk.limits(**limits)
    (rule,) = [name for name in limits if name.startswith("max_")]
    assert refusal(desk, "buy", above, limit="10") == rule
    assert refusal(desk, "buy", allowed, limit="10") is None
    assert refusal(desk, "buy", "0.000000001", limit="10") == rule
    assert refusal(desk, "sell", "50") is None, "what only takes risk away may always be placed"


def test_a_held_symbol_without_a_price_denies_what_needs_the_equity(desk: Desk) -> None:
    desk.pin(positions=[("QQQ", "10", "400")])
    desk.limits(max_position_share=D("0.5"))
    assert refusal(desk, "buy", "1", limit="10") == "max_position_share"
    desk.mark(QQQ="410")
    assert desk.account.equity == 104_100
    assert refusal(desk, "buy", "1", limit="10") is None


def test_the_loss_of_a_day_counts_what_is_not_realised_and_begins_anew_with_the_day(desk: Desk) -> None:
    desk.pin()
    desk.limits(max_daily_loss=D(500))
    desk.done("buy", "100", "50", limit="50")
    desk.mark(SPY="45.01")
    assert refusal(desk, "buy", "1", limit="50") is None
    desk.mark(SPY="45")
    assert refusal(desk, "buy", "1", limit="50") == "max_daily_loss"
    assert refusal(desk, "sell", "100") is None
    desk.clock.at += dt.timedelta(days=1)
    assert refusal(desk, "buy", "1", limit="50") is None


def test_money_that_is_taken_out_is_no_loss(desk: Desk) -> None:
    desk.pin()
    desk.limits(max_daily_loss=D(500))
    desk.place("buy", "1", limit="50")
    desk.give(cmd.BookActivity("main", "w-1", "withdrawal", None, D(-5000), ZERO, NOON, "{}"))
    assert refusal(desk, "buy", "1", limit="50") is None


def test_orders_are_counted_by_day_minute_strategy_and_agent(desk: Desk) -> None:
    desk.limits(
        max_orders_per_minute=3,
        max_orders_per_day=5,
        per_strategy={"slow": ScopeLimits(max_orders_per_day=1, max_open_orders=1)},
        per_agent={"test": ScopeLimits(max_order_qty=D(9))},
    )
    assert refusal(desk, "buy", "10") == "test max_order_qty"
    assert refusal(desk, "buy", "1", strategy="slow") is None
    assert refusal(desk, "buy", "1", strategy="slow") is not None
    assert refusal(desk, "buy", "1") is None
    assert refusal(desk, "buy", "1") is None
    assert refusal(desk, "buy", "1") == "max_orders_per_minute"
    desk.clock.at += dt.timedelta(seconds=60)
    assert refusal(desk, "buy", "1") is None
    assert refusal(desk, "buy", "1") is None
    assert refusal(desk, "buy", "1") == "max_orders_per_day"
    desk.clock.at += dt.timedelta(days=1)
    assert refusal(desk, "buy", "1") is None


def test_the_same_order_twice_within_the_window_is_refused(desk: Desk) -> None:
    desk.limits(duplicate_window_s=D(10))
    assert refusal(desk, "buy", "1") is None
    assert refusal(desk, "buy", "1") == "duplicate_window_s"
    desk.clock.at += dt.timedelta(seconds=10)
    assert refusal(desk, "buy", "1") is None


def test_an_order_does_not_meet_one_of_ones_own(desk: Desk) -> None:
    desk.limits(no_self_cross=True)
    sold = desk.live("sell", "5", limit="10")
    assert refusal(desk, "buy", "5", limit="10") == "no_self_cross"
    assert refusal(desk, "buy", "5", limit="9.99") is None
    desk.report(sold, "canceled")
    assert refusal(desk, "buy", "5", limit="10") is None


def test_a_limit_that_warns_is_recorded_and_lets_the_order_go(desk: Desk) -> None:
    desk.limits(max_order_qty=D(5), actions={"max_order_qty": Action.WARN})
    order_id = desk.place("buy", "6")
    assert desk.order(order_id).quantity == 6
    (warned,) = found(desk, LimitWarned)
    assert (warned.order_id, warned.rule, warned.reason) == (order_id, "max_order_qty", "6; allowed is at most 5")


def test_a_limit_that_reduces_places_what_is_left_and_says_so(desk: Desk) -> None:
    desk.pin()
    desk.limits(max_position_qty=D(10), actions={"max_position_qty": Action.REDUCE})
    desk.live("buy", "4", limit="10")
    proposal = cmd.Proposal("d-1", "test", "SPY", Side.BUY, D(9), D(10), NOON, "because")
    order_id = desk.place("buy", "9", limit="10", proposal=proposal)
    assert desk.order(order_id).quantity == 6
    assert desk.account.reservations[order_id].quantity == 6
    (less,) = found(desk, OrderReduced)
    assert (less.order_id, less.asked, less.placed, less.rule) == (order_id, 9, 6, "max_position_qty")
    assert refusal(desk, "buy", "1", limit="10") == "max_position_qty"


def test_every_order_tells_what_it_was_held_against(desk: Desk) -> None:
    desk.limits(max_order_qty=D(5))
    desk.place("buy", "5")
    (made,) = found(desk, ReservationMade)
    assert made.limits_version == 1
    assert "max_order_qty: 5 (at most 5)" in made.checks
    assert (made.agent, made.at) == ("test", NOON)


def test_a_replacement_makes_room_for_itself(desk: Desk) -> None:
    desk.pin()
    desk.limits(max_position_qty=D(10), max_open_orders=1)
    old = desk.live("buy", "8", limit="10")
    wanted = cmd.ReplaceOrder(old, desk.ids.order_id(), NOON + dt.timedelta(minutes=1), quantity=D(11))
    desk.give(wanted)
    assert found(desk, LimitBreached)[-1].rule == "max_position_qty"
    desk.give(cmd.ReplaceOrder(old, desk.ids.order_id(), NOON + dt.timedelta(minutes=1), quantity=D(10)))
    assert desk.account.exposure.book("SPY").buys == 10


def test_what_the_settings_say_again_does_not_undo_what_a_person_changed(desk: Desk) -> None:
    def told(limits: Limits) -> None:
        desk.give(cmd.SetLimits("main", limits, "settings", "a start"))

    told(Limits(max_order_qty=D(5)))
    desk.limits(max_order_qty=D(3))
    told(Limits(max_order_qty=D(5)))
    assert desk.account.limits.max_order_qty == 3
    told(Limits(max_order_qty=D(4)))
    assert desk.account.limits.max_order_qty == 4
    assert [event.limits.version for event in found(desk, LimitsSet)] == [1, 2, 3]


def test_the_figures_of_the_account_are_what_its_whole_history_adds_up_to(desk: Desk) -> None:
    """What is kept event by event equals what a count over everything finds, after every event."""
    desk.pin(positions=[("QQQ", "3", "400")])
    desk.mark(QQQ="410")
    desk.limits(sectors={"SPY": "a", "QQQ": "a", "IWM": "b"})
    desk.done("buy", "5", "10", limit="11")
    part = desk.live("sell", "9", limit="12")
    desk.fill(part, "7", "12")
    desk.live("buy", "4", "IWM", limit="20")
    old = desk.live("buy", "8", limit="10")
    desk.give(cmd.ReplaceOrder(old, desk.ids.order_id(), NOON + dt.timedelta(minutes=1), quantity=D(11)))
    desk.fill(old, "2", "10")
    desk.report(part, "canceled", filled="7")
    desk.place("buy", "1", purpose=Purpose.TRADE)
    state = AccountState("main")
    for recorded in desk.ledger.journal.load("account-main"):
        state = evolve(state, recorded.event, "main")
        _is_what_it_adds_up_to(state)
    assert state == desk.account


def _is_what_it_adds_up_to(state: AccountState) -> None:
    exposure = state.exposure
    symbols = {*state.positions, *(one.symbol for one in state.reservations.values())}
    gross = net = ZERO
    for symbol in symbols:
        book = exposure.book(symbol)
        assert book.position == state.position(symbol).quantity
        for side, total in ((Side.BUY, book.buys), (Side.SELL, book.sells)):
            mine = [one for one in state.reservations.values() if (one.symbol, one.side) == (symbol, side)]
            assert total == sum((state.open_quantity(one) for one in mine), ZERO)
        gross = plus(gross, times(book.worst, exposure.marks.get(symbol, ZERO)))
        net = plus(net, times(book.position, exposure.marks.get(symbol, ZERO)))
    assert (exposure.gross, exposure.net) == (gross, net)
    worth = {symbol: exposure.marks.get(symbol, ZERO) for symbol in symbols}
    books = {symbol: exposure.book(symbol) for symbol in symbols}
    most = sum((times(plus(book.position, book.buys), worth[symbol]) for symbol, book in books.items()), ZERO)
    less = sum((times(minus(book.position, book.sells), worth[symbol]) for symbol, book in books.items()), ZERO)
    assert (exposure.most, exposure.least) == (most, less)
    assert exposure.unpriced == {symbol for symbol in exposure.books if symbol not in exposure.marks}
    sectors: dict[str, Decimal] = {}
    for symbol, sector in exposure.sectors.items():
        at_worst = times(exposure.book(symbol).worst, exposure.marks.get(symbol, ZERO))
        sectors[sector] = plus(sectors.get(sector, ZERO), at_worst)
    assert {key: value for key, value in exposure.by_sector.items() if value} == {
        key: value for key, value in sectors.items() if value
    }
