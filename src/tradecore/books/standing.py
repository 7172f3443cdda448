"""Where the books of one trading account stand: the balance of every account, and the lots."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.books.chart import CASH, FEES, REALISED_PNL
from tradecore.books.entries import Entry, LotMove
from tradecore.domain.position import Lot, Position
from tradecore.domain.values import ZERO, minus, plus
from tradecore.errors import CorruptLedger


@attrs.define
class Standing:
    """The sums of the entries so far, and nothing that is not in an entry."""

    balances: dict[tuple[str, str], Decimal] = attrs.field(factory=dict)
    opening_cash: Decimal = ZERO
    _lots: dict[str, list[Lot]] = attrs.field(factory=dict)

    @classmethod
    def after(cls, entries: Iterable[Entry]) -> Standing:
        """The standing after these entries."""
        standing = cls()
        for entry in entries:
            standing.take(entry)
        return standing

    def take(self, entry: Entry) -> None:
        """Add an entry. Raises `CorruptLedger` when it closes a lot that is not open."""
        for posting in entry.postings:
            key = (posting.account, posting.currency)
            self.balances[key] = plus(self.balances.get(key, ZERO), posting.amount)
            if entry.is_opening and posting.account == CASH:
                self.opening_cash = plus(self.opening_cash, posting.amount)
            if posting.lot is not None:
                self._move(posting.lot, entry)

    def balance(self, account: str) -> Decimal:
        """The balance of an account of the chart; a debit is above zero."""
        total = ZERO
        for (name, _), amount in self.balances.items():
            if name == account:
                total = plus(total, amount)
        return total

    @property
    def cash(self) -> Decimal:
        """Money at the broker."""
        return self.balance(CASH)

    @property
    def fees(self) -> Decimal:
        """What executions cost so far."""
        return self.balance(FEES)

    @property
    def gross_pnl(self) -> Decimal:
        """Profit of closed lots so far, before fees."""
        return minus(ZERO, self.balance(REALISED_PNL))

    @property
    def realised_pnl(self) -> Decimal:
        """The same after fees: what `AccountState.realised_pnl` says."""
        return minus(self.gross_pnl, self.fees)

    @property
    def positions(self) -> dict[str, Position]:
        """Open positions by symbol, their lots oldest first."""
        return {symbol: _position(lots) for symbol, lots in self._lots.items() if lots}

    def _move(self, move: LotMove, entry: Entry) -> None:
        lots = self._lots.setdefault(move.symbol, [])
        if not move.closes:
            lots.append(Lot(move.opened_by, move.quantity, move.price))
            return
        for place, lot in enumerate(lots):
            if (lot.opened_by, lot.price) == (move.opened_by, move.price):
                left = plus(lot.quantity, move.quantity)
                if left and (left > 0) != (lot.quantity > 0):
                    break
                lots[place : place + 1] = [attrs.evolve(lot, quantity=left)] if left else []
                return
        raise CorruptLedger(
            f"event {entry.position} ({entry.description}) moves {move.quantity} of lot {move.opened_by}, "
            "which does not hold that much"
        )


def _position(lots: list[Lot]) -> Position:
    total = ZERO
    for lot in lots:
        total = plus(total, lot.quantity)
    return Position(tuple(lots), total)
