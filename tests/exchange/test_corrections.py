"""Executions taken back or told anew, and corporate actions; on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    bar,
    bracket,
    done,
    entered,
    exchange_with,
    flat,
    holding,
    legs_of,
    no,
    quote,
    refused,
    row,
    wish,
)
from tradecore_exchange import Exchange
from tradecore_exchange.corrections import position_of

Ten = Decimal(10)


def executions(exchange: Exchange) -> list[str]:
    return [one.execution_id for one in exchange.activities if one.kind == "FILL"]


def test_a_busted_execution_never_was() -> None:
    exchange = exchange_with(fee_per_share=Decimal("0.01"))
    holding(exchange, "buy")
    first = entered(exchange, wish(qty="5"))
    exchange.on_bar(flat(1, "12"))
    (update,) = done(exchange.bust(executions(exchange)[1]))
    assert row(update.event, update.qty, update.price, update.position_qty) == ("trade_bust", 5, 12, 10)
    assert update.previous_execution_id == executions(exchange)[1]
    assert update.execution_id not in executions(exchange)[:2]
    assert row(first.status, first.filled_qty, first.filled_avg_price, first.commission) == ("filled", 0, None, 0)
    assert exchange.account.cash == Decimal("99899.9")
    position = exchange.account.positions["AAPL"]
    assert row(position.qty, position.cost) == (10, 100)
    assert [(one.kind, one.execution_type) for one in exchange.activities][-2:] == [("FILL", "trade_bust"), ("FEE", "")]


def test_a_bust_of_everything_leaves_nothing() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    done(exchange.bust(executions(exchange)[0]))
    assert row(exchange.account.positions, exchange.account.cash) == ({}, 100_000)


def test_legs_for_which_a_correction_left_nothing_end_as_they_were_entered() -> None:
    exchange = exchange_with(wash_trade_check=False)
    entered(exchange, bracket(qty="10"))
    exchange.on_bar(flat())
    done(exchange.correct(executions(exchange)[0], Decimal(4), Ten))
    later = entered(exchange, bracket(qty="3"))
    exchange.on_bar(flat(1))
    assert row(later.status, exchange.account.position_qty("AAPL")) == ("filled", 7)
    assert [row(leg.status, leg.qty, leg.filled_qty) for leg in legs_of(exchange, later)] == [("canceled", 3, 0)] * 2


def test_what_was_busted_is_not_traded_again() -> None:
    exchange = exchange_with(volume_share=Decimal("0.004"))
    order = entered(exchange, wish())
    exchange.on_bar(flat())
    done(exchange.bust(executions(exchange)[0]))
    assert row(order.filled_qty, order.leaves_qty, order.status) == (0, 6, "partially_filled")
    exchange.on_bar(flat(1))
    exchange.on_bar(flat(2))
    assert row(order.filled_qty, order.leaves_qty, order.status) == (6, 0, "filled")


def test_a_corrected_execution_was_another() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    (update,) = done(exchange.correct(executions(exchange)[0], Decimal(8), Decimal("10.50")))
    assert row(update.event, update.qty, update.price, update.position_qty) == ("trade_correct", 8, Decimal("10.50"), 8)
    position = exchange.account.positions["AAPL"]
    assert row(position.qty, position.cost, exchange.account.cash) == (8, 84, 99_916)
    assert row(update.order.filled_qty, update.order.filled_avg_price) == (8, Decimal("10.5"))
    again = done(exchange.correct(executions(exchange)[1], Ten, Ten))
    assert again[0].previous_execution_id == update.execution_id
    done(exchange.bust(executions(exchange)[2]))
    assert row(exchange.account.positions, exchange.account.cash) == ({}, 100_000)


def test_only_an_execution_that_counts_is_taken_back() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    (execution,) = executions(exchange)
    assert no(exchange.bust("nothing")) == (404, 40410000, "execution not found for nothing")
    done(exchange.bust(execution))
    assert no(exchange.bust(execution))[0] == 404
    assert no(exchange.correct(execution, Ten, Ten))[0] == 404
    other = exchange_with()
    holding(other, "buy")
    done(other.split("AAPL", Decimal(2)))
    assert no(other.bust(executions(other)[0])) == (422, 42210000, "execution is from before a split")


def test_the_fee_in_kind_comes_back_with_its_bust() -> None:
    exchange = exchange_with()
    holding(exchange, "buy", symbol="BTC/USD", tif="gtc")
    done(exchange.bust(executions(exchange)[0]))
    assert row(exchange.account.positions, exchange.account.cash) == ({}, 100_000)


@pytest.mark.parametrize(
    ("side", "ratio", "qty", "price"), [("buy", "2", "20", "5"), ("buy", "0.1", "1", "100"), ("sell", "2", "-20", "5")]
)
def test_a_split_changes_shares_and_prices_and_not_what_was_paid(side: str, ratio: str, qty: str, price: str) -> None:
    exchange = exchange_with()
    holding(exchange, side)
    equity = exchange.account.equity(exchange.prices)
    done(exchange.split("AAPL", Decimal(ratio)))
    position = exchange.account.positions["AAPL"]
    assert row(position.qty, abs(position.cost), exchange.prices["AAPL"]) == (Decimal(qty), 100, Decimal(price))
    assert exchange.account.equity(exchange.prices) == equity
    last = exchange.activities[-1]
    assert row(last.kind, last.symbol, exchange.account.position_qty("AAPL") - last.qty) == (
        "SPLIT",
        "AAPL",
        10 if side == "buy" else -10,
    )


def test_a_split_cancels_the_orders_of_its_symbol() -> None:
    exchange = exchange_with()
    exchange.on_quote(quote())
    entered(exchange, bracket(limit="5", loss="4"))
    entered(exchange, wish(limit="5", symbol="MSFT"))
    updates = done(exchange.split("AAPL", Decimal(2)))
    assert [(one.event, one.reason) for one in updates] == [("canceled", "CORPORATE_ACTION")] * 3
    assert len(list(exchange.book.open())) == 1
    # The quote was one of the old shares.
    assert entered(exchange, wish()).status == "new"


@pytest.mark.parametrize(("side", "amount"), [("buy", "3.33"), ("sell", "-3.33")])
def test_a_dividend_is_paid_on_a_long_and_charged_on_a_short(side: str, amount: str) -> None:
    exchange = exchange_with()
    holding(exchange, side)
    cash = exchange.account.cash
    done(exchange.dividend("AAPL", Decimal("0.333")))
    assert exchange.account.cash - cash == Decimal(amount)
    last = exchange.activities[-1]
    assert (last.kind, last.net_amount, last.per_share_amount) == ("DIV", Decimal(amount), Decimal("0.333"))
    done(exchange.dividend("MSFT", Decimal(1)))
    assert exchange.activities[-1] is last


def test_fees_and_journals_move_the_cash() -> None:
    exchange = exchange_with()
    done(exchange.fee(Decimal("1.25")))
    done(exchange.journal(Decimal(-500)))
    assert exchange.account.cash == Decimal("99498.75")
    assert [(one.kind, one.net_amount) for one in exchange.activities] == [
        ("FEE", Decimal("-1.25")),
        ("JNLC", Decimal(-500)),
    ]
    assert refused(exchange, wish(limit="40000")).extras["buying_power"] == "397995"


def test_the_history_of_an_account_amounts_to_its_position() -> None:
    exchange = exchange_with(volume_share=Decimal("0.004"))
    for minute, price in enumerate(("10", "11", "12.50", "9")):
        entered(exchange, wish("sell" if minute == 2 else "buy", "3"))
        exchange.on_bar(bar(minute, price, "13", "8", price))
    done(exchange.split("AAPL", Decimal("1.5")))
    assert position_of("AAPL", exchange.activities) == exchange.account.positions["AAPL"]
