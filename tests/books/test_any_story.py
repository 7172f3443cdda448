"""After any story and at every position of it, the books balance and say what the domain says, to the last decimal."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings

from tests.books.stories import PINNED, STORIES, Step, accounts_by_position, book_of, events_of, play
from tradecore.books import books_of
from tradecore.books.entries import totals
from tradecore.verify import verify


@settings(max_examples=80, deadline=None)
@given(STORIES, PINNED)
def test_every_entry_and_every_trial_balance_is_zero(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]]
) -> None:
    book = book_of(play(story, openings))
    for entry in book.entries:
        assert set(totals(entry.postings).values()) == {0}
        assert book.trial_balance(entry.position).is_balanced


@settings(max_examples=80, deadline=None)
@given(STORIES, PINNED)
def test_the_statement_is_the_account_at_every_position(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]]
) -> None:
    desk = play(story, openings)
    book = book_of(desk)
    for position, account in accounts_by_position(desk):
        statement = book.statement(position)
        assert statement.closing_cash == account.cash
        assert statement.positions == account.positions
        assert (statement.realised_pnl, statement.fees) == (account.realised_pnl, account.fees)
        assert statement.realised_pnl == statement.gross_pnl - statement.fees
        assert statement.closing_cash == statement.opening_cash + sum(line.amount for line in statement.movements)
        assert not statement.movements or statement.movements[-1].balance == statement.closing_cash


@settings(max_examples=25, deadline=None)
@given(STORIES, PINNED)
def test_the_books_as_of_a_position_are_the_fold_up_to_it(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]]
) -> None:
    desk = play(story, openings)
    events, book = events_of(desk), book_of(desk)
    for entry in book.entries:
        for position in (entry.position, entry.position - 1):
            then = books_of(events[:position]).get("main")
            assert book.until(position) == (then.entries if then else ())
            if then is not None:
                assert book.statement(position) == then.statement()
                assert book.trial_balance(position) == then.trial_balance()


@settings(max_examples=40, deadline=None)
@given(STORIES, PINNED)
def test_the_books_as_of_a_moment_are_the_books_as_of_some_position(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]]
) -> None:
    book = book_of(play(story, openings))
    for entry in book.entries:
        then = book.until(entry.time)
        assert then == book.entries[: len(then)]
        assert book.trial_balance(entry.time).is_balanced


@settings(max_examples=40, deadline=None)
@given(STORIES, PINNED)
def test_verification_finds_nothing(story: Sequence[Step], openings: Sequence[tuple[str, str, str]]) -> None:
    assert verify(play(story, openings).ledger.journal).findings == ()
