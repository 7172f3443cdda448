"""What is no fill is in the books too, and beancount accepts it: busts, splits, dividends, adjustments."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.books.bean_check import complaints, written
from tests.ledger.desk import NOON, Desk
from tests.ledger.revisions import Told, tell
from tradecore.books import read_books
from tradecore.domain import commands as cmd
from tradecore.verify import verify


def activity(desk: Desk, name: str, kind: str, amount: str, quantity: str = "0") -> None:
    desk.give(cmd.BookActivity("main", name, kind, "SPY", Decimal(amount), Decimal(quantity), NOON, "{}"))


def test_bean_check_accepts_books_with_everything_that_is_no_fill(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    desk.pin()
    first = desk.live("buy", "10")
    tell(desk, Told(first, "x1", "10", "100", "10", "0.5"))
    second = desk.live("sell", "7")
    tell(desk, Told(second, "x2", "7", "110", "7"))
    activity(desk, "d", "dividend", "3.25")
    activity(desk, "owed", "dividend", "-0.75")
    activity(desk, "in", "deposit", "1000")
    activity(desk, "fee", "fee", "-0.02")
    tell(desk, Told(second, "b2", "7", "110", "0", revises="x2", busts=True, second=9))
    activity(desk, "split", "split", "0", "20")
    tell(desk, Told(desk.live("sell", "4"), "x3", "4", "40", "4"))
    desk.give(cmd.BookAdjustment("main", "diff", "SPY", Decimal(-1), Decimal(30), Decimal(0), "lost"))
    desk.give(cmd.BookAdjustment("main", "coin", "", Decimal(0), Decimal(0), Decimal("0.01"), "found"))
    assert verify(desk.ledger.journal).findings == ()
    book = read_books(desk.ledger.journal)["main"]
    assert book.trial_balance().is_balanced
    assert book.statement().closing_cash == desk.account.cash
    assert complaints(written([book]), tmp_path) is None
