"""What happens to an account without any order: splits, dividends, fees, journals. Amounts are in dollars."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.values import minus, plus, times
from tradecore_exchange.desk import Desk
from tradecore_exchange.market import Market, Split
from tradecore_exchange.numbers import cents, floor_qty, number_text

_REASON = "CORPORATE_ACTION"


def split(desk: Desk, market: Market, symbol: str, ratio: Decimal) -> None:
    """Every share becomes `ratio` shares. Open orders of the symbol are canceled; prices are those of the new shares.

    A fraction beyond nine places is lost. The bars that follow must show the new prices.
    """
    blotter = desk.blotter
    for order in blotter.book.open_of(symbol):
        if order.is_open:
            desk.cancel(order, _REASON)
    market.split(Split(symbol, blotter.clock.stamp(), ratio))
    blotter.changes.account = True
    held = blotter.account.position_qty(symbol)
    if held == 0:
        return
    size = floor_qty(abs(held) * ratio, whole=False)
    now = size if held > 0 else -size
    blotter.account.split(symbol, now)
    words = f"split {number_text(ratio)} for 1"
    blotter.record("SPLIT", symbol=symbol, qty=minus(now, held), description=words)


def dividend(desk: Desk, symbol: str, per_share: Decimal) -> None:
    """Pay `per_share` on what is held long, charge it on what is held short, to the cent."""
    blotter = desk.blotter
    held = blotter.account.position_qty(symbol)
    if held == 0:
        return
    amount = cents(times(held, per_share))
    blotter.account.cash = plus(blotter.account.cash, amount)
    words = f"dividend of {number_text(per_share)} a share"
    blotter.record("DIV", symbol=symbol, qty=held, per_share_amount=per_share, net_amount=amount, description=words)


def journal(desk: Desk, kind: str, amount: Decimal, description: str) -> None:
    """Move cash: a FEE is negative, a JNLC, CSD or CSW as it comes."""
    blotter = desk.blotter
    blotter.account.cash = plus(blotter.account.cash, amount)
    blotter.record(kind, net_amount=amount, description=description)
