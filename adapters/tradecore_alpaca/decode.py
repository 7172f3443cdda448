"""Alpaca's objects as values of the ports. The raw text stays with each; nothing is guessed.

Shapes are those of the Trading API (fills, positions, account, assets, the clock) as recorded from paper accounts.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tradecore.domain.values import ZERO
from tradecore.errors import ProtocolError
from tradecore.ports.broker import Asset, BrokerAccount, BrokerFill, BrokerPosition, Execution
from tradecore_alpaca.json_text import ABSENT, as_text, instant, number, optional_number, read
from tradecore_alpaca.order_json import decode_side

_EXECUTIONS: dict[str | None, Execution] = {
    None: Execution.TRADE,
    "fill": Execution.TRADE,
    "partial_fill": Execution.TRADE,
    "trade_bust": Execution.BUST,
    "trade_correct": Execution.CORRECT,
}
_CRYPTO_QUOTES = ("USDT", "USDC", "USD", "BTC")


class _FillActivity(msgspec.Struct):
    id: str
    activity_type: str
    order_id: str
    symbol: str
    side: str
    qty: msgspec.Raw
    price: msgspec.Raw
    cum_qty: msgspec.Raw
    transaction_time: str
    type: str | None = None
    previous_id: str | None = None


class _Position(msgspec.Struct):
    symbol: str
    qty: msgspec.Raw
    avg_entry_price: msgspec.Raw
    side: str | None = None
    asset_class: str | None = None
    current_price: msgspec.Raw = ABSENT


class _Account(msgspec.Struct):
    id: str
    currency: str
    cash: msgspec.Raw
    equity: msgspec.Raw
    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False


class _Asset(msgspec.Struct):
    symbol: str
    tradable: bool
    fractionable: bool
    shortable: bool


class _Clock(msgspec.Struct):
    timestamp: str


def decode_fill_activity(raw: bytes | msgspec.Raw) -> BrokerFill:
    """A row of the account's FILL activities; it does not say the client order id. Raises `ProtocolError`."""
    row = read(raw, _FillActivity)
    if row.activity_type != "FILL" or not row.id or not row.order_id:
        raise ProtocolError("activity: this is not a fill of an order", as_text(raw))
    if row.type not in _EXECUTIONS:
        raise ProtocolError(f"activity: {(row.type or '')[:80]!r} is not a known type", as_text(raw))
    fill = BrokerFill(
        broker_order_id=row.order_id,
        client_order_id=None,
        execution_id=row.id,
        symbol=row.symbol,
        side=decode_side(row.side),
        quantity=number("activity.qty", row.qty),
        price=number("activity.price", row.price),
        cumulative_qty=number("activity.cum_qty", row.cum_qty),
        fees=ZERO,
        occurred_at=instant("activity.transaction_time", row.transaction_time),
        source="activities",
        raw=as_text(raw),
        execution=_EXECUTIONS[row.type],
        previous_execution_id=row.previous_id,
    )
    check_fill(fill)
    return fill


def check_fill(fill: BrokerFill) -> None:
    """Raises `ProtocolError` for an execution that cannot have happened; a bust may leave less than it takes back."""
    plausible = fill.quantity > 0 and fill.price >= 0 and fill.cumulative_qty >= 0 and fill.symbol
    if not plausible or (fill.execution is not Execution.BUST and fill.cumulative_qty < fill.quantity):
        raise ProtocolError("fill: quantity, price and cumulative quantity contradict each other", fill.raw)


def decode_position(raw: bytes | msgspec.Raw) -> BrokerPosition:
    """A position; short ones are negative, pairs of crypto are spelt as in orders. Raises `ProtocolError`."""
    position = read(raw, _Position)
    quantity = number("position.qty", position.qty)
    if position.side == "short":
        quantity = -abs(quantity)
    return BrokerPosition(
        symbol=in_ledger_spelling(position.symbol, position.asset_class),
        quantity=quantity,
        average_price=number("position.avg_entry_price", position.avg_entry_price),
        current_price=optional_number("position.current_price", position.current_price),
    )


def in_ledger_spelling(symbol: str, asset_class: str | None) -> str:
    """Positions say BTCUSD where orders say BTC/USD; the two must meet in the ledger."""
    if asset_class == "crypto" and "/" not in symbol:
        for quote in _CRYPTO_QUOTES:
            if symbol.endswith(quote) and len(symbol) > len(quote):
                return f"{symbol.removesuffix(quote)}/{quote}"
    return symbol


def decode_account(raw: bytes | msgspec.Raw, *, paper: bool) -> BrokerAccount:
    """The account. Raises `ProtocolError`."""
    account = read(raw, _Account)
    if not account.id:
        raise ProtocolError("account: id is empty", as_text(raw))
    return BrokerAccount(
        account_id=account.id,
        paper=paper,
        currency=account.currency,
        cash=number("account.cash", account.cash),
        equity=number("account.equity", account.equity),
        trading_blocked=account.trading_blocked or account.account_blocked or account.trade_suspended_by_user,
        raw=as_text(raw),
        suspended=account.trade_suspended_by_user,
    )


def decode_asset(raw: bytes | msgspec.Raw) -> Asset:
    """An asset. Raises `ProtocolError`."""
    asset = read(raw, _Asset)
    return Asset(asset.symbol, asset.tradable, asset.fractionable, asset.shortable)


def decode_clock(raw: bytes | msgspec.Raw) -> dt.datetime:
    """The broker's time in UTC (it tells New York's). Raises `ProtocolError`."""
    return instant("clock.timestamp", read(raw, _Clock).timestamp)
