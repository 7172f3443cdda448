"""Trades, positions and cash: what fills mean, and that it always adds up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.values import Side
from tradecore.errors import WrongAccount

D = Decimal


def test_a_round_trip_closes_its_trade_with_the_profit_net_of_fees(desk: Desk) -> None:
    desk.pin(cash="1000")
    entry = desk.live("buy", "10")
    desk.fill(entry, "10", "50", fees="0.30")
    exit_ = desk.live("sell", "10")
    desk.fill(exit_, "10", "55", fees="0.20")
    trade = desk.trade_of(entry)
    assert desk.trade_of(exit_).trade_id == trade.trade_id
    assert (trade.status, trade.realised_pnl, trade.fees) == ("closed", D("49.5"), D("0.5"))
    assert desk.account.cash == D("1049.5")
    assert desk.account.positions == {}


def test_a_short_round_trip_earns_when_the_price_falls(desk: Desk) -> None:
    desk.pin(cash="1000")
    entry = desk.done("sell", "10", "50")
    assert desk.account.position("SPY").quantity == -10
    desk.done("buy", "10", "45")
    assert desk.trade_of(entry).realised_pnl == 50
    assert desk.account.cash == 1050


def test_a_fill_through_zero_closes_one_trade_and_begins_the_next(desk: Desk) -> None:
    desk.pin()
    entry = desk.done("buy", "10", "50")
    desk.done("sell", "25", "60")
    first = desk.trade_of(entry)
    assert (first.status, first.realised_pnl) == ("closed", D(100))
    holding = desk.account.holdings["test", "SPY"]
    assert holding.trade_id != first.trade_id
    assert holding.quantity == -15
    last = desk.done("buy", "15", "50")
    assert desk.ledger.trade(holding.trade_id).status == "closed"  # type: ignore[union-attr]
    assert desk.order(last).trade_id == holding.trade_id
    assert desk.account.realised_pnl == 100 + 150


def test_partial_fills_through_zero_go_on_in_the_next_trade(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "50")
    flip = desk.live("sell", "20")
    for _ in range(4):
        desk.fill(flip, "5", "60")
    assert desk.account.position("SPY").quantity == -10
    assert desk.account.holdings["test", "SPY"].quantity == -10
    assert desk.account.reservations == {}


def test_a_trade_stays_open_while_an_entry_still_works(desk: Desk) -> None:
    desk.pin()
    first = desk.done("buy", "10", "50")
    second = desk.live("buy", "5")
    desk.done("sell", "10", "55")
    assert desk.trade_of(first).status != "closed"
    desk.report(second, "canceled", at=1)
    assert desk.trade_of(first).status == "closed"


def test_strategies_hold_the_same_symbol_apart(desk: Desk) -> None:
    desk.pin()
    a = desk.done("buy", "10", "50", strategy="a")
    b = desk.done("sell", "4", "50", strategy="b")
    assert desk.order(a).trade_id != desk.order(b).trade_id
    assert desk.account.held("a", "SPY") == 10
    assert desk.account.held("b", "SPY") == -4
    assert desk.account.position("SPY").quantity == 6


def test_an_exit_carries_the_trace_of_its_entry(desk: Desk) -> None:
    desk.pin()
    entry = desk.done("buy", "10", "50")
    exit_ = desk.done("sell", "10", "50")
    events = desk.ledger.journal.read(0, 1000)
    traces = {e.envelope.trace_id for e in events if e.envelope.stream in (f"order-{entry}", f"order-{exit_}")}
    assert len(traces) == 1


def test_every_event_has_trace_cause_and_actor(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "50")
    seen: set[str] = set()
    for recorded in desk.ledger.journal.read(0, 1000):
        envelope = recorded.envelope
        assert len(envelope.trace_id) == 32
        assert envelope.actor
        assert envelope.correlation_id
        assert envelope.causation_id is None or envelope.causation_id in seen
        seen.add(envelope.event_id)


def test_slippage_is_what_the_entry_cost_against_the_decision_price(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "10", reference_price=D(50))
    events = desk.fill(order, "10", "50.02")
    slippage = [e.event.slippage for e in events if e.envelope.name == "trade.trade.filled"]  # type: ignore[attr-defined]
    assert slippage == [D("0.20")]


def test_the_books_begin_with_what_the_broker_held(desk: Desk) -> None:
    desk.pin(cash="500", positions=[("IBM", "3", "100")])
    desk.done("sell", "3", "110", symbol="IBM")
    assert desk.account.positions == {}
    assert desk.account.cash == 830
    assert desk.account.realised_pnl == 30


def test_another_broker_account_is_refused_for_ever(desk: Desk) -> None:
    desk.pin()
    with pytest.raises(WrongAccount, match="broker-account-1"):
        desk.pin(account="another")
    with pytest.raises(WrongAccount, match="paper"):
        desk.pin(paper=False)


@pytest.mark.parametrize(
    ("limits", "order", "refused_by"),
    [
        ({"qty": "10"}, {"qty": "10"}, None),
        ({"qty": "10"}, {"qty": "10.000000001"}, "max_order_qty"),
        ({"qty": "0"}, {"qty": "0.000000001"}, "max_order_qty"),
        ({"notional": "1000"}, {"qty": "10", "limit": "100"}, None),
        ({"notional": "1000"}, {"qty": "10", "limit": "100.01"}, "max_order_notional"),
        ({"notional": "1000"}, {"qty": "1"}, "max_order_notional"),
        ({"orders": 1}, {"qty": "1"}, None),
        ({"orders": 0}, {"qty": "1"}, "max_open_orders"),
    ],
)
def test_a_limit_refuses_what_is_above_it_and_nothing_else(
    desk: Desk, limits: dict[str, object], order: dict[str, str], refused_by: str | None
) -> None:
    """Zero means zero, and a price that is not known cannot be shown to be within a limit."""
    desk.limit(**limits)  # type: ignore[arg-type]
    order_id = desk.place("buy", **order)
    if refused_by is None:
        assert desk.order(order_id).status == "queued"
        return
    assert desk.ledger.order(order_id) is None
    breaches = [e.event for e in desk.ledger.journal.read(0) if e.envelope.name == "risk.limit.breached"]
    assert [breach.rule for breach in breaches] == [refused_by]  # type: ignore[attr-defined]


def test_a_decision_is_executed_once_however_often_it_is_made(desk: Desk) -> None:
    desk.pin()
    proposal = cmd.Proposal("d-1", "test", "SPY", Side.BUY, D(1), D(50), desk.clock.now(), "because")
    first = desk.place("buy", "1", proposal=proposal, order_id="00000000-0000-0000-0000-000000000001")
    head = desk.ledger.journal.head()
    desk.place("buy", "1", proposal=proposal, order_id=first)
    assert desk.ledger.journal.head() == head


def test_an_amount_of_many_digits_is_booked_to_the_last_one(desk: Desk) -> None:
    """A unary minus on a Decimal rounds to 28 digits; the books do not."""
    desk.pin(cash="0")
    desk.done("buy", "1234567.123456789", "12345.123456789")
    assert desk.account.cash.copy_abs() == desk.account.position("SPY").cost


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 40),
        st.sampled_from(["SPY", "IBM"]),
        st.sampled_from(["a", "b"]),
        st.lists(st.integers(1, 20), min_size=0, max_size=3),
        st.decimals("0.01", "900", places=2),
        st.sampled_from(["canceled", "expired", None]),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_books_balance_after_any_story(
    story: list[tuple[str, int, str, str, list[int], Decimal, str | None]],
) -> None:
    """Cash, positions, holdings and trades agree with the plain sum of fills, and nothing stays reserved."""
    desk = Desk.in_memory()
    desk.pin(cash="100000")
    cash, held = D(100_000), {"SPY": D(0), "IBM": D(0)}
    for side, quantity, symbol, strategy, parts, price, ending in story:
        order = desk.live(side, str(quantity), symbol, strategy=strategy)
        filled = 0
        for part in parts:
            size = min(part, quantity - filled)
            if size:
                desk.fill(order, str(size), str(price), fees="0.01")
                filled += size
                sign = 1 if side == "buy" else -1
                cash += -sign * size * price - D("0.01")
                held[symbol] += sign * size
        if filled < quantity:
            desk.report(order, ending or "canceled", filled=str(filled), at=1)
        assert desk.order(order).filled_qty == filled
        assert desk.order(order).is_settled
    account = desk.account
    assert account.cash == cash
    assert account.reservations == {}
    for symbol, total in held.items():
        assert account.position(symbol).quantity == total
        assert account.held("a", symbol) + account.held("b", symbol) == total
    open_by_trades = {symbol: D(0) for symbol in held}
    realised = D(0)
    for stream in {e.envelope.stream for e in desk.ledger.journal.read(0, 100_000)}:
        if stream.startswith("trade-"):
            trade = desk.ledger.trade(stream.removeprefix("trade-"))
            assert trade is not None
            assert trade.working_orders == ()
            assert (trade.position.quantity == 0) == (trade.status in ("closed", "abandoned"))
            open_by_trades[trade.symbol] += trade.position.quantity
            realised += trade.realised_pnl
    assert open_by_trades == held
    if not account.holdings:  # every strategy is flat, so every trade has its outcome
        assert realised == account.realised_pnl == account.cash - 100_000
