"""The summary at the end of a run: what was done, what it earned, and whether ledger and broker agree."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import attrs

from tradecore.domain.values import ZERO, plus, times
from tradecore.reconcile import Difference, compare_orders, compare_standing
from tradecore.runner.contract import Session
from tradecore.views import read_rows


@attrs.frozen
class Summary:
    """Counts and amounts at the end of a run, in account currency; equity values positions at the last price."""

    orders: dict[str, int]
    fills: int
    trades: dict[str, int]
    open_orders: int
    cash: Decimal
    position_value: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    currency: str
    differences: tuple[Difference, ...]

    @property
    def equity(self) -> Decimal:
        """Cash plus the value of all positions."""
        return plus(self.cash, self.position_value)


async def summarise(session: Session) -> Summary:
    """Read the books and compare them with the broker, order by order. Raises `BrokerUnreachable`, `ProtocolError`."""
    engine, settings = session.engine, session.settings
    engine.projector.catch_up()
    orders = read_rows(session.journal, "orders")
    account = engine.ledger.account(settings.account)
    prices = {held.symbol: held.current_price for held in await engine.broker.positions()}
    value = unrealised = ZERO
    for symbol, position in account.positions.items():
        price = prices.get(symbol) or prices.get(symbol.replace("/", ""))
        worth = times(position.quantity, price) if price is not None else position.cost
        value = plus(value, worth)
        unrealised = plus(unrealised, worth - position.cost)
    differences = await compare_standing(engine.ledger, engine.broker, settings.account)
    order_ids = tuple(row["order_id"] for row in orders)
    return Summary(
        orders=dict(Counter(row["status"] for row in orders)),
        fills=len(read_rows(session.journal, "fills")),
        trades=dict(Counter(row["status"] for row in read_rows(session.journal, "trades"))),
        open_orders=len(account.reservations),
        cash=account.cash,
        position_value=value,
        realised_pnl=account.realised_pnl,
        unrealised_pnl=unrealised,
        fees=account.fees,
        currency=account.currency,
        differences=differences + await compare_orders(engine.ledger, engine.broker, order_ids),
    )
