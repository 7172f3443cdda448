"""The one account: cash, positions, and what it can buy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.values import minus, plus, rounded_quotient, times

ZERO = Decimal(0)


@attrs.define
class Position:
    """A holding. `qty` is negative when short; `cost` is what the held quantity was opened for, in dollars, signed."""

    symbol: str
    qty: Decimal
    cost: Decimal

    @property
    def avg_entry_price(self) -> Decimal:
        """Average price of opening, to nine places."""
        return rounded_quotient(self.cost, self.qty)


@attrs.define
class Configuration:
    """What the owner may switch."""

    suspend_trade: bool = False
    no_shorting: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: str = "4"
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False
    max_options_trading_level: int | None = None


@attrs.define
class Account:
    """Cash is exact, to the last place of every fill; it is rounded only where it is shown."""

    cash: Decimal
    multiplier: int
    positions: dict[str, Position] = attrs.field(factory=dict)
    configuration: Configuration = attrs.field(factory=Configuration)

    def position_qty(self, symbol: str) -> Decimal:
        """Signed quantity held; zero when none."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def book(self, symbol: str, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """Record a trade of a signed quantity; a position of nothing vanishes."""
        value = times(qty, price)
        self.cash = minus(minus(self.cash, value), fee)
        held = self.positions.get(symbol)
        if held is None:
            self.positions[symbol] = Position(symbol, qty, value)
            return
        total = plus(held.qty, qty)
        if total == 0:
            del self.positions[symbol]
        elif (held.qty > 0) == (qty > 0):
            held.qty, held.cost = total, plus(held.cost, value)
        elif (held.qty > 0) == (total > 0):
            held.qty, held.cost = total, rounded_quotient(times(held.cost, total), held.qty)
        else:
            held.qty, held.cost = total, times(total, price)

    def take_shares(self, symbol: str, qty: Decimal) -> None:
        """A fee in kind: `qty` leave the position, what was paid for it stays its cost."""
        held = self.positions.setdefault(symbol, Position(symbol, ZERO, ZERO))
        held.qty = minus(held.qty, qty)
        if held.qty == 0:
            del self.positions[symbol]

    def split(self, symbol: str, qty: Decimal) -> None:
        """The same position is now `qty` (signed), for the same cost."""
        if qty == 0:
            del self.positions[symbol]
        else:
            self.positions[symbol].qty = qty

    def market_values(self, prices: Mapping[str, Decimal]) -> tuple[Decimal, Decimal]:
        """Dollars held long and (negative) short, at the last prices."""
        long, short = ZERO, ZERO
        for position in self.positions.values():
            value = times(position.qty, prices.get(position.symbol) or position.avg_entry_price)
            if value > 0:
                long = plus(long, value)
            else:
                short = plus(short, value)
        return long, short

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Cash and positions together, in dollars."""
        long, short = self.market_values(prices)
        return plus(plus(self.cash, long), short)

    @property
    def margin(self) -> int:
        """How many times its equity the account may hold: the least of what it has and what its owner wants."""
        return min(self.multiplier, int(self.configuration.max_margin_multiplier))

    def buying_power(self, prices: Mapping[str, Decimal], reserved: Iterable[Decimal], multiplier: int) -> Decimal:
        """What `multiplier` times equity leaves after positions and open orders; never negative."""
        long, short = self.market_values(prices)
        gross = minus(long, short)
        equity = plus(plus(self.cash, long), short)
        return max(ZERO, times(equity, Decimal(multiplier)) - gross - sum(reserved, ZERO))
