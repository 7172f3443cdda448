"""The loss of a day, when a person takes over what the broker says."""

from __future__ import annotations

from decimal import Decimal

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd

D = Decimal


def adjusted(desk: Desk, symbol: str, qty: str, price: str, cash: str) -> None:
    name = f"d-{symbol}-{qty}-{cash}"
    desk.give(cmd.BookAdjustment("main", name, symbol, D(qty), D(price), D(cash), "as it is there"))


def losses(desk: Desk) -> tuple[Decimal, Decimal]:
    """Since the day began, and since the peak."""
    start, peak, equity = desk.account.tempo.start, desk.account.peak, desk.account.equity
    assert start is not None
    assert peak is not None
    assert equity is not None
    return start - equity, peak - equity


def test_what_a_person_takes_over_is_neither_a_gain_nor_a_loss_of_the_day() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "100", "100")
    desk.mark(SPY="100")
    desk.mark(SPY="60")
    assert losses(desk) == (D(4000), D(4000))
    for symbol, qty, price, cash in (("", "0", "0", "50000"), ("SPY", "10", "60", "0"), ("SPY", "-5", "60", "0")):
        adjusted(desk, symbol, qty, price, cash)
        assert losses(desk) == (D(4000), D(4000))
