"""Signal to execution: a signal becomes an order, the order becomes fills, or nothing is left of either."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tradecore.domain.commands import PlaceOrder
from tradecore.domain.identity import derived_id
from tradecore.domain.saga import SagaState
from tradecore.domain.terms import is_crypto
from tradecore.domain.values import OrderType, SagaStatus, Side, TimeInForce, parse_positive, parse_symbol, parse_word
from tradecore.sagas.contract import Books, Move, failed
from tradecore.sagas.order_execution import watch
from tradecore.sagas.orders import lineage
from tradecore.sagas.terms import optional_number, word


class SignalExecution:
    """Places what its terms say: symbol, side, quantity, strategy, type, limit_price, reference_price."""

    kind = "signal_execution"
    timeout_s = 120.0

    def check(self, terms: Mapping[str, str]) -> None:
        """Raises `InputError` naming the term."""
        parse_symbol("symbol", word(terms, "symbol"))
        parse_word("side", word(terms, "side"), Side)
        parse_positive("quantity", word(terms, "quantity"))
        parse_word("type", terms.get("type", "market"), OrderType)
        word(terms, "strategy")
        optional_number(terms, "limit_price")
        optional_number(terms, "reference_price")

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """Place once, then watch the order."""
        order_id = derived_id("saga", state.saga_id, "order")
        if state.status is SagaStatus.PENDING:
            if now >= state.deadline:
                return failed("its time was over before anything was placed")
            return Move("placing", commands=(_order(state, order_id),))
        order = books.order(order_id)
        if order is None:
            return failed("the risk gate refused the order")
        return watch(state, lineage(books, order), now)


def _order(state: SagaState, order_id: str) -> PlaceOrder:
    terms = state.terms
    return PlaceOrder(
        order_id=order_id,
        account=state.account,
        symbol=terms["symbol"],
        side=Side(terms["side"]),
        quantity=parse_positive("quantity", terms["quantity"]),
        order_type=OrderType(terms.get("type", "market")),
        limit_price=optional_number(terms, "limit_price"),
        time_in_force=TimeInForce.GTC if is_crypto(terms["symbol"]) else TimeInForce.DAY,
        strategy=terms["strategy"],
        not_after=state.deadline,
        reference_price=optional_number(terms, "reference_price"),
    )
