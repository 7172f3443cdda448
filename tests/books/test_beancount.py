"""The beancount export: accepted as it is, refused as soon as one figure in it is false."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books.bean_check import complaints, written
from tests.books.stories import PINNED, STORIES, Step, book_of, play
from tests.ledger.desk import Desk
from tests.views.vandal import trade_for_an_hour
from tradecore.books import export_beancount, read_books
from tradecore.domain.values import minus
from tradecore.errors import InputError

ONE_DIRECTORY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIGURE = re.compile(r"(?<= )-?[0-9]+(?:\.[0-9]+)?(?= [A-Z~])|(?<=\{)[0-9]+(?:\.[0-9]+)?(?= [A-Z])")


def figures(text: str) -> list[re.Match[str]]:
    """Every amount, number of units and price of the file, asserted balances too; not the tolerances."""
    found = []
    for line in re.finditer(r"^(  [A-Z]|[0-9-]+ balance ).*$", text, re.MULTILINE):
        found += [m for m in FIGURE.finditer(text, line.start(), line.end()) if text[m.start() - 2] != "~"]
    return found


@ONE_DIRECTORY
@given(story=STORIES, openings=PINNED)
def test_bean_check_accepts_the_books_of_any_story(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]], tmp_path: Path
) -> None:
    assert complaints(written([book_of(play(story, openings))]), tmp_path) is None


@ONE_DIRECTORY
@given(story=STORIES, openings=PINNED, data=st.data())
def test_bean_check_refuses_any_changed_figure(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]], data: st.DataObject, tmp_path: Path
) -> None:
    """One step in the last place of any one number."""
    text = written([book_of(play(story, openings))])
    figure = data.draw(st.sampled_from(figures(text)))
    last = figure.end() - 1
    changed = str((int(text[last]) + 1) % 10)
    assert complaints(text[:last] + changed + text[last + 1 :], tmp_path) is not None


@ONE_DIRECTORY
@given(story=STORIES, openings=PINNED, data=st.data())
def test_bean_check_refuses_a_file_without_one_of_its_transactions(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]], data: st.DataObject, tmp_path: Path
) -> None:
    parts = written([book_of(play(story, openings))]).split("\n\n")
    gone = data.draw(st.integers(2, len(parts) - 2))
    assert complaints("\n\n".join(parts[:gone] + parts[gone + 1 :]), tmp_path) is not None


def test_the_command_accepts_the_file_and_refuses_it_with_another_closing_balance(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    trade_for_an_hour(desk)
    file = tmp_path / "books.beancount"
    assert export_beancount(desk.ledger.journal, file) == 5
    command = [str(Path(sys.executable).with_name("bean-check")), "--no-cache", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    text = file.read_text(encoding="utf-8")
    cash = f"Cash  {desk.account.cash.normalize():f} ~ 0"
    assert cash in text
    file.write_text(text.replace(cash, f"Cash  {desk.account.cash + 1:f} ~ 0"), encoding="utf-8")
    refused = subprocess.run(command, capture_output=True, check=False, text=True)
    assert refused.returncode == 1
    assert "Balance failed for 'Assets:Account-main:Cash'" in refused.stderr


def test_a_ledger_without_books_is_an_empty_file_that_is_accepted(tmp_path: Path) -> None:
    assert complaints(written([]), tmp_path) is None
    desk = Desk.in_memory()
    desk.pin(cash="0")
    assert complaints(written(read_books(desk.ledger.journal).values()), tmp_path) is None


@pytest.mark.parametrize(
    "symbol", ["T", "BRK.B", "BTC/USD", "BF-B", "TRUE", "NULL", "USD", "9988.HK", "aapl", "S", "S'X", "A B", 'Q"\\é.']
)
@pytest.mark.parametrize("quantity", ["2", "-2"])
def test_any_symbol_can_be_exported(symbol: str, quantity: str, tmp_path: Path) -> None:
    desk = Desk.in_memory()
    desk.pin(positions=[(symbol, quantity, "10"), ("SPY", "1", "1")])
    assert complaints(written([book_of(desk)]), tmp_path) is None


def test_amounts_of_more_digits_than_beancount_computes_with_are_refused(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    desk.pin(cash="100000000000")
    desk.done("buy", "0.000000001", "0.000000001")
    with pytest.raises(InputError, match="28 digits"):
        export_beancount(desk.ledger.journal, tmp_path / "books.beancount")
    assert list(tmp_path.iterdir()) == []


def test_accounts_of_one_ledger_are_apart_in_one_file(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    desk.pin(positions=[("SPY", "1", "10")])
    (book,) = read_books(desk.ledger.journal).values()
    other = type(book)("second account", book.currency, book.entries, book.head)
    text = written([book, other])
    assert "Assets:Account-second-u20-account:Securities:SPY" in text
    assert complaints(text, tmp_path) is None
    assert minus(book.statement().closing_cash, other.statement().closing_cash) == 0
