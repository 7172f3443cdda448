"""Portfolio rebalance: towards target weights, sales before purchases, and an honest word on what was reached.

A symbol whose weight is within the drift band of its target is left alone. Quantities are whole units, rounded towards
zero, so a rebalance never spends more than its weights say. What the market or the gate refuses is reported, and not
forced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.commands import PlaceOrder
from tradecore.domain.identity import derived_id
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.values import ZERO, OrderType, SagaStatus, Side, TimeInForce, minus, parse_symbol, plus, times
from tradecore.errors import InputError
from tradecore.sagas.contract import Books, Move, done, failed, needs_person
from tradecore.sagas.orders import PATIENCE, found, settled, withdrawals
from tradecore.sagas.terms import optional_number, weights, word

_BAND = Decimal("0.02")


class Rebalance:
    """Brings `strategy` to `targets` (`AAPL=0.5 MSFT=0.3`) at `prices`, of `equity`, with a drift `band` of 0.02."""

    kind = "rebalance"
    timeout_s = 300.0

    def check(self, terms: Mapping[str, str]) -> None:
        """Raises `InputError` naming the term."""
        word(terms, "strategy")
        targets, prices = weights(terms, "targets"), weights(terms, "prices")
        if not targets:
            raise InputError("targets", terms.get("targets"), "at least one symbol with its weight, such as AAPL=0.5")
        for symbol, weight in targets.items():
            parse_symbol("targets", symbol)
            if not 0 <= weight <= 1:
                raise InputError(f"targets of {symbol}", weight, "a weight from 0 to 1")
            if not prices.get(symbol, ZERO) > 0:
                raise InputError(f"prices of {symbol}", prices.get(symbol), "a price above zero")
        if sum(targets.values()) > 1:
            raise InputError("targets", terms["targets"], "weights of at most 1 together")
        equity, band = optional_number(terms, "equity"), optional_number(terms, "band")
        if equity is None or not equity > 0:
            raise InputError("equity", terms.get("equity"), "an amount above zero")
        if band is not None and not 0 <= band < 1:
            raise InputError("band", band, "a share from 0 to below 1")

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """Sell, wait, buy, wait, report. Nothing is bought when a sale failed: its proceeds were to pay for it."""
        if not state.step:
            return self._begin(state, books, now)
        orders = found(books, (_order_id(state, symbol) for symbol in _planned(state)))
        if not settled(orders):
            return _overdue(state, orders, now) if now >= state.deadline else None
        if state.step == "selling" and state.notes["purchases"] and _are_sold(state, books):
            return Move("buying", commands=_orders(state, weights(state.notes, "purchases"), Side.BUY))
        return _report(state, books)

    def _begin(self, state: SagaState, books: Books, now: dt.datetime) -> Move:
        if now >= state.deadline:
            return failed("its time was over before anything was placed")
        sales, purchases = _differences(state, books.account(state.account))
        if not sales and not purchases:
            return done("every weight is within its band")
        notes = {"sales": _written(sales), "purchases": _written(purchases)}
        if not sales:
            return Move("buying", notes=notes, commands=_orders(state, purchases, Side.BUY))
        return Move("selling", notes=notes, commands=_orders(state, sales, Side.SELL))


def _differences(state: SagaState, account: AccountState) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Units to sell and to buy, by symbol, in alphabetical order."""
    terms = state.terms
    targets, prices = weights(terms, "targets"), weights(terms, "prices")
    equity = optional_number(terms, "equity") or ZERO
    band = optional_number(terms, "band")
    sales: dict[str, Decimal] = {}
    purchases: dict[str, Decimal] = {}
    for symbol in sorted(targets):
        price = prices[symbol]
        held = plus(account.held(terms["strategy"], symbol), account.working(terms["strategy"], symbol))
        gap = minus(times(targets[symbol], equity), times(held, price))
        if abs(gap) <= times(_BAND if band is None else band, equity):
            continue
        units = abs(gap) // price
        if units:
            (purchases if gap > 0 else sales)[symbol] = units
    return sales, purchases


def _are_sold(state: SagaState, books: Books) -> bool:
    """Whether every sale was made in full."""
    for symbol, wanted in weights(state.notes, "sales").items():
        order = books.order(_order_id(state, symbol))
        if order is None or order.filled_qty != wanted:
            return False
    return True


def _written(units: Mapping[str, Decimal]) -> str:
    return " ".join(f"{symbol}={format(quantity, 'f')}" for symbol, quantity in units.items())


def _order_id(state: SagaState, symbol: str) -> str:
    return derived_id("saga", state.saga_id, symbol)


def _orders(state: SagaState, units: Mapping[str, Decimal], side: Side) -> tuple[PlaceOrder, ...]:
    prices = weights(state.terms, "prices")
    return tuple(
        PlaceOrder(
            order_id=_order_id(state, symbol),
            account=state.account,
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=OrderType.MARKET,
            limit_price=None,
            time_in_force=TimeInForce.GTC if "/" in symbol else TimeInForce.DAY,
            strategy=state.terms["strategy"],
            not_after=state.deadline,
            reference_price=prices[symbol],
        )
        for symbol, quantity in units.items()
    )


def _planned(state: SagaState) -> dict[str, Decimal]:
    """Signed units that the rebalance wanted to trade, by symbol."""
    sales = {symbol: -quantity for symbol, quantity in weights(state.notes, "sales").items()}
    return {**sales, **weights(state.notes, "purchases")}


def _overdue(state: SagaState, orders: list[OrderState], now: dt.datetime) -> Move:
    """Its time is over with orders working: withdraw them, and ask a person when even that takes too long."""
    if state.status is SagaStatus.COMPENSATING:
        working = ", ".join(order.symbol for order in orders if not order.is_settled)
        return needs_person(f"orders in {working} could not be withdrawn")
    commands = withdrawals(orders, "the rebalance took too long")
    reason = "its time is over with orders working"
    return Move("withdrawing", SagaStatus.COMPENSATING, reason, deadline=now + PATIENCE, commands=commands)


def _report(state: SagaState, books: Books) -> Move:
    """What was reached of what was wanted; it failed only when nothing was."""
    told = []
    traded = ZERO
    missed = False
    for symbol, wanted in _planned(state).items():
        order = books.order(_order_id(state, symbol))
        filled = ZERO if order is None else order.filled_qty
        traded = plus(traded, filled)
        missed = missed or filled != abs(wanted)
        told.append(f"{symbol} {format(filled.copy_sign(wanted) if filled else ZERO, 'f')} of {format(wanted, 'f')}")
    result = ("in part: " if missed else "whole: ") + ", ".join(told)
    return done(result) if traded else failed(result)
