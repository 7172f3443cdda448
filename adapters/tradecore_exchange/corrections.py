"""Executions that are taken back or told anew, long after they were: busts and corrections."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tradecore.domain.values import minus, plus, times
from tradecore_exchange.account import ZERO, Account, Position
from tradecore_exchange.activities import Activity, standing
from tradecore_exchange.blotter import Blotter
from tradecore_exchange.market import Market
from tradecore_exchange.refusals import Refused, against_the_rules, execution_not_found


def bust(blotter: Blotter, market: Market, execution_id: str) -> None:
    """The execution never was: its shares, its dollars and its fee go back. The order does not trade it again.

    Raises `Refused` when no such execution counts, or its shares were split since.
    """
    origin, old = _found(blotter, market, execution_id)
    _amend(blotter, old, ZERO, ZERO)
    blotter.reverse(blotter.book.by_id[old.order_id], "trade_bust", old, old.qty, old.price)
    _refund(blotter, origin, old)
    _rebuild(blotter, old.symbol)


def correct(blotter: Blotter, market: Market, execution_id: str, qty: Decimal, price: Decimal) -> None:
    """The execution was of `qty` at `price` (dollars). Its fee stays. Raises `Refused` as `bust`."""
    _, old = _found(blotter, market, execution_id)
    _amend(blotter, old, qty, price)
    blotter.reverse(blotter.book.by_id[old.order_id], "trade_correct", old, qty, price)
    _rebuild(blotter, old.symbol)


def position_of(symbol: str, activities: Iterable[Activity]) -> Position | None:
    """The holding that the account's history amounts to."""
    history = list(activities)
    counts = standing(history)
    scratch = Account(ZERO, 1)
    for one in history:
        if one.symbol != symbol:
            continue
        match one.kind:
            case "FILL" if one.previous_execution_id is None and one.execution_id in counts:
                execution = counts[one.execution_id]
                scratch.book(symbol, execution.signed_qty, execution.price, ZERO)
            case "CFEE" if one.qty:
                scratch.take_shares(symbol, -one.qty)
            case "SPLIT":
                scratch.split(symbol, plus(scratch.position_qty(symbol), one.qty))
    return scratch.positions.get(symbol)


def _found(blotter: Blotter, market: Market, execution_id: str) -> tuple[str, Activity]:
    for origin, one in standing(blotter.activities).items():
        if one.execution_id != execution_id:
            continue
        if any(split.symbol == one.symbol and split.at_ns > one.at_ns for split in market.splits):
            raise Refused(against_the_rules("execution is from before a split"))
        return origin, one
    raise Refused(execution_not_found(execution_id))


def _amend(blotter: Blotter, old: Activity, qty: Decimal, price: Decimal) -> None:
    """Put the order and the cash right; the position follows from the history."""
    order = blotter.book.by_id[old.order_id]
    value, before = times(qty, price), times(old.qty, old.price)
    order.filled_qty = plus(minus(order.filled_qty, old.qty), qty)
    order.filled_value = plus(minus(order.filled_value, before), value)
    order.busted_qty = plus(order.busted_qty, minus(old.qty, qty))
    blotter.account.cash = plus(blotter.account.cash, times(minus(before, value), Decimal(order.side.sign)))
    held = blotter.account.position_qty(old.symbol)
    change = times(minus(qty, old.qty), Decimal(order.side.sign))
    # Already told with the update; what it cost is known only once the history has it.
    blotter.account.positions[old.symbol] = Position(old.symbol, plus(held, change), ZERO)


def _refund(blotter: Blotter, origin: str, old: Activity) -> None:
    fees = [one for one in blotter.activities if one.kind in {"FEE", "CFEE"} and one.execution_id == origin]
    for fee in fees:
        blotter.account.cash = minus(blotter.account.cash, fee.net_amount)
        order = blotter.book.by_id[old.order_id]
        order.commission = plus(order.commission, fee.net_amount)
        blotter.keep(order)
        blotter.record(
            fee.kind,
            order_id=fee.order_id,
            symbol=fee.symbol,
            side=fee.side,
            qty=-fee.qty,
            net_amount=-fee.net_amount,
            description=f"commission of order {fee.order_id} given back",
        )


def _rebuild(blotter: Blotter, symbol: str) -> None:
    position = position_of(symbol, blotter.activities)
    if position is None:
        blotter.account.positions.pop(symbol, None)
    else:
        blotter.account.positions[symbol] = position
    blotter.changes.account = True
