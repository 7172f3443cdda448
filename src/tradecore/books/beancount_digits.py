"""Whether beancount can compute with the amounts: its numbers have 28 digits, ours have as many as they need."""

from __future__ import annotations

from collections.abc import Sequence

from tradecore.books.entries import Entry
from tradecore.books.standing import Standing
from tradecore.errors import InputError

DIGITS = 28
"""Precision of Python's default decimal context, which beancount computes in."""


def check_digits(entries: Sequence[Entry]) -> None:
    """Raises `InputError` when a sum of these entries could be rounded there: the file would not balance."""
    standing = Standing()
    before, behind = 1, 0
    for entry in entries:
        standing.take(entry)
        for posting in entry.postings:
            balance = standing.balances[posting.account, posting.currency]
            for amount in (posting.amount, balance):
                before = max(before, amount.adjusted() + 1)
                behind = max(behind, -int(amount.as_tuple().exponent))
            if before + behind > DIGITS:
                raise InputError(
                    "amount", posting.amount, f"amounts and balances that {DIGITS} digits can hold, as in beancount"
                )
