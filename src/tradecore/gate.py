"""The gate of new risk: what must be known before an order may make anything larger. What reduces always passes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.order import OrderState
from tradecore.domain.reducing import EXTERNAL, is_against, reduces
from tradecore.domain.values import ZERO, Purpose, Side, plus


class Gate:
    """Open until somebody closes it; each reason is opened again by who closed it.

    What is queued and adds risk waits while the gate is closed; for some reasons it is withdrawn.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._final: dict[str, str] = {}
        self.opened: Callable[[], None] = lambda: None
        """Called when a reason is gone: who waits looks again."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why new risk waits; empty when it does not."""
        return tuple(self._reasons.values())

    def is_closed_for(self, key: str) -> bool:
        """Whether this reason holds."""
        return key in self._reasons

    def close(self, key: str, why: str, *, withdraws: bool = False) -> None:
        """Let nothing through that adds risk, for this reason; with `withdraws`, what is queued is given up."""
        self._reasons[key] = why
        if withdraws:
            self._final[key] = why

    def open(self, key: str) -> None:
        """The reason is gone."""
        self._final.pop(key, None)
        if self._reasons.pop(key, None) is not None:
            self.opened()

    def withdraws(self, account: AccountState, order: OrderState) -> str | None:
        """Why an order that is queued must not be sent any more, or None."""
        return _why(self._final, account, order)

    def holds(self, account: AccountState, order: OrderState) -> str | None:
        """Why an order that is queued must wait, or None."""
        return _why(self._reasons, account, order)

    def refuses(self, account: AccountState, strategy: str, symbol: str, side: Side, quantity: Decimal) -> str | None:
        """Why an order must not be placed now, or None.

        Besides the reasons above: what a strategy holds by its trades, and somebody sold elsewhere, cannot be sold.
        """
        if reduces(account, "", symbol, side, quantity):
            return None
        if self._reasons:
            return "; ".join(self._reasons.values())
        held = account.held(strategy, symbol)
        elsewhere = plus(account.held(EXTERNAL, symbol), account.adjusted.get(symbol, ZERO))
        closing = held * side.sign < ZERO and quantity <= abs(held)
        if closing and elsewhere * held < ZERO:
            return f"{symbol} that {strategy} holds was traded elsewhere: the account holds too little to close it"
        return None


def _why(reasons: dict[str, str], account: AccountState, order: OrderState) -> str | None:
    if not reasons or _takes_risk_away(account, order):
        return None
    return "; ".join(reasons.values())


def _takes_risk_away(account: AccountState, order: OrderState) -> bool:
    """What closes or protects counts by itself: beside it, the order that it replaces or follows may still work."""
    if order.purpose is not Purpose.TRADE and is_against(account, order.symbol, order.side, order.remaining):
        return True
    return reduces(account, order.order_id, order.symbol, order.side, order.remaining)
