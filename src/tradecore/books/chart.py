"""The chart of accounts: the names that postings are made to.

::

    assets:cash                  money at the broker
    assets:securities:SYMBOL     positions at cost, lot by lot; a short position is below zero
    expenses:fees                what executions cost
    income:realised-pnl          profit of closed lots before fees; as income it is a credit, below zero
    equity:opening               where the books begin: the other side of what the broker held when it was pinned

What is not recorded yet has its place. A dividend debits `assets:cash` and credits `income:dividends` (one that a short
position owes debits `expenses:dividends`). A deposit debits `assets:cash` and credits `equity:deposits`; a withdrawal
is the reverse. A split closes every lot of a symbol and opens it again with other quantity and price at the same cost,
under the same `opened_by`: both sides are in `assets:securities:SYMBOL`. Each needs an event of its own, a function in
`booking`, and a name here; nothing else changes.
"""

from __future__ import annotations

CASH = "assets:cash"
FEES = "expenses:fees"
REALISED_PNL = "income:realised-pnl"
OPENING = "equity:opening"
_SECURITIES = "assets:securities:"


def securities(symbol: str) -> str:
    """The account of a symbol's lots."""
    return _SECURITIES + symbol
