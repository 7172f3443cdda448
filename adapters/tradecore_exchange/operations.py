"""What is done to an exchange from behind the counter: nobody's order asks for it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs

from tradecore_exchange import corporate, corrections
from tradecore_exchange.core import Core
from tradecore_exchange.orders import Order, TradeUpdate
from tradecore_exchange.refusals import Refusal, Refused, order_not_found, unknown_asset


@attrs.frozen
class Done:
    """The answer to anything else that was carried out; no updates when nothing had to be done."""

    updates: list[TradeUpdate]


class Operations(Core):
    """Each is carried out at once and tells what it did, or is refused and changes nothing."""

    def halt(self, symbol: str) -> Done | Refusal:
        """Stop the trading of a symbol."""
        return self._of_symbol(symbol, lambda: self._interventions.halt(symbol))

    def resume(self, symbol: str) -> Done | Refusal:
        """Let a halted symbol trade again."""

        def act() -> None:
            self._interventions.resume(symbol)
            self._dealer.match_quote(symbol)

        return self._of_symbol(symbol, act)

    def force(self, order_id: str, status: str) -> Done | Refusal:
        """Put an order into one of the states that come by themselves too rarely (`interventions.FORCED`)."""
        return self._of_order(order_id, lambda order: self._interventions.force(order, status))

    def release(self, order_id: str) -> Done | Refusal:
        """Let an order to the market that is kept off it."""

        def act(order: Order) -> None:
            self._interventions.release(order)
            self._dealer.match_with_quote(order)

        return self._of_order(order_id, act)

    def deny(self, order_id: str) -> Done | Refusal:
        """Refuse the cancel or the replacement of an order that waits to be decided."""
        return self._of_order(order_id, self._interventions.deny)

    def switch(self, **changes: bool) -> Done:
        """Change some of the `Switches`."""
        self.switches = attrs.evolve(self.switches, **changes)
        self.blotter.changes.account = True
        return Done([])

    def bust(self, execution_id: str) -> Done | Refusal:
        """Take an execution back."""
        return self._carried_out(lambda: corrections.bust(self.blotter, self.market, execution_id))

    def correct(self, execution_id: str, qty: Decimal, price: Decimal) -> Done | Refusal:
        """Tell an execution anew: it was of `qty` at `price` (dollars)."""
        return self._carried_out(lambda: corrections.correct(self.blotter, self.market, execution_id, qty, price))

    def split(self, symbol: str, ratio: Decimal) -> Done | Refusal:
        """Every share becomes `ratio` shares."""
        return self._of_symbol(symbol, lambda: corporate.split(self._desk, self.market, symbol, ratio))

    def dividend(self, symbol: str, per_share: Decimal) -> Done | Refusal:
        """Pay `per_share` dollars on every share held, charge it on every share short."""
        return self._of_symbol(symbol, lambda: corporate.dividend(self._desk, symbol, per_share))

    def fee(self, amount: Decimal, description: str = "fee") -> Done | Refusal:
        """Charge `amount` dollars."""
        return self._carried_out(lambda: corporate.journal(self._desk, "FEE", -amount, description))

    def journal(self, amount: Decimal, description: str = "journal") -> Done | Refusal:
        """Bring `amount` dollars into the account, or take them when it is negative."""
        return self._carried_out(lambda: corporate.journal(self._desk, "JNLC", amount, description))

    def _of_symbol(self, symbol: str, act: Callable[[], None]) -> Done | Refusal:
        return self._carried_out(act) if symbol in self.symbols else unknown_asset(symbol)

    def _of_order(self, order_id: str, act: Callable[[Order], None]) -> Done | Refusal:
        order = self.book.by_id.get(order_id)
        return order_not_found(order_id) if order is None else self._carried_out(lambda: act(order))

    def _carried_out(self, act: Callable[[], None]) -> Done | Refusal:
        try:
            act()
        except Refused as refused:
            return refused.refusal
        self.blotter.changes.account = True
        return Done(self.blotter.take_updates())
