"""Flatten: after a kill has ended everything that worked, what is held is closed, and the broker asked whether it is.

The order of work is fixed: nothing is closed while an order may still fill, and it is the broker who says that nothing
is left. Orders to close that do not fill in time work on, and a person is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tradecore.domain.account import AccountState
from tradecore.domain.commands import ClosePosition, Command, RequestKill
from tradecore.domain.identity import derived_id
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.values import Purpose, SagaStatus, minus
from tradecore.sagas.contract import Books, Move, done, needs_person
from tradecore.sagas.terms import word

_BY_HAND = "manual"
_ROUNDS = 3
"""How often what is still held is closed again: an order to close may be refused, or end without a fill."""


class Flatten:
    """Closes everything that the account holds, once nothing works for it any more; `reason` is for the record."""

    kind = "flatten"
    timeout_s = 300.0

    def check(self, terms: Mapping[str, str]) -> None:
        """Needs `reason`. Raises `InputError`."""
        word(terms, "reason")

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """Wait for the kill, close, wait for the closes, have the broker verify."""
        if state.step == "verifying":
            return _verified(state, books, now)
        is_late = now >= state.deadline
        kill = books.kill(state.account)
        if kill is not None and kill.is_open:
            return needs_person("the kill is not verified: nothing was closed") if is_late else None
        account = books.account(state.account)
        working = _closing(account, books)
        if working:
            names = ", ".join(order.order_id for order in working)
            return needs_person(f"not flat yet; these orders work on: {names}") if is_late else None
        if not account.positions:
            return Move("verifying", commands=(_kill(state, flat=True),))
        turn = int(state.notes.get("turn", "0")) + 1
        if turn > _ROUNDS or is_late:
            return needs_person("still held: " + ", ".join(sorted(account.positions)))
        return Move("closing", notes={"turn": str(turn)}, commands=tuple(_closes(state, account, turn)))


def _verified(state: SagaState, books: Books, now: dt.datetime) -> Move | None:
    kill = books.kill(state.account)
    if kill is not None and kill.flat and not kill.is_open:
        return done("the broker shows no order and no position")
    if now >= state.deadline:
        doubt = "the books hold nothing, but the broker does not say so"
        return Move("manual", SagaStatus.MANUAL, doubt, commands=(_kill(state, flat=False),))
    if kill is None or not kill.flat:  # somebody asked for another kill meanwhile
        return Move("verifying", reason="asked again", commands=(_kill(state, flat=True),))
    return None


def _kill(state: SagaState, *, flat: bool) -> RequestKill:
    return RequestKill(state.account, state.terms["reason"], flat=flat)


def _closing(account: AccountState, books: Books) -> list[OrderState]:
    """Orders to close that are not settled."""
    reserved = (books.order(order_id) for order_id in account.reservations)
    return [order for order in reserved if order is not None and order.purpose is Purpose.CLOSE]


def _closes(state: SagaState, account: AccountState, turn: int) -> list[Command]:
    """One order against what each strategy holds; what is in nobody's name is closed by hand."""
    rest = {symbol: position.quantity for symbol, position in account.positions.items()}
    shares = [(symbol, strategy) for strategy, symbol in account.holdings if symbol in rest]
    for symbol, strategy in shares:
        rest[symbol] = minus(rest[symbol], account.held(strategy, symbol))
    by_hand = [(symbol, _BY_HAND) for symbol, left in rest.items() if left and (symbol, _BY_HAND) not in shares]
    return [
        ClosePosition(
            order_id=derived_id("saga", state.saga_id, f"flatten {turn} {strategy} {symbol}"),
            account=state.account,
            symbol=symbol,
            not_after=state.deadline,
            strategy=strategy,
            reason=state.terms["reason"],
        )
        for symbol, strategy in sorted((*shares, *by_hand))
    ]
