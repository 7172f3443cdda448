"""The statement of a trading account: opening cash, every movement, what was earned and paid, what is held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from tradecore.books.chart import CASH
from tradecore.books.entries import Entry
from tradecore.books.standing import Standing
from tradecore.domain.position import Position
from tradecore.domain.values import ZERO, plus


@attrs.frozen
class CashMovement:
    """A line of the statement. `amount` above zero came in; `balance` is the cash after it."""

    time: dt.datetime
    position: int
    description: str
    amount: Decimal
    balance: Decimal


@attrs.frozen
class Statement:
    """Amounts in account currency, exact. `position` is the last event of the ledger that is in it, 0 for none.

    `gross_pnl` is the profit of closed lots before `fees`; `realised_pnl` is after them. `positions` are at cost.
    """

    account: str
    currency: str
    position: int
    opening_cash: Decimal
    movements: tuple[CashMovement, ...]
    closing_cash: Decimal
    gross_pnl: Decimal
    fees: Decimal
    realised_pnl: Decimal
    positions: Mapping[str, Position]

    @classmethod
    def after(cls, account: str, currency: str, entries: Sequence[Entry]) -> Statement:
        """The statement after these entries."""
        standing = Standing.after(entries)
        return cls(
            account=account,
            currency=currency,
            position=entries[-1].position if entries else 0,
            opening_cash=standing.opening_cash,
            movements=tuple(_movements(entries)),
            closing_cash=standing.cash,
            gross_pnl=standing.gross_pnl,
            fees=standing.fees,
            realised_pnl=standing.realised_pnl,
            positions=standing.positions,
        )


def _movements(entries: Sequence[Entry]) -> list[CashMovement]:
    found: list[CashMovement] = []
    balance = ZERO
    for entry in entries:
        for posting in entry.postings:
            if posting.account != CASH:
                continue
            balance = plus(balance, posting.amount)
            if not entry.is_opening:
                line = CashMovement(entry.time, entry.position, entry.description, posting.amount, balance)
                found.append(line)
    return found
