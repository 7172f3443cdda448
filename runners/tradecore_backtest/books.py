"""The books of a run: what the market did, told step by step, as commands to the domain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

import attrs
import msgspec

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.account import SETTINGS
from tradecore.domain.events import AlertTriggered
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.identity import fill_id, leg_order_id
from tradecore.domain.limits import Limits
from tradecore.domain.order import OrderState
from tradecore.domain.terms import Terms as OrderTerms
from tradecore.domain.terms import legs_of
from tradecore.domain.values import ZERO, Bar, OrderStatus, TradeStatus
from tradecore.ports.strategy import Idea
from tradecore.proposing import order_of, with_exits
from tradecore_backtest.desk import Desk, Moment

BROKER_ACCOUNT = "backtest"
_FRESH = dt.timedelta(days=1)
_ENDED = (TradeStatus.CLOSED, TradeStatus.ABANDONED)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """An idea at a bar: what the domain needs of the bar to make an order of it. `number` counts ideas of one bar.

    `volatility` is the average true range as a share of the price, None where no limit asks for it.
    """

    idea: Idea
    symbol: str
    start: dt.datetime
    close: Decimal
    number: int
    volatility: Decimal | None = None


class Fill(msgspec.Struct, frozen=True, gc=False):
    """An execution of an order. `filled` is all of the order that was executed by then; `signed` is below zero sold."""

    symbol: str
    signed: Decimal
    price: Decimal
    fees: Decimal
    filled: Decimal
    ends_order: bool


class Books(Protocol):
    """What a run tells and asks. Orders go by the ticket that the venue gave them."""

    @property
    def cash(self) -> Decimal:
        """Cash in account currency."""

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed quantities by symbol; nothing of what is flat."""

    def begin(self, cash: Decimal, limits: Limits, moment: Moment) -> None:
        """Open the account."""

    def place(self, ticket: int, asked: Asked, moment: Moment) -> OrderTerms | None:
        """Decide on an idea: the terms to be sent, None when the gate refuses. Raises `InputError`.

        The tickets after this one are those of its legs.
        """

    def answer(self, ticket: int, refusal: tuple[str, str] | None, moment: Moment) -> None:
        """The order was sent, and taken or refused (code and words)."""

    def work(self, ticket: int, moment: Moment) -> None:
        """A leg that was held is on the market now."""

    def fill(self, ticket: int, fill: Fill, moment: Moment) -> None:
        """The order traded."""

    def end(self, ticket: int, status: OrderStatus, filled: Decimal, moment: Moment) -> None:
        """The broker's last word on an order."""

    def book(self, name: str, kind: str, symbol: str, amount: Decimal, units: Decimal, moment: Moment) -> None:
        """Cash or units that came or went without an order."""

    def mark(self, marks: Mapping[str, Decimal], moment: Moment) -> None:
        """Prices of what is held, as a day begins."""

    def note(self, message: str, moment: Moment) -> None:
        """Something that a person should see."""


def proposed(
    asked: Asked, exits: ExitPlan | None, held: Decimal, *, strategy: str, account: str, moment: Moment
) -> cmd.PlaceOrder:
    """The order of an idea, with how its trade is left, as the engine makes it.

    Raises `InputError`.
    """
    close = asked.close
    bar = Bar(asked.symbol, asked.start, close, close, close, close, ZERO)
    order = order_of(asked.idea, bar, asked.number, strategy=strategy, account=account, not_after=moment.at + _FRESH)
    order = attrs.evolve(order, volatility=asked.volatility)
    return with_exits(order, asked.idea.exits or exits, held)


