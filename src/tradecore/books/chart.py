"""The chart of accounts: the names that postings are made to.

::

    assets:cash                  money at the broker
    assets:securities:SYMBOL     positions at cost, lot by lot; a short position is below zero
    expenses:fees                what executions cost
    expenses:broker-fees         what the broker charged otherwise
    expenses:dividends           dividends that a short position owed
    expenses:interest            interest on borrowed money
    income:realised-pnl          profit of closed lots before fees; as income it is a credit, below zero
    income:dividends             dividends that came in
    income:interest              interest on what was held
    equity:opening               where the books begin: the other side of what the broker held when it was pinned
    equity:deposits              money that was paid in, and, debited, taken out (`equity:withdrawals`)
    equity:other                 cash whose kind the broker alone knows
    equity:adjustments           what a person took over from the broker, with who and why on the event

A split closes every lot of a symbol that it changes and opens it again with other quantity and price at the same cost,
under the same `opened_by`: both sides are in `assets:securities:SYMBOL`. So does a busted or corrected fill.
"""

from __future__ import annotations

CASH = "assets:cash"
FEES = "expenses:fees"
REALISED_PNL = "income:realised-pnl"
OPENING = "equity:opening"
ADJUSTMENTS = "equity:adjustments"

_INCOME = {
    "dividend": "income:dividends",
    "interest": "income:interest",
    "fee": "expenses:broker-fees",
    "deposit": "equity:deposits",
    "withdrawal": "equity:withdrawals",
    "other": "equity:other",
}
_EXPENSES = {"dividend": "expenses:dividends", "interest": "expenses:interest"}
OUTSIDE = tuple(dict.fromkeys((*_INCOME.values(), *_EXPENSES.values(), ADJUSTMENTS)))
"""Where cash comes from, or goes to, without an order."""

_SECURITIES = "assets:securities:"


def securities(symbol: str) -> str:
    """The account of a symbol's lots."""
    return _SECURITIES + symbol


def against_cash(kind: str, *, came_in: bool) -> str:
    """The other side of cash that came, or went, without an order."""
    return _INCOME[kind] if came_in else _EXPENSES.get(kind, _INCOME[kind])
