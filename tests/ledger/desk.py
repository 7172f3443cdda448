"""A desk for tests: gives commands to a real ledger in the words of a story."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.account import AccountState
from tradecore.domain.events import Event, OpeningPosition
from tradecore.domain.identity import fill_id
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.terms import body_hash
from tradecore.domain.trade import TradeState
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger

NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
BROKER_ACCOUNT = "broker-account-1"


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.at = NOON

    def now_ns(self) -> int:
        return int(self.at.timestamp()) * 1_000_000_000

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


class CountingIds:
    """Ids that count from one."""

    def __init__(self) -> None:
        self._next: Iterator[int] = itertools.count(1)

    def event_id(self) -> str:
        return str(uuid.UUID(int=next(self._next)))

    def order_id(self) -> str:
        return str(uuid.UUID(int=2**64 + next(self._next)))

    def trace_id(self) -> str:
        return f"{next(self._next):032x}"

    def epoch(self) -> str:
        return "0a1b2c3d"


@attrs.define
class Desk:
    """A ledger and the commands that reach it."""

    ledger: Ledger
    clock: StillClock
    ids: CountingIds
    filled: dict[str, Decimal] = attrs.field(factory=dict)

    @classmethod
    def in_memory(cls) -> Desk:
        return cls.over(open_journal("memory:"))

    @classmethod
    def over(cls, journal: Journal) -> Desk:
        clock, ids = StillClock(), CountingIds()
        return cls(Ledger(journal, clock, ids), clock, ids)

    def give(self, command: cmd.Command) -> tuple[Recorded[Event], ...]:
        return self.ledger.handle(command, Cause(self.ids.trace_id(), actor="test"))

    def pin(self, cash: str = "100000", account: str = BROKER_ACCOUNT, positions: Any = (), paper: bool = True) -> None:
        held = tuple(OpeningPosition(symbol, Decimal(qty), Decimal(price)) for symbol, qty, price in positions)
        self.give(cmd.PinAccount("main", "test", account, paper, "USD", Decimal(cash), held, NOON))

    def limit(self, qty: str | None = None, notional: str | None = None, orders: int | None = None) -> None:
        self.limits(
            max_order_qty=None if qty is None else Decimal(qty),
            max_order_notional=None if notional is None else Decimal(notional),
            max_open_orders=orders,
        )

    def limits(self, **limits: Any) -> None:
        """Replace all limits by these."""
        self.give(cmd.SetLimits("main", Limits(**limits), "test", "a story"))

    def mark(self, **prices: str) -> None:
        """Tell the prices of what is held."""
        self.give(
            cmd.MarkEquity("main", {symbol: Decimal(price) for symbol, price in prices.items()}, self.clock.now())
        )

    def place(self, side: str, qty: str, symbol: str = "SPY", **terms: Any) -> str:
        """Place an order and return its id."""
        order_id = str(terms.pop("order_id", self.ids.order_id()))
        limit = terms.pop("limit", None)
        wanted: dict[str, Any] = {
            "order_id": order_id,
            "account": "main",
            "symbol": symbol,
            "side": Side(side),
            "quantity": Decimal(qty),
            "order_type": OrderType.LIMIT if limit else OrderType.MARKET,
            "limit_price": Decimal(limit) if limit else None,
            "time_in_force": TimeInForce.GTC if "/" in symbol else TimeInForce.DAY,
            "strategy": "test",
            "not_after": self.clock.now() + dt.timedelta(seconds=30),
        }
        self.give(cmd.PlaceOrder(**(wanted | terms)))
        return order_id

    def send(self, order_id: str) -> tuple[Recorded[Event], ...]:
        """T2."""
        return self.give(cmd.StartSubmit(order_id, "lease-1", body_hash(self.order(order_id)), self.clock.now()))

    def answer(self, order_id: str, status: str = "pending_new", filled: str = "0") -> tuple[Recorded[Event], ...]:
        """T3."""
        word = cmd.RecordAnswer(order_id, f"b-{order_id}", OrderStatus(status), Decimal(filled), self.clock.now(), "{}")
        return self.give(word)

    def report(self, order_id: str, status: str, filled: str = "0", at: int = 0) -> tuple[Recorded[Event], ...]:
        when = self.clock.now() + dt.timedelta(seconds=at)
        word = cmd.RecordReport(order_id, f"b-{order_id}", OrderStatus(status), Decimal(filled), when, "stream", "{}")
        return self.give(word)

    def fill(
        self, order_id: str, qty: str, price: str, fees: str = "0", cum: str | None = None
    ) -> tuple[Recorded[Event], ...]:
        quantity = Decimal(qty)
        if cum is None:
            self.filled[order_id] = cumulative = self.filled.get(order_id, Decimal(0)) + quantity
        else:
            cumulative = Decimal(cum)
        broker_order = f"b-{order_id}"
        identity = fill_id(BROKER_ACCOUNT, broker_order, format(cumulative, "f"))
        return self.give(
            cmd.RecordFill(
                fill_id=identity,
                order_id=order_id,
                broker_order_id=broker_order,
                execution_id=f"x-{identity}",
                quantity=quantity,
                price=Decimal(price),
                cumulative_qty=cumulative,
                fees=Decimal(fees),
                occurred_at=self.clock.now(),
                source="stream",
                raw="{}",
            )
        )

    def live(self, side: str, qty: str, symbol: str = "SPY", **terms: Any) -> str:
        """An order that the broker works."""
        order_id = self.place(side, qty, symbol, **terms)
        self.send(order_id)
        self.answer(order_id)
        return order_id

    def done(self, side: str, qty: str, price: str, symbol: str = "SPY", **terms: Any) -> str:
        """An order that is filled."""
        order_id = self.live(side, qty, symbol, **terms)
        self.fill(order_id, qty, price)
        return order_id

    def order(self, order_id: str) -> OrderState:
        state = self.ledger.order(order_id)
        assert state is not None
        return state

    def trade_of(self, order_id: str) -> TradeState:
        state = self.ledger.trade(self.order(order_id).trade_id)
        assert state is not None
        return state

    @property
    def account(self) -> AccountState:
        return self.ledger.account("main")

    def names(self) -> list[str]:
        return [recorded.envelope.name for recorded in self.ledger.journal.read(0, 100_000)]
