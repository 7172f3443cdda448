"""What the trades say: how many won, what they brought, how long they took, how much was turned over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import attrs

from tradecore.domain.values import ZERO, Side, rounded_quotient
from tradecore.metrics.curve import Curve
from tradecore.metrics.figure import Money, NotDefined, Real
from tradecore.metrics.year import YEAR

_NO_TRADES = NotDefined("no trade was closed")


@attrs.frozen
class ClosedTrade:
    """A trade from its first fill to its last. `pnl` is net of `fees`; `quantity` is what was entered, above zero."""

    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal
    opened_at: dt.datetime
    closed_at: dt.datetime
    pnl: Decimal
    fees: Decimal = ZERO


@attrs.frozen
class Dealt:
    """One fill: what was bought or sold, when and at what price."""

    at: dt.datetime
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fees: Decimal = ZERO

    @property
    def value(self) -> Decimal:
        """What changed hands, above zero."""
        return abs(self.quantity * self.price)


@attrs.frozen
class TradeFigures:
    """Figures of closed trades. A trade that brought nothing is neither won nor lost."""

    trades: Sequence[ClosedTrade]

    @property
    def won(self) -> list[Decimal]:
        """Profits."""
        return [trade.pnl for trade in self.trades if trade.pnl > 0]

    @property
    def lost(self) -> list[Decimal]:
        """Losses, below zero."""
        return [trade.pnl for trade in self.trades if trade.pnl < 0]

    @property
    def net(self) -> Decimal:
        """Profit less loss, after fees."""
        return sum((trade.pnl for trade in self.trades), ZERO)

    @property
    def fees(self) -> Decimal:
        """Fees of the closed trades."""
        return sum((trade.fees for trade in self.trades), ZERO)

    @property
    def win_rate(self) -> Real:
        """Trades won over trades closed."""
        return len(self.won) / len(self.trades) if self.trades else _NO_TRADES

    @property
    def profit_factor(self) -> Real:
        """Sum of profits over sum of losses (Pardo 2008, ch. 11)."""
        if not self.trades:
            return _NO_TRADES
        return float(sum(self.won, ZERO) / -sum(self.lost)) if self.lost else NotDefined("no trade was lost")

    @property
    def expectancy(self) -> Money:
        """Mean profit per trade: win rate x average win - loss rate x average loss (Tharp 1998)."""
        return _average([trade.pnl for trade in self.trades], _NO_TRADES)

    @property
    def average_win(self) -> Money:
        """Mean of the profits."""
        return _average(self.won, NotDefined("no trade was won"))

    @property
    def average_loss(self) -> Money:
        """Mean of the losses, below zero."""
        return _average(self.lost, NotDefined("no trade was lost"))

    @property
    def payoff(self) -> Real:
        """Average win over average loss."""
        win, loss = self.average_win, self.average_loss
        if isinstance(win, NotDefined):
            return win
        return loss if isinstance(loss, NotDefined) else float(win / -loss)

    @property
    def largest_win(self) -> Money:
        """The best trade."""
        return max(self.won, default=NotDefined("no trade was won"))

    @property
    def largest_loss(self) -> Money:
        """The worst trade, below zero."""
        return min(self.lost, default=NotDefined("no trade was lost"))

    @property
    def average_holding_time(self) -> dt.timedelta | NotDefined:
        """Mean time from first to last fill."""
        times = [trade.closed_at - trade.opened_at for trade in self.trades]
        return sum(times, dt.timedelta()) / len(times) if times else _NO_TRADES

    def longest_run(self, of: Callable[[ClosedTrade], bool]) -> int:
        """How many trades in a row, by time of closing, are as asked."""
        best = run = 0
        for trade in sorted(self.trades, key=lambda trade: (trade.closed_at, trade.trade_id)):
            run = run + 1 if of(trade) else 0
            best = max(best, run)
        return best

    def per_month(self, elapsed: dt.timedelta) -> Real:
        """Closed trades per twelfth of a year of the curve."""
        return len(self.trades) / (12 * (elapsed / YEAR)) if elapsed else NotDefined("no time passed")

    def time_in_market(self, first: dt.datetime, last: dt.datetime) -> Real:
        """Share of the time in which at least one of the closed trades was open."""
        if last <= first:
            return NotDefined("no time passed")
        covered, until = dt.timedelta(), first
        for trade in sorted(self.trades, key=lambda trade: trade.opened_at):
            begin, end = max(trade.opened_at, until), min(trade.closed_at, last)
            if end > begin:
                covered += end - begin
                until = end
        return covered / (last - first)


def turnover(dealt: Iterable[Dealt], curve: Curve) -> Real:
    """Lesser of purchases and sales over average equity, per year (SEC Form N-1A, item 13, on all positions)."""
    if not curve.samples or not curve.elapsed:
        return NotDefined("no time passed")
    bought = sold = ZERO
    for deal in dealt:
        if deal.side is Side.BUY:
            bought += deal.value
        else:
            sold += deal.value
    average = sum((sample.equity for sample in curve.samples), ZERO) / len(curve.samples)
    if average <= 0:
        return NotDefined("average equity is not above zero")
    return float(min(bought, sold) / average) / (curve.elapsed / YEAR)


def _average(values: Sequence[Decimal], otherwise: NotDefined) -> Money:
    return rounded_quotient(sum(values, ZERO), Decimal(len(values))) if values else otherwise
