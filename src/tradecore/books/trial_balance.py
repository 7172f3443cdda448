"""The trial balance: every account with its balance, and the proof that debits equal credits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.books.entries import Entry
from tradecore.books.standing import Standing
from tradecore.domain.values import ZERO, minus, plus


@attrs.frozen
class BalanceLine:
    """One account. A balance stands on one side; the other is zero."""

    account: str
    currency: str
    debit: Decimal
    credit: Decimal


@attrs.frozen
class TrialBalance:
    """The accounts of one trading account's books, by name, those without a balance too."""

    account: str
    lines: tuple[BalanceLine, ...]

    @classmethod
    def after(cls, account: str, entries: Iterable[Entry]) -> TrialBalance:
        """The trial balance after these entries."""
        balances = Standing.after(entries).balances
        lines = (
            BalanceLine(name, currency, max(amount, ZERO), max(minus(ZERO, amount), ZERO))
            for (name, currency), amount in sorted(balances.items())
        )
        return cls(account, tuple(lines))

    def differences(self) -> dict[str, Decimal]:
        """Debits less credits by currency: zero, or the books are wrong."""
        sums: dict[str, Decimal] = {}
        for line in self.lines:
            sums[line.currency] = plus(sums.get(line.currency, ZERO), minus(line.debit, line.credit))
        return sums

    @property
    def is_balanced(self) -> bool:
        """True when debits equal credits in every currency."""
        return not any(self.differences().values())
