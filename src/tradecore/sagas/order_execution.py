"""Order execution: an order that was placed is to be done within its time, or what is left of it is withdrawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.values import ZERO, OrderStatus, SagaStatus, plus
from tradecore.sagas.contract import Books, Move, done, failed, needs_person
from tradecore.sagas.orders import PATIENCE, lineage, settled, withdrawals
from tradecore.sagas.terms import word


class OrderExecution:
    """Watches the order `order_id` of its terms until it is done."""

    kind = "order_execution"
    timeout_s = 60.0

    def check(self, terms: Mapping[str, str]) -> None:
        """Needs `order_id`. Raises `InputError`."""
        word(terms, "order_id")

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """Wait for the order, then withdraw it when its time is over."""
        order = books.order(state.terms["order_id"])
        if order is None:
            return failed("there is no such order")
        return watch(state, lineage(books, order), now)


def watch(state: SagaState, line: list[OrderState], now: dt.datetime) -> Move | None:
    """The rest of a saga whose aim is one order, or what took its place: what it comes to, or its withdrawal."""
    if settled(line):
        return _ended(line)
    order = line[-1]
    if now < state.deadline:
        return None
    if state.status is SagaStatus.COMPENSATING:
        return needs_person(f"order {order.order_id} is {order.status.value} and could not be withdrawn in time")
    commands = withdrawals(line, "its time for execution is over")
    reason = f"order {order.order_id} is {order.status.value} after its time"
    return Move("withdrawing", SagaStatus.COMPENSATING, reason, deadline=now + PATIENCE, commands=commands)


def _ended(line: list[OrderState]) -> Move:
    filled, last = ZERO, line[-1]
    for order in line:
        filled = plus(filled, order.filled_qty)
    if not filled:
        return failed(f"the order is {last.status.value} without a fill")
    whole = last.status is OrderStatus.FILLED
    return done(f"filled {filled}" + ("" if whole else f" in part, {last.status.value}"))
