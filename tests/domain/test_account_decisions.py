"""An account: what it is bound to, what it may do, what its orders reserve, and what money from outside moves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.domain.orders import order, part, taken
from tradecore.domain import account
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState, evolve
from tradecore.domain.limits import Limits
from tradecore.domain.values import OrderType, Side, TimeInForce, TradingState
from tradecore.errors import InputError, InvariantViolated, WrongAccount

D = Decimal
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
PIN = cmd.PinAccount("main", "alpaca", "b-1", True, "USD", D(1000), (), NOON)
PINNED = ev.AccountPinned("main", "alpaca", "b-1", True, "USD", D(1000), (), NOON)


def of(*happened: ev.Event) -> AccountState:
    """The account after what happened to it."""
    state = AccountState("main")
    for event in happened:
        state = evolve(state, event, "main")
    return state


def reserved(
    order: str, quantity: str, *, side: Side = Side.BUY, strategy: str = "s", symbol: str = "AAA",
    trade: str = "t", replaces: str | None = None, at: dt.datetime | None = None, price: str | None = None,
) -> ev.ReservationMade:  # fmt: skip
    return ev.ReservationMade(
        "main", order, trade, strategy, symbol, side, D(quantity), 0,
        replaces=replaces, at=at, price=None if price is None else D(price),
    )  # fmt: skip


def booked(
    quantity: str,
    price: str,
    after: str,
    *,
    order: str = "o",
    strategy: str = "s",
    trade: str = "t",
    symbol: str = "AAA",
) -> ev.PositionUpdated:
    worth = -D(quantity) * D(price)
    return ev.PositionUpdated(
        "main", symbol, "f", order, trade, strategy, D(quantity), D(price), D(0), worth, D(0), D(after), ()
    )


def released(order: str) -> ev.ReservationReleased:
    return ev.ReservationReleased("main", order, D(0))


# --- whose it is ----------------------------------------------------------------------------------------------------


def test_an_account_is_bound_once() -> None:
    assert account.pin(AccountState("main"), PIN) == [PINNED]
    assert account.pin(of(PINNED), PIN) == []


def test_another_account_behind_the_keys_is_refused_for_ever() -> None:
    with pytest.raises(WrongAccount, match=r"belongs to broker account b-1, but the keys open b-2"):
        account.pin(of(PINNED), cmd.PinAccount("main", "alpaca", "b-2", True, "USD", D(0), (), NOON))


@pytest.mark.parametrize(("paper", "told"), [(True, "paper"), (False, "live")])
def test_paper_and_live_are_never_mixed(paper: bool, told: str) -> None:
    state = of(ev.AccountPinned("main", "alpaca", "b-1", paper, "USD", D(0), (), NOON))
    with pytest.raises(WrongAccount) as refused:
        account.pin(state, cmd.PinAccount("main", "alpaca", "b-1", not paper, "USD", D(0), (), NOON))
    assert str(refused.value) == f"this ledger belongs to a {told} account"


def test_the_books_begin_with_what_the_broker_shows() -> None:
    held = (ev.OpeningPosition("AAA", D(10), D(5)), ev.OpeningPosition("BBB", D(0), D(7)))
    state = of(ev.AccountPinned("main", "alpaca", "b-1", True, "EUR", D(1000), held, NOON, ("a1",)))
    assert list(state.positions) == ["AAA"]
    assert state.position("AAA").cost == 50
    assert (state.cash, state.currency, state.as_of, state.opening_activities) == (D(1000), "EUR", NOON, ("a1",))
    assert state.exposure.book("AAA").position == 10


def test_an_account_holds_only_words_of_an_account() -> None:
    with pytest.raises(InvariantViolated, match="an account cannot hold"):
        of(ev.TradeApproved("t"))


# --- limits ---------------------------------------------------------------------------------------------------------


def limits(version: int, **more: Decimal) -> Limits:
    return Limits(version=version, **more)  # type: ignore[arg-type]


def put(limits_wanted: Limits, who: str = "ann") -> cmd.SetLimits:
    return cmd.SetLimits("main", limits_wanted, who, "why")


def test_limits_are_counted_by_the_ledger_and_recorded_where_they_differ() -> None:
    (first,) = account.set_limits(AccountState("main"), put(limits(99, max_order_qty=D(5))))
    assert first == ev.LimitsSet("main", limits(1, max_order_qty=D(5)), "ann", "why")
    state = of(first)
    assert account.set_limits(state, put(limits(0, max_order_qty=D(5)))) == []
    (second,) = account.set_limits(state, put(limits(0, max_order_qty=D(6))))
    assert second == ev.LimitsSet("main", limits(2, max_order_qty=D(6)), "ann", "why")


def test_limits_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(InputError):
        account.set_limits(AccountState("main"), put(limits(0, max_order_qty=D(-1))))


def test_settings_count_once_and_leave_alone_what_a_person_changed() -> None:
    settings = put(limits(0, max_order_qty=D(5)), account.SETTINGS)
    (first,) = account.set_limits(AccountState("main"), settings)
    person = ev.LimitsSet("main", limits(2, max_order_qty=D(9)), "ann", "why")
    assert account.set_limits(of(first), settings) == []
    assert account.set_limits(of(first, person), settings) == [], "they say what they said before"
    other = put(limits(0, max_order_qty=D(9)), account.SETTINGS)
    same = ev.LimitsSet("main", limits(2, max_order_qty=D(9)), account.SETTINGS, "why")
    assert account.set_limits(of(first, person), other) == [same], "recorded, though the limits stay what they are"
    assert account.set_limits(AccountState("main"), put(Limits(), account.SETTINGS)) == []


# --- what it may do -------------------------------------------------------------------------------------------------

ALERT = ev.AlertRaised("main", 7, "kind", "look")


def killed(state: TradingState, trigger: str = "manual", cooldown: str = "0") -> ev.KillSwitchActivated:
    return ev.KillSwitchActivated("main", state, trigger, "seen", "ann", D(cooldown))


def test_a_critical_alert_that_nobody_read_leaves_only_reducing() -> None:
    assert of().may is TradingState.ACTIVE
    assert of(ALERT).may is TradingState.REDUCE_ONLY
    assert of(ALERT, ev.AlertAcknowledged("main", 7, "ann", "seen")).may is TradingState.ACTIVE
    assert of(ALERT, ev.AlertAcknowledged("main", 6, "ann", "seen")).may is TradingState.REDUCE_ONLY
    assert of(killed(TradingState.HALTED), ALERT).may is TradingState.HALTED
    assert of(killed(TradingState.HALTED)).may is TradingState.HALTED


def test_alerts_are_known_up_to_the_last_in_the_log() -> None:
    state = of(ALERT, ev.AlertRaised("main", 3, "other", "older"))
    assert (state.alerts_upto, state.unread) == (7, {7: ("kind", "look"), 3: ("other", "older")})


def test_a_trigger_is_quiet_after_somebody_let_trading_go_on() -> None:
    state = of(
        killed(TradingState.HALTED, "day_loss", "60"),
        ev.KillSwitchClearRequested("main", "ann", "fine"),
        ev.KillSwitchCleared("main", "ben", "fine", NOON),
    )
    assert state.quiet == {"day_loss": NOON + dt.timedelta(seconds=60)}
    assert (state.trading_state, state.clear_requested_by, dict(state.stopped_by)) == (TradingState.ACTIVE, None, {})
    again = evolve(state, killed(TradingState.REDUCE_ONLY), "main")
    assert (again.trading_state, again.stopped_by) == (TradingState.REDUCE_ONLY, {"manual": D(0)})


def test_a_wish_to_clear_is_void_after_another_stop() -> None:
    asked = of(killed(TradingState.HALTED), ev.KillSwitchClearRequested("main", "ann", "fine"))
    assert asked.clear_requested_by == "ann"
    assert evolve(asked, killed(TradingState.HALTED, "file"), "main").clear_requested_by is None


# --- what orders reserve --------------------------------------------------------------------------------------------


def test_what_a_strategys_orders_can_add_is_its_own_in_that_symbol() -> None:
    state = of(
        reserved("o1", "10"),
        reserved("o2", "3", side=Side.SELL),
        reserved("o3", "100", strategy="other"),
        reserved("o4", "1000", symbol="BBB"),
    )
    assert state.working("s", "AAA") == 7
    assert state.working("other", "AAA") == 100
    assert state.working("s", "BBB") == 1000
    assert state.working("other", "BBB") == 0


def test_live_trades_are_those_that_hold_and_those_that_work_in_that_symbol() -> None:
    state = of(
        reserved("o1", "10", trade="working"),
        reserved("o2", "10", trade="elsewhere", symbol="BBB"),
        reserved("o3", "10", trade="others", strategy="other"),
        booked("5", "2", "5", trade="holds"),
        reserved("o4", "10", trade="holds"),
    )
    assert state.trades_for("s", "AAA") == ("holds", "working")
    assert state.trades_for("s", "BBB") == ("elsewhere",)
    assert state.trades_for("other", "AAA") == ("others",)
    assert state.trades_for("other", "BBB") == ()


def test_open_orders_are_counted_by_scope_and_forgotten_with_the_last() -> None:
    state = of(reserved("o1", "10"), reserved("o2", "1", strategy="other"))
    assert state.open_by_scope["symbol AAA"] == 2
    assert state.open_by_scope["strategy s"] == 1
    one = evolve(state, released("o1"), "main")
    assert one.open_by_scope["symbol AAA"] == 1
    assert "strategy s" not in one.open_by_scope
    none = evolve(one, released("o2"), "main")
    assert dict(none.open_by_scope) == {}
    assert evolve(none, released("o2"), "main") == none
    assert not none.exposure.books


def test_exposure_is_what_is_held_and_what_can_still_fill() -> None:
    state = of(reserved("o", "10"))
    assert state.exposure.book("AAA").buys == 10
    part = evolve(state, booked("4", "2", "4"), "main")
    assert (part.exposure.book("AAA").position, part.exposure.book("AAA").buys) == (D(4), D(6))
    assert part.reservations["o"].quantity == 6
    over = evolve(part, released("o"), "main")
    assert (over.exposure.book("AAA").position, over.exposure.book("AAA").buys) == (D(4), D(0))


def test_what_a_revision_leaves_to_an_order_counts_as_open() -> None:
    def left(quantity: str | None, order: str = "o") -> ev.PositionRevised:
        kept = None if quantity is None else D(quantity)
        given = {
            "account": "main", "symbol": "AAA", "signed_qty": D(-4), "cash_delta": D(8), "realised_pnl": D(0),
            "quantity_after": D(0), "lots": (), "strategy": "s", "trade_id": "t", "fees": D(0), "order_id": order,
            "fill_id": "f", "reserved": kept,
        }  # fmt: skip
        known = ev.PositionRevised.__struct_fields__
        return ev.PositionRevised(**{name: value for name, value in given.items() if name in known})  # type: ignore[arg-type]

    part = of(reserved("o", "10"), booked("4", "2", "4"))
    wide = evolve(part, left("10"), "main")
    assert (wide.reservations["o"].quantity, wide.exposure.book("AAA").buys) == (D(10), D(10))
    kept = evolve(part, left(None), "main")
    assert (kept.reservations["o"].quantity, kept.exposure.book("AAA").buys) == (D(6), D(6))
    assert evolve(part, left("10", "stranger"), "main").exposure.book("AAA").buys == 6
    assert wide.positions == {}
    assert wide.holdings == {}


def test_a_position_that_is_not_what_was_recorded_is_a_broken_invariant() -> None:
    with pytest.raises(InvariantViolated, match="position 4 is recorded as 5"):
        of(booked("4", "2", "5"))


def test_a_released_order_that_is_at_the_broker_counts_again_once() -> None:
    partly = order(taken(), part("4", "4"))
    (again,) = account.reserve_again(AccountState("main"), partly)
    assert (again.quantity, again.order_id, again.trade_id) == (D(6), "o", "t")  # type: ignore[attr-defined]
    assert account.reserve_again(of(reserved("o", "6")), partly) == []
    assert account.release(of(reserved("o", "6")), "o") == [ev.ReservationReleased("main", "o", D(6))]
    assert account.release(of(), "o") == []


# --- worth ----------------------------------------------------------------------------------------------------------


def deposit(amount: str, kind: str = "deposit") -> ev.CashBooked:
    return ev.CashBooked("main", "a", kind, None, D(amount), NOON)


MARKED = ev.EquityMarked("main", "2024-01-02", D(1000), {})


def test_money_from_outside_moves_what_gains_are_measured_from() -> None:
    state = of(PINNED, MARKED, deposit("500"))
    assert (state.cash, state.peak, state.marked, state.tempo.start) == (D(1500), D(1500), D(1500), D(1500))
    less = of(PINNED, MARKED, deposit("-200", "withdrawal"))
    assert (less.cash, less.peak, less.marked, less.tempo.start) == (D(800), D(800), D(800), D(800))
    gained = of(PINNED, MARKED, deposit("500", "dividend"))
    assert (gained.cash, gained.peak, gained.marked, gained.tempo.start) == (D(1500), D(1000), D(1000), D(1000))
    unknown = of(PINNED, deposit("500"))
    assert (unknown.cash, unknown.peak, unknown.marked, unknown.tempo.start) == (D(1500), None, None, None)


def adjusted(symbol: str, quantity: str, cash: str, price: str) -> ev.AdjustmentBooked:
    lots = (ev.OpenLot("d", D(quantity), D(price)),) if symbol else ()
    return ev.AdjustmentBooked("main", symbol, D(quantity), D(cash), D(0), D(quantity), lots, "d", D(price), "why")


def test_what_a_person_took_over_is_no_gain() -> None:
    state = of(PINNED, MARKED, adjusted("AAA", "10", "0", "5"))
    assert (state.peak, state.marked, state.tempo.start) == (D(1050), D(1050), D(1050))
    assert state.adjusted == {"AAA": D(10)}
    paid = of(PINNED, MARKED, adjusted("AAA", "10", "-50", "5"))
    assert (paid.cash, paid.peak) == (D(950), D(1000))
    cash = of(PINNED, MARKED, adjusted("", "0", "25", "0"))
    assert (cash.cash, cash.peak, cash.adjusted) == (D(1025), D(1025), {})


def test_prices_are_taken_in_where_they_say_something_new() -> None:
    state = of(PINNED, booked("10", "5", "10"))
    marks = cmd.MarkEquity("main", {"AAA": D(6), "ZZZ": D(1)}, NOON)
    assert account.mark(state, marks) == [ev.EquityMarked("main", "2024-01-02", D(1010), {"AAA": D(6)})]
    known = evolve(state, ev.EquityMarked("main", "2024-01-02", D(1010), {"AAA": D(6)}), "main")
    assert account.mark(known, marks) == []
    (tomorrow,) = account.mark(known, cmd.MarkEquity("main", {}, NOON + dt.timedelta(days=1)))
    assert tomorrow == ev.EquityMarked("main", "2024-01-03", D(1010), {})
    assert account.mark(AccountState("main"), marks) == []
    held = (ev.OpeningPosition("AAA", D(10), D(5)),)
    unpriced = of(ev.AccountPinned("main", "alpaca", "b-1", True, "USD", D(1000), held, NOON))
    assert account.mark(unpriced, cmd.MarkEquity("main", {}, NOON)) == []


def test_equity_is_unknown_until_the_account_and_every_price_are_known() -> None:
    assert of(booked("10", "5", "10")).equity is None
    assert of(PINNED).equity == 1000
    assert of(PINNED, booked("10", "5", "10")).equity == 1000
    assert of(PINNED, MARKED, booked("10", "5", "10"), deposit("10", "dividend")).opening == 1000
    assert of(PINNED, deposit("10", "dividend")).opening == 1010


# --- the edges ------------------------------------------------------------------------------------------------------


def test_an_amount_of_money_without_a_price_names_the_price() -> None:
    asked = cmd.PlaceOrder(
        "o", "main", "AAA", Side.BUY, None, OrderType.MARKET, None, TimeInForce.DAY, "s", NOON, notional=D(50)
    )
    with pytest.raises(InputError) as refused:
        account.worst_quantity(asked)
    assert (refused.value.field, refused.value.value) == ("reference_price", None)


def test_what_counts_again_is_the_whole_order() -> None:
    known = order(taken(), order_type=OrderType.LIMIT, limit_price=D(7), replaces="x")
    (again,) = account.reserve_again(of(), known)
    assert again == ev.ReservationMade(
        "main", "o", "t", "s", "AAA", Side.BUY, D(10), 0, replaces="x", limit_price=D(7)
    )  # fmt: skip


def test_a_person_who_sets_the_same_limits_changes_nothing() -> None:
    first = ev.LimitsSet("main", limits(3, max_order_qty=D(5)), account.SETTINGS, "why")
    assert of(first).settings_limits == limits(0, max_order_qty=D(5))
    assert account.set_limits(of(first), put(limits(9, max_order_qty=D(5)))) == []


def test_a_stop_that_is_cleared_without_a_time_makes_nothing_quiet() -> None:
    state = of(
        killed(TradingState.HALTED, "day_loss", "60"),
        ev.KillSwitchClearRequested("main", "ann", "fine"),
        ev.KillSwitchCleared("main", "ben", "fine"),
    )
    assert (state.quiet, state.clear_requested_by) == ({}, None)


def test_whoever_goes_on_after_a_drawdown_is_not_stopped_by_the_same_one_again() -> None:
    fallen = (PINNED, MARKED, ev.CashBooked("main", "a", "fee", None, D(-400), NOON))
    cleared = ev.KillSwitchCleared("main", "ben", "fine", NOON)
    assert of(*fallen, killed(TradingState.HALTED, "drawdown"), cleared).peak == 600
    assert of(*fallen, killed(TradingState.HALTED, "manual"), cleared).peak == 1000


def test_an_account_is_told_by_its_broker() -> None:
    state = of(ev.AccountPinned("main", "alpaca", "b-9", False, "EUR", D(5), (), NOON))
    assert (state.broker, state.broker_account_id, state.paper, state.currency) == ("alpaca", "b-9", False, "EUR")


def test_a_day_that_began_with_an_order_begins_with_what_the_account_turns_out_to_be_worth() -> None:
    early = reserved("o", "1", at=NOON, price="5")
    assert of(early).tempo.start is None
    assert of(early, PINNED).tempo.start == 1000
    assert of(PINNED).tempo.start is None, "no day began"
    assert of(PINNED, MARKED, PINNED).tempo.start == 1000


def test_a_day_begins_with_the_first_equity_that_is_known() -> None:
    state = of(PINNED, MARKED)
    assert (state.tempo.start, state.peak, state.marked) == (D(1000), D(1000), D(1000))
    higher = evolve(state, ev.EquityMarked("main", "2024-01-02", D(1200), {}), "main")
    assert (higher.tempo.start, higher.peak, higher.marked) == (D(1000), D(1200), D(1200))
    lower = evolve(higher, ev.EquityMarked("main", "2024-01-02", D(900), {}), "main")
    assert (lower.peak, lower.marked) == (D(1200), D(900))
    tomorrow = evolve(lower, ev.EquityMarked("main", "2024-01-03", D(950), {}), "main")
    assert (tomorrow.tempo.start, tomorrow.tempo.day) == (D(900), dt.date(2024, 1, 3))


def test_the_price_of_an_order_counts_until_the_market_has_one() -> None:
    first = of(reserved("o", "10", price="5"))
    assert first.exposure.marks == {"AAA": D(5)}
    assert evolve(first, reserved("o2", "1", price="6"), "main").exposure.marks == {"AAA": D(5)}
    assert of(reserved("o", "10")).exposure.marks == {}


def test_an_order_that_reserves_nothing_is_released_without_a_trace() -> None:
    state = of(reserved("o", "10"))
    assert evolve(state, released("other"), "main") == state


def test_lots_that_are_not_what_was_recorded_are_a_broken_invariant() -> None:
    wrong = ev.AdjustmentBooked("main", "AAA", D(3), D(0), D(0), D(4), (ev.OpenLot("d", D(3), D(5)),), "d", D(5), "why")
    with pytest.raises(InvariantViolated, match="lots of 3 are recorded as 4"):
        of(wrong)


def test_cash_that_a_person_took_over_touches_no_symbol() -> None:
    state = of(PINNED, adjusted("", "0", "25", "0"))
    assert (dict(state.exposure.books), dict(state.exposure.marks), dict(state.positions)) == ({}, {}, {})


def test_another_day_is_marked_though_nothing_moved() -> None:
    priced = of(PINNED, booked("10", "5", "10"), ev.EquityMarked("main", "2024-01-02", D(1000), {"AAA": D(5)}))
    same = cmd.MarkEquity("main", {"AAA": D(5)}, NOON)
    assert account.mark(priced, same) == []
    moved = evolve(priced, deposit("10", "dividend"), "main")
    assert account.mark(moved, same) == [ev.EquityMarked("main", "2024-01-02", D(1010), {"AAA": D(5)})]
