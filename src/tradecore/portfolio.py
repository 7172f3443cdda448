"""What a strategy may know of its own standing, from the account's books."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.ledger import Ledger


@attrs.frozen
class StrategyPortfolio:
    """What the account's books say of one strategy."""

    ledger: Ledger
    account: str
    strategy: str

    def position(self, symbol: str) -> Decimal:
        """Signed quantity that the strategy holds."""
        return self.ledger.account(self.account).held(self.strategy, symbol)

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that its open orders can still add."""
        return self.ledger.account(self.account).working(self.strategy, symbol)
