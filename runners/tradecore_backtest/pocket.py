"""Books that are kept in short, for a run whose orders no limit can refuse: cash and positions now, the ledger later.

Every step is noted as it was told. `play` tells the steps to the domain's own books, which decide them one by one and
must come to the same cash and positions; only then is there a ledger. Sums are made in the same order, so they agree
to the last digit.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.limits import Limits
from tradecore.domain.terms import Terms as OrderTerms
from tradecore.domain.values import (
    ZERO,
    OrderClass,
    OrderStatus,
    OrderType,
    Purpose,
    TimeInForce,
    minus,
    parse_positive,
    parse_symbol,
    plus,
    times,
)
from tradecore.errors import InvariantViolated
from tradecore.journal.collector import collector_paused
from tradecore.ports.strategy import Idea
from tradecore_backtest.books import Asked, Books, Fill, proposed
from tradecore_backtest.desk import Moment

_MANY = 10_000
_ARGUMENTS = {
    "begin": 3, "place": 3, "answer": 3, "work": 2, "fill": 3, "end": 4, "book": 6, "mark": 2, "note": 2,
}  # fmt: skip


class DomainWanted(Exception):
    """An order whose trade is left by exits: from it on the domain has to be asked at every step."""


class Pocket:
    """`Books` of one account that has no limits."""

    def __init__(self, strategy: str, account: str, exits: ExitPlan | None = None) -> None:
        self.cash = ZERO
        self._held: dict[str, Decimal] = {}
        self._steps: list[Any] = []
        self._strategy, self._account, self._exits = strategy, account, exits

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed quantities by symbol."""
        return self._held

    def begin(self, cash: Decimal, limits: Limits, moment: Moment) -> None:
        """Open the account."""
        assert limits == Limits(), "what limits say, the domain must be asked"
        self.cash = cash
        self._steps += ("begin", cash, limits, moment)

    def place(self, ticket: int, asked: Asked, moment: Moment) -> OrderTerms | None:
        """Without limits nothing is refused but what is no order. Raises `InputError` and `DomainWanted`."""
        terms: OrderTerms = asked.idea
        if self._exits is not None or not _is_plain(asked.idea) or not _is_listed(asked.symbol):
            held = self._held.get(asked.symbol, ZERO)
            order = proposed(asked, self._exits, held, strategy=self._strategy, account=self._account, moment=moment)
            if order.exits is not None:
                raise DomainWanted
            terms = order
        self._steps += ("place", ticket, asked, moment)
        return terms

    def answer(self, ticket: int, refusal: tuple[str, str] | None, moment: Moment) -> None:
        """The order was sent, and taken or refused."""
        self._steps += ("answer", ticket, refusal, moment)

    def work(self, ticket: int, moment: Moment) -> None:
        """A leg that was held is on the market now."""
        self._steps += ("work", ticket, moment)

    def fill(self, ticket: int, fill: Fill, moment: Moment) -> None:
        """The order traded."""
        signed, symbol = fill.signed, fill.symbol
        self.cash = plus(self.cash, minus(times(signed.copy_negate(), fill.price), fill.fees))
        self._add(symbol, signed)
        self._steps += ("fill", ticket, fill, moment)

    def end(self, ticket: int, status: OrderStatus, filled: Decimal, moment: Moment) -> None:
        """The broker's last word on an order."""
        self._steps += ("end", ticket, status, filled, moment)

    def book(self, name: str, kind: str, symbol: str, amount: Decimal, units: Decimal, moment: Moment) -> None:
        """Cash or units that came or went without an order."""
        self.cash = plus(self.cash, amount)
        if units:
            self._add(symbol, units)
        self._steps += ("book", name, kind, symbol, amount, units, moment)

    def mark(self, marks: Mapping[str, Decimal], moment: Moment) -> None:
        """Prices of what is held, as a day begins."""
        self._steps += ("mark", marks, moment)

    def note(self, message: str, moment: Moment) -> None:
        """Something that a person should see."""
        self._steps += ("note", message, moment)

    def play(self, books: Books) -> None:
        """Tell other books every step. Raises `InvariantViolated` when they come to something else."""
        told = self._told()
        while some := tuple(islice(told, _MANY)):
            with collector_paused():  # all that is made stays
                for name, arguments in some:
                    outcome = getattr(books, name)(*arguments)
                    if name == "place" and outcome is None:
                        raise InvariantViolated(f"the gate refused what a run without limits took: {arguments[1]}")
        if books.cash != self.cash or dict(books.positions) != self._held:
            raise InvariantViolated(
                f"the run ended with {self.cash} and {self._held}, its ledger with {books.cash} and {books.positions}"
            )

    def _told(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Names and arguments of the steps. They lie flat in the list: half the memory, and nothing to collect."""
        steps = iter(self._steps)
        for name in steps:
            yield name, tuple(islice(steps, _ARGUMENTS[name]))

    def _add(self, symbol: str, units: Decimal) -> None:
        quantity = plus(self._held.get(symbol, ZERO), units)
        if quantity:
            self._held[symbol] = quantity
        else:
            self._held.pop(symbol, None)


def _is_plain(idea: Idea) -> bool:
    """A market order for the day, whose terms need no second look."""
    quantity = idea.quantity
    if (
        idea.order_type is not OrderType.MARKET
        or idea.time_in_force is not TimeInForce.DAY
        or quantity is None
        or idea.notional is not None
        or idea.limit_price is not None
        or idea.stop_price is not None
        or idea.trail_price is not None
        or idea.trail_percent is not None
        or idea.take_profit is not None
        or idea.stop_loss is not None
        or idea.extended_hours
        or idea.order_class is not OrderClass.SIMPLE
        or idea.exits is not None
        or idea.confidence is not None
        or idea.purpose is not Purpose.TRADE
    ):
        return False
    return type(quantity) is Decimal and _is_positive(quantity)


@functools.lru_cache(maxsize=1024)
def _is_listed(symbol: str) -> bool:
    """No crypto pair, which takes no order for the day. Raises `InputError` for what is no symbol."""
    return "/" not in parse_symbol("symbol", symbol)


@functools.lru_cache(maxsize=1024)
def _is_positive(quantity: Decimal) -> bool:
    """Raises `InputError` as the domain does; strategies mostly repeat themselves."""
    return parse_positive("quantity", quantity) > 0
