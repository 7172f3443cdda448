"""Closing: the order that makes a position flat, no larger and no smaller than what is held."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.commands import ClosePosition, PlaceOrder
from tradecore.domain.reducing import closable
from tradecore.domain.terms import is_crypto
from tradecore.domain.values import ZERO, OrderType, Purpose, Side, TimeInForce, minus
from tradecore.draft import Draft
from tradecore.errors import CloseRefused, InputError

_BY_HAND = "manual"


def as_order(draft: Draft, command: ClosePosition) -> PlaceOrder:
    """The market order against what is held. Raises `CloseRefused` when there is nothing, `InputError`."""
    holder = draft.account(command.account)
    strategy, held = _held(holder, command)
    _refuse_a_second(draft, holder, command, strategy)
    return PlaceOrder(
        order_id=command.order_id,
        account=command.account,
        symbol=command.symbol,
        side=Side.SELL if held > 0 else Side.BUY,
        quantity=abs(held),
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.GTC if is_crypto(command.symbol) else TimeInForce.DAY,
        strategy=strategy,
        not_after=command.not_after,
        reference_price=command.reference_price,
        purpose=Purpose.CLOSE,
    )


def _held(holder: AccountState, command: ClosePosition) -> tuple[str, Decimal]:
    """Who holds how much. What was there before the ledger is in nobody's name and is closed by hand."""
    shares = {
        strategy: held.quantity for (strategy, symbol), held in holder.holdings.items() if symbol == command.symbol
    }
    rest = holder.position(command.symbol).quantity
    for quantity in shares.values():
        rest = minus(rest, quantity)
    if rest:
        shares[_BY_HAND] = shares.get(_BY_HAND, ZERO) + rest
    shares = {strategy: closable(holder, strategy, command.symbol) for strategy in shares if strategy != _BY_HAND} | {
        strategy: quantity for strategy, quantity in shares.items() if strategy == _BY_HAND
    }
    shares = {strategy: quantity for strategy, quantity in shares.items() if quantity}
    if command.strategy is not None:
        shares = {name: quantity for name, quantity in shares.items() if name == command.strategy}
    if not shares:
        who = "the account" if command.strategy is None else f"strategy {command.strategy}"
        raise CloseRefused(f"{who} holds no {command.symbol}: there is nothing to close")
    if len(shares) > 1:
        raise InputError("strategy", None, "one of those that hold it: " + ", ".join(sorted(shares)))
    return next(iter(shares.items()))


def _refuse_a_second(draft: Draft, holder: AccountState, command: ClosePosition, strategy: str) -> None:
    for order_id, reserved in holder.reservations.items():
        if (reserved.strategy, reserved.symbol) != (strategy, command.symbol):
            continue
        working = draft.order(order_id)
        if working is not None and working.purpose is Purpose.CLOSE and not working.status.is_terminal:
            raise CloseRefused(f"{command.symbol} is being closed by order {order_id} already")