class DeskBooks:
    """Books kept by the domain as the run goes on."""

    def __init__(self, desk: Desk, account: str, strategy: str, exits: ExitPlan | None = None) -> None:
        self._desk, self._account, self._strategy, self._exits = desk, account, strategy, exits
        self._order_ids: dict[int, str] = {}
        self._fills = 0

    @property
    def cash(self) -> Decimal:
        """Cash in account currency."""
        return self._desk.account.cash

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed quantities by symbol."""
        return {symbol: position.quantity for symbol, position in self._desk.account.positions.items()}

    def begin(self, cash: Decimal, limits: Limits, moment: Moment) -> None:
        """Pin the account and set its limits."""
        pin = cmd.PinAccount(self._account, BROKER_ACCOUNT, BROKER_ACCOUNT, True, "USD", cash, (), moment.at)
        self._desk.take(pin, moment, "runner")
        wanted = cmd.SetLimits(self._account, limits, SETTINGS, "as the backtest was told")
        self._desk.take(wanted, moment, "settings")

    def place(self, ticket: int, asked: Asked, moment: Moment) -> OrderTerms | None:
        """Through the gate, into decision, trade and order."""
        held = self._desk.account.held(self._strategy, asked.symbol)
        order = proposed(asked, self._exits, held, strategy=self._strategy, account=self._account, moment=moment)
        self._desk.take(order, moment, f"strategy:{self._strategy}")
        placed = self._desk.order(order.order_id)
        self.know(ticket, order.order_id)
        return placed

    def know(self, ticket: int, order_id: str) -> None:
        """An order, and its legs, by the tickets that the venue gives them."""
        for number, known in enumerate([order_id, *_legs_of(self._desk.order(order_id))]):
            self._order_ids[ticket + number] = known

    def ticket_of(self, order_id: str) -> int | None:
        """The ticket of an order that has not ended."""
        return next((ticket for ticket, known in self._order_ids.items() if known == order_id), None)

    def canceling(self, ticket: int) -> tuple[cmd.Command, ...]:
        """What is recorded of a cancel before the broker's word on the order: the attempt, and that it was taken."""
        order_id = self._order_ids[ticket]
        return cmd.StartCancel(order_id, "backtest"), cmd.RecordCancelAnswer(order_id, True, "")

    def answer(self, ticket: int, refusal: tuple[str, str] | None, moment: Moment) -> None:
        """The attempt is recorded first, then its outcome."""
        desk, order_id = self._desk, self._order_ids[ticket]
        order = desk.order(order_id)
        assert order is not None, "it was just placed"
        legs = _legs_of(order)
        desk.take(cmd.StartSubmit(order_id, "backtest", order.body_hash, moment.at, 1), moment, "outbox")
        if refusal is not None:
            desk.take(cmd.RecordRejection(order_id, *refusal, "", 1), moment, "outbox")
            for number in range(len(legs), -1, -1):
                self._let_go(ticket + number)
            return
        answer = cmd.RecordAnswer(order_id, f"bt-{ticket}", OrderStatus.NEW, ZERO, moment.at, "")
        desk.take(answer, moment, "outbox")
        for number in range(1, len(legs) + 1):
            self._report(ticket + number, OrderStatus.HELD, ZERO, moment, "outbox")

    def work(self, ticket: int, moment: Moment) -> None:
        """A leg that was held is on the market."""
        self._report(ticket, OrderStatus.NEW, ZERO, moment, "inbox")

    def fill(self, ticket: int, fill: Fill, moment: Moment) -> None:
        """An execution, told by the stream of reports."""
        self._fills += 1
        broker_id = f"bt-{ticket}"
        identity = fill_id(BROKER_ACCOUNT, broker_id, str(fill.filled))
        record = cmd.RecordFill(
            fill_id=identity,
            order_id=self._order_ids[ticket],
            broker_order_id=broker_id,
            execution_id=f"bt-x{self._fills}",
            quantity=abs(fill.signed),
            price=fill.price,
            cumulative_qty=fill.filled,
            fees=fill.fees,
            occurred_at=moment.at,
            source="backtest",
            raw="",
        )
        self._desk.take(record, moment, "inbox")
        self._desk.forget(streams.fill(identity))
        if fill.ends_order:
            self._let_go(ticket)

    def end(self, ticket: int, status: OrderStatus, filled: Decimal, moment: Moment) -> None:
        """The broker's last word on an order."""
        self._report(ticket, status, filled, moment, "inbox")
        self._let_go(ticket)

    def book(self, name: str, kind: str, symbol: str, amount: Decimal, units: Decimal, moment: Moment) -> None:
        """An activity of the account."""
        command = cmd.BookActivity(self._account, name, kind, symbol, amount, units, moment.at, "")
        self._desk.take(command, moment, "inbox")

    def mark(self, marks: Mapping[str, Decimal], moment: Moment) -> None:
        """Prices for the gate, and the equity that a day begins with."""
        self._desk.take(cmd.MarkEquity(self._account, marks, moment.at), moment, "engine")

    def note(self, message: str, moment: Moment) -> None:
        """An alert."""
        self._desk.note(streams.BROKER, AlertTriggered("bad_proposal", message), moment)

    def _report(self, ticket: int, status: OrderStatus, filled: Decimal, moment: Moment, actor: str) -> None:
        order_id, broker_id = self._order_ids[ticket], f"bt-{ticket}"
        report = cmd.RecordReport(order_id, broker_id, status, filled, moment.at, "backtest", "")
        self._desk.take(report, moment, actor)

    def _let_go(self, ticket: int) -> None:
        """Nothing more will be recorded of an order that ended, nor of a trade with the last of its orders."""
        order = self._desk.order(self._order_ids[ticket])
        if order is None or not order.is_settled:
            return
        del self._order_ids[ticket]
        if self._desk.exits(order.trade_id) is not None:
            return  # whoever leaves the trade asks what became of its orders
        self._desk.forget(streams.order(order.order_id))
        trade = self._desk.trade(order.trade_id)
        if trade is not None and trade.status in _ENDED and not trade.working_orders:
            self._desk.forget(streams.trade(order.trade_id))


def _legs_of(order: OrderState | None) -> list[str]:
    """The ids of the orders that an order brings along."""
    return [] if order is None else [leg_order_id(order.order_id, leg.value) for leg in legs_of(order)]
