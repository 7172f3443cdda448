"""Whether an order can only make a position smaller, whatever else is under way."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.values import ZERO, Side, minus, plus

EXTERNAL = "external"
"""The strategy of orders that nobody placed here."""


def is_against(account: AccountState, symbol: str, side: Side, quantity: Decimal) -> bool:
    """Whether it is against the position and by itself not larger than that."""
    position = account.positions.get(symbol)
    return position is not None and position.quantity * side.sign < 0 and quantity <= abs(position.quantity)


def reduces(account: AccountState, order_id: str, symbol: str, side: Side, quantity: Decimal) -> bool:
    """Whether it is against the position and, with all open orders on its side, not larger than that."""
    position = account.positions.get(symbol)
    if position is None or position.quantity * side.sign >= 0:
        return False
    total = quantity
    for other, reservation in account.reservations.items():
        if other != order_id and reservation.symbol == symbol and reservation.side is side:
            total = plus(total, reservation.quantity)
    return total <= abs(position.quantity)


def closable(account: AccountState, strategy: str, symbol: str) -> Decimal:
    """What a strategy holds of a symbol (signed), as far as the account has it: not what was sold elsewhere."""
    held, there = account.held(strategy, symbol), account.position(symbol).quantity
    if strategy != EXTERNAL:
        for (other, of), holding in account.holdings.items():
            if of == symbol and other != EXTERNAL and holding.quantity * held < 0:
                there = minus(there, holding.quantity)  # what others hold against it is in the account, too
    return max(ZERO, min(held, there)) if held > 0 else min(ZERO, max(held, there))
