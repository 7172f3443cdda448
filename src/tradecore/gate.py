"""The gate of new risk: what must be known before an order may make anything larger. What reduces always passes."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.order import OrderState
from tradecore.domain.reducing import reduces
from tradecore.domain.values import ZERO, Side

EXTERNAL = "external"


class Gate:
    """Open until somebody closes it; each reason is opened again by who closed it."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._sending: dict[str, str] = {}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why new risk waits; empty when it does not."""
        return tuple(self._reasons.values())

    def close(self, key: str, why: str, *, sending: bool = False) -> None:
        """Let nothing through that adds risk, for this reason; with `sending`, nor what is queued already."""
        self._reasons[key] = why
        if sending:
            self._sending[key] = why

    def open(self, key: str) -> None:
        """The reason is gone."""
        self._reasons.pop(key, None)
        self._sending.pop(key, None)

    def refuses_to_send(self, account: AccountState, order: OrderState) -> str | None:
        """Why an order that is queued must not be sent any more, or None."""
        if not self._sending or reduces(account, order.order_id, order.symbol, order.side, order.remaining):
            return None
        return "; ".join(self._sending.values())

    def refuses(self, account: AccountState, strategy: str, symbol: str, side: Side, quantity: Decimal) -> str | None:
        """Why an order must wait, or None.

        Besides the reasons above: what a strategy holds by its trades, and somebody sold elsewhere, cannot be sold.
        """
        if reduces(account, "", symbol, side, quantity):
            return None
        if self._reasons:
            return "; ".join(self._reasons.values())
        held, elsewhere = account.held(strategy, symbol), account.held(EXTERNAL, symbol)
        closing = held * side.sign < ZERO and quantity <= abs(held)
        if closing and elsewhere * held < ZERO:
            return f"{symbol} that {strategy} holds was traded elsewhere: the account holds too little to close it"
        return None
