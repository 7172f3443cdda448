"""Position close: protection is withdrawn, the position is closed, or the protection is armed again.

While legs of a bracket work, the broker holds the units for them and refuses any other order to close, so they go
first. Between their end and the close the position is bare. If the close fails, the same protection is placed anew,
but never while the old one may still work: two stops for one position would open another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from tradecore.domain.commands import PlaceOrder
from tradecore.domain.identity import closing_order_id, derived_id
from tradecore.domain.order import OrderState
from tradecore.domain.reducing import closable
from tradecore.domain.saga import SagaState
from tradecore.domain.terms import is_crypto
from tradecore.domain.trade import TradeState
from tradecore.domain.values import OrderStatus, OrderType, Purpose, SagaStatus, Side, TimeInForce
from tradecore.sagas.contract import Books, Move, done, failed, needs_person
from tradecore.sagas.orders import PATIENCE, found, lineage, settled, withdrawals
from tradecore.sagas.terms import optional_number, word

_FRESH = dt.timedelta(days=1)
_ON_ITS_WAY = OrderStatus.PENDING_NEW
"""The broker has it, and the exchange may still refuse it."""
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


class PositionClose:
    """Closes the trade `trade_id`: withdraw its orders, confirm, close at market, confirm."""

    kind = "position_close"
    timeout_s = 60.0

    def check(self, terms: Mapping[str, str]) -> None:
        """Needs `trade_id`; `reason`, `reference_price` and `decision_id` are optional. Raises `InputError`."""
        word(terms, "trade_id")
        optional_number(terms, "reference_price")

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """The step that follows from where the trade stands."""
        trade = books.trade(state.terms["trade_id"])
        if trade is None:
            return failed("there is no such trade")
        match state.step:
            case "":
                return _withdraw(trade, books)
            case "withdrawing":
                return _close(state, trade, books, now)
            case "closing":
                return _closed(state, trade, books, now)
            case _:
                return _armed(state, trade, books, now)


def _withdraw(trade: TradeState, books: Books) -> Move:
    working = found(books, trade.working_orders)
    if not trade.position.quantity and settled(working):
        return failed("the position is flat already")
    if (other := _closes_already(working)) is not None:
        return failed(f"order {other.order_id} closes the position already")
    protection = next((order for order in working if order.order_type in _STOPS and not order.status.is_terminal), None)
    notes = {} if protection is None else _remembered(protection)
    return Move("withdrawing", notes=notes, commands=withdrawals(working, "the position is being closed"))


def _close(state: SagaState, trade: TradeState, books: Books, now: dt.datetime) -> Move | None:
    working = found(books, trade.working_orders)
    if (other := _closes_already(working)) is not None:  # whoever placed it arms the protection again if it fails
        return failed(f"order {other.order_id} closes the position")
    if not settled(working):
        if now >= state.deadline + PATIENCE:
            left = ", ".join(order.order_id for order in working if not order.is_settled)
            return needs_person(f"the position is open, and these orders for it could not be withdrawn: {left}")
        again = withdrawals(working, "the position is being closed")
        return Move("withdrawing", reason="asked again", commands=again) if again else None
    if not trade.position.quantity:
        return done(_result(trade))
    if now >= state.deadline:
        return _arm(state, trade, books, now, "its orders were withdrawn too late")
    quantity = abs(closable(books.account(state.account), trade.strategy, trade.symbol))
    if not quantity:
        return failed("the account does not hold what the trade holds: it was traded elsewhere")
    close = _closing_order(state, trade, quantity)
    return Move("closing", notes={"order_id": close.order_id}, commands=(close,))


def _closes_already(working: list[OrderState]) -> OrderState | None:
    """Another's order to close: to withdraw it, or to place one beside it, would be to fight for one position."""
    closing = (order for order in working if order.purpose is Purpose.CLOSE and not order.status.is_terminal)
    return next((order for order in closing if not order.awaits_approval), None)


