"""What a test does with an exchange that nobody serves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain.values import Bar, Quote, Side
from tradecore_exchange import Done, Exchange, ExchangeOptions, OrderRequest, Refusal, ReplaceRequest, Submitted
from tradecore_exchange.orders import Order, TradeUpdate
from tradecore_exchange.requests import StopLoss
from tradecore_exchange.words import OrderClass, OrderType, TimeInForce

# A Tuesday, 9:30 in New York.
OPEN = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
DAY_MINUTES = 24 * 60


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def bar(
    minute: int = 0,
    open_: str = "10",
    high: str = "11",
    low: str = "9",
    close: str = "10",
    volume: str = "1000",
    symbol: str = "AAPL",
) -> Bar:
    prices = map(Decimal, (open_, high, low, close, volume))
    return Bar(symbol, OPEN + minute * MINUTE, *prices)


def flat(minute: int = 0, price: str = "10", symbol: str = "AAPL") -> Bar:
    """A minute at one price."""
    return bar(minute, price, price, price, price, symbol=symbol)


def quote(bid: str = "9.99", ask: str = "10.01", second: int = 1, symbol: str = "AAPL") -> Quote:
    hundred = Decimal(100)
    return Quote(symbol, OPEN + dt.timedelta(seconds=second), Decimal(bid), hundred, Decimal(ask), hundred)


def wish(
    side: str = "buy",
    qty: str | None = "10",
    limit: str | None = None,
    tif: str = "day",
    *,
    kind: str | None = None,
    stop: str | None = None,
    trail: str | None = None,
    percent: str | None = None,
    order_class: str = "",
    profit: str | None = None,
    loss: str | None = None,
    loss_limit: str | None = None,
    symbol: str = "AAPL",
    notional: str | None = None,
    cid: str | None = None,
    extended: bool = False,
    intent: str | None = None,
) -> OrderRequest:
    """An order; its type follows from its prices unless it is named."""
    if kind is None:
        trailing = trail is not None or percent is not None
        prices = "_".join(name for name, price in (("stop", stop), ("limit", limit)) if price is not None)
        kind = "trailing_stop" if trailing else prices or "market"
    return OrderRequest(
        symbol=symbol,
        side=Side(side),
        type=OrderType(kind),
        time_in_force=TimeInForce(tif),
        qty=number(qty),
        notional=number(notional),
        limit_price=number(limit),
        extended_hours=extended,
        client_order_id=cid,
        position_intent=intent,
        stop_price=number(stop),
        trail_price=number(trail),
        trail_percent=number(percent),
        order_class=OrderClass(order_class),
        take_profit=number(profit),
        stop_loss=None if loss is None else StopLoss(Decimal(loss), number(loss_limit)),
    )


def bracket(side: str = "buy", profit: str = "12", loss: str = "8", **terms: str | None) -> OrderRequest:
    return wish(side, order_class="bracket", profit=profit, loss=loss, **terms)  # type: ignore[arg-type]


def exchange_with(start: dt.datetime = OPEN, **options: object) -> Exchange:
    return Exchange(["AAPL", "MSFT", "BTC/USD"], ExchangeOptions(**options), start=start)  # type: ignore[arg-type]


def entered(exchange: Exchange, request: OrderRequest) -> Order:
    """The exchange's own order, not the copy of the answer."""
    outcome = exchange.submit(request)
    assert isinstance(outcome, Submitted), outcome
    return exchange.book.by_id[outcome.order.id]


def legs_of(exchange: Exchange, order: Order) -> list[Order]:
    return [exchange.book.by_id[leg_id] for leg_id in order.leg_ids]


def replaced(exchange: Exchange, order: Order, request: ReplaceRequest) -> Order:
    outcome = exchange.replace(order.id, request)
    assert isinstance(outcome, Submitted), outcome
    return exchange.book.by_id[outcome.order.id]


def done(outcome: Done | Refusal) -> list[TradeUpdate]:
    assert isinstance(outcome, Done), outcome
    return outcome.updates


def no(outcome: Done | Submitted | Refusal) -> tuple[int, int, str]:
    """Status, code and words of a refusal."""
    assert isinstance(outcome, Refusal), outcome
    return (outcome.status, outcome.code, outcome.message)


def refused(exchange: Exchange, request: OrderRequest) -> Refusal:
    outcome = exchange.submit(request)
    assert isinstance(outcome, Refusal), outcome
    return outcome


def fills(updates: list[TradeUpdate]) -> list[tuple[str, Decimal | None, Decimal | None]]:
    return [(update.event, update.qty, update.price) for update in updates if update.qty is not None]


def told(updates: list[TradeUpdate]) -> list[tuple[str, str]]:
    """Event and role (or type) of each update."""
    return [(update.event, update.order.role or update.order.type) for update in updates]


def holding(exchange: Exchange, side: str, qty: str = "10", symbol: str = "AAPL", tif: str = "day") -> None:
    entered(exchange, wish(side, qty, symbol=symbol, tif=tif))
    exchange.on_bar(bar(symbol=symbol))


def row(*values: object) -> tuple[object, ...]:
    """Values of any kind, to be compared at once."""
    return values


def working(exchange: Exchange, limit: str = "8", qty: str = "10") -> Order:
    """A limit order on the market."""
    order = entered(exchange, wish(qty=qty, limit=limit))
    assert order.status == "new"
    return order


def slow(**options: object) -> Exchange:
    """An exchange that decides about cancels and replacements only after the market has moved."""
    exchange = exchange_with(**options)  # type: ignore[arg-type]
    exchange.switch(slow_cancels=True, slow_replaces=True)
    return exchange
