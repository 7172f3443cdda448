"""Verification compares the books with the accounts, and finds what differs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tests.books.stories import book_of, events_of
from tests.ledger.desk import Desk
from tests.views.vandal import Vandal, trade_for_an_hour
from tradecore.books.agreement import Agreement, differences
from tradecore.books.standing import Standing
from tradecore.domain.account import AccountState
from tradecore.domain.position import Lot, Position
from tradecore.domain.values import plus


def _other_lot(state: AccountState) -> AccountState:
    held = state.positions["QQQ"]
    return attrs.evolve(state, positions={**state.positions, "QQQ": Position((Lot("x", *_of(held)),), held.quantity)})


def _of(position: Position) -> tuple[Decimal, Decimal]:
    (lot,) = position.lots
    return lot.quantity, lot.price


@pytest.mark.parametrize(
    ("falsify", "words"),
    [
        (lambda state: attrs.evolve(state, cash=plus(state.cash, Decimal("1e-18"))), "cash is booked as"),
        (lambda state: attrs.evolve(state, fees=Decimal(1)), "fees is booked as"),
        (lambda state: attrs.evolve(state, realised_pnl=Decimal(1)), "realised profit is booked as"),
        (lambda state: attrs.evolve(state, positions={}), "lots of IBM is booked as"),
        (_other_lot, "lots of QQQ is booked as"),
    ],
)
def test_any_difference_to_the_account_is_named(falsify: Callable[[AccountState], AccountState], words: str) -> None:
    desk = Desk.in_memory()
    trade_for_an_hour(desk)
    standing = Standing.after(book_of(desk).entries)
    assert differences(standing, desk.account) == []
    assert words in differences(standing, falsify(desk.account))[0]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("trade.position.opened", '"cash_delta":"-502.50"', '"cash_delta":"-502.51"'),
        ("trade.position.closed", '"realised_pnl":"', '"realised_pnl":"1'),
        ("trade.position.closed", '"entry_price":"50.25"', '"entry_price":"50.2"'),
        ("trade.position.opened", '"fill_id":"', '"fill_id":"x'),
    ],
)
def test_verify_finds_an_event_that_cannot_be_booked(tmp_path: Path, name: str, old: str, new: str) -> None:
    vandal = Vandal.with_trading(tmp_path / "ledger.db")
    assert vandal.found() == set()
    vandal.edit(name, old, new)
    assert "double entry" in vandal.found()


def test_the_books_of_an_account_end_at_the_first_event_that_cannot_be_booked() -> None:
    desk = Desk.in_memory()
    trade_for_an_hour(desk)
    agreement = Agreement()
    for recorded in events_of(desk):
        if recorded.envelope.name != "trade.fill.recorded":
            agreement.take(recorded)
    ((subject, message),) = agreement.differences([desk.account])
    assert subject == "account-main"
    assert "its books end at position 14" in message