def _closed(state: SagaState, trade: TradeState, books: Books, now: dt.datetime) -> Move | None:
    order = books.order(state.notes["order_id"])
    if order is None:
        return _arm(state, trade, books, now, "the order to close was refused")
    line = lineage(books, order)
    order = line[-1]
    if settled(line):
        if not trade.position.quantity:
            return done(_result(trade))
        return _arm(state, trade, books, now, f"the order to close is {order.status.value}")
    if now < state.deadline or (order.cancel_requested and now < state.deadline + PATIENCE):
        return None
    if order.cancel_requested:
        return needs_person(f"order {order.order_id} to close neither fills nor ends: it is {order.status.value}")
    return Move("closing", reason="too slow: withdrawing", commands=withdrawals(line, "the close took too long"))


def _arm(state: SagaState, trade: TradeState, books: Books, now: dt.datetime, reason: str) -> Move:
    """Put the protection back that was withdrawn; without any there is nothing to undo."""
    quantity = abs(closable(books.account(state.account), trade.strategy, trade.symbol))
    stop = _protecting_order(state, trade, quantity, now)
    if stop is None:
        return failed(f"{reason}; there was no protection to arm again")
    notes = {"protection_id": stop.order_id}
    until = now + PATIENCE
    return Move("arming", SagaStatus.COMPENSATING, reason, notes, until, commands=(stop,))


def _armed(state: SagaState, trade: TradeState, books: Books, now: dt.datetime) -> Move | None:
    order = books.order(state.notes["protection_id"])
    if order is None:
        return needs_person("the position is open without protection: the new one was refused by the gate")
    if order.broker_order_id is not None and not order.status.is_terminal and order.status is not _ON_ITS_WAY:
        return failed("not closed; its protection is armed again")
    if not trade.position.quantity:
        return done(_result(trade))
    if order.status.is_terminal:
        return needs_person(f"the position is open without protection: the new one is {order.status.value}")
    if now >= state.deadline:
        return needs_person(f"the position may be open without protection: the new one is {order.status.value}")
    return None


def _remembered(protection: OrderState) -> dict[str, str]:
    """What is needed to place the same protection again."""
    numbers: dict[str, Decimal | None] = {
        "stop_price": protection.stop_price,
        "stop_limit_price": protection.limit_price,
        "trail_price": protection.trail_price,
        "trail_percent": protection.trail_percent,
    }
    told = {name: format(value, "f") for name, value in numbers.items() if value is not None}
    return {"stop_type": protection.order_type.value, **told}


def _closing_order(state: SagaState, trade: TradeState, quantity: Decimal) -> PlaceOrder:
    return PlaceOrder(
        order_id=closing_order_id(state.saga_id),
        account=state.account,
        symbol=trade.symbol,
        side=_exit_side(trade),
        quantity=quantity,
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=_force(trade),
        strategy=trade.strategy,
        not_after=state.deadline,
        reference_price=optional_number(state.terms, "reference_price"),
        purpose=Purpose.CLOSE,
        decision_id=state.terms.get("decision_id"),
    )


def _protecting_order(state: SagaState, trade: TradeState, quantity: Decimal, now: dt.datetime) -> PlaceOrder | None:
    if "stop_type" not in state.notes or not quantity:
        return None
    is_whole = not quantity % 1
    return PlaceOrder(
        order_id=derived_id("saga", state.saga_id, "protect"),
        account=state.account,
        symbol=trade.symbol,
        side=_exit_side(trade),
        quantity=quantity,
        order_type=OrderType(state.notes["stop_type"]),
        limit_price=optional_number(state.notes, "stop_limit_price"),
        time_in_force=TimeInForce.GTC if is_crypto(trade.symbol) or is_whole else TimeInForce.DAY,
        strategy=trade.strategy,
        not_after=now + _FRESH,
        stop_price=optional_number(state.notes, "stop_price"),
        trail_price=optional_number(state.notes, "trail_price"),
        trail_percent=optional_number(state.notes, "trail_percent"),
        purpose=Purpose.PROTECT,
    )


def _exit_side(trade: TradeState) -> Side:
    return Side.SELL if trade.position.quantity > 0 else Side.BUY


def _force(trade: TradeState) -> TimeInForce:
    return TimeInForce.GTC if "/" in trade.symbol else TimeInForce.DAY


def _result(trade: TradeState) -> str:
    return f"closed; realised {format(trade.realised_pnl, 'f')} after fees of {format(trade.fees, 'f')}"
