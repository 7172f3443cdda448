"""Journal entries: postings that sum to zero in every currency, each entry with the event that it books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.domain.values import ZERO, plus, times
from tradecore.errors import CorruptLedger


@attrs.frozen
class LotMove:
    """What a posting does to one lot. `quantity` is the signed change; `price` is the lot's cost per unit.

    `opened_by` is the fill that opened the lot, or `opening`. A move that does not close opens a lot.
    """

    symbol: str
    opened_by: str
    quantity: Decimal
    price: Decimal
    closes: bool

    @property
    def cost(self) -> Decimal:
        """Signed change of the cost of what is held."""
        return times(self.quantity, self.price)


@attrs.frozen
class Posting:
    """One leg of an entry. `amount` above zero is a debit, below zero a credit; `lot` only for securities."""

    account: str
    amount: Decimal
    currency: str
    lot: LotMove | None = None


@attrs.frozen
class Entry:
    """What one event did to the money of a trading account. Raises `CorruptLedger` when it does not sum to zero.

    `time` is when the fill, or what else it books, happened at the broker; where nobody says, when it was recorded.
    `is_opening` marks the entry with which the books begin.
    """

    account: str
    event_id: str
    position: int
    time: dt.datetime
    trace_id: str
    fill_id: str | None
    description: str
    postings: tuple[Posting, ...]
    is_opening: bool = False

    def __attrs_post_init__(self) -> None:
        for currency, total in totals(self.postings).items():
            if total:
                raise CorruptLedger(
                    f"event {self.position} ({self.description}) is out of balance by {total} {currency}"
                )


def totals(postings: Iterable[Posting]) -> dict[str, Decimal]:
    """The sum of postings by currency."""
    sums: dict[str, Decimal] = {}
    for posting in postings:
        sums[posting.currency] = plus(sums.get(posting.currency, ZERO), posting.amount)
    return sums
