"""A decision to sell what legs protect at the broker, with a death at every failpoint: sold once, protected or told."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from typing import TypeVar

import attrs
import pytest

from tests.ledger.desk import CountingIds, Desk, StillClock
from tradecore import failpoints
from tradecore.domain import commands as cmd
from tradecore.domain.events import Event, OrderPlanned, SagaStarted
from tradecore.domain.identity import decision_id, leg_order_id, order_id_of_decision
from tradecore.domain.order import OrderState
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Purpose, SagaStatus, Side
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.sagas.conductor import Conductor

EventT = TypeVar("EventT", bound=Event)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


class Died(BaseException):
    """The process is gone; nothing in it catches this."""


class Reaper:
    """Lets the process die at the failpoint of a number, and only there."""

    def __init__(self, number: int) -> None:
        self.name = ""
        self._left = number

    def __call__(self, name: str) -> None:
        self._left -= 1
        if not self._left:
            self.name = name
            raise Died(name)


@attrs.define
class Story:
    """A ledger, and a broker that fills what closes, or rejects it."""

    desk: Desk
    conductor: Conductor
    rejects: bool
    decision: str
    entry: str

    @classmethod
    def begin(cls, journal: Journal, *, rejects: bool) -> Story:
        """A bracket of ten is filled, and its legs work."""
        desk = Desk.over(journal)
        desk.pin()
        entry = desk.place(
            "buy",
            "10",
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(Decimal(120)),
            stop_loss=StopLoss(Decimal(90)),
        )
        desk.send(entry)
        desk.answer(entry, "new")
        profit, loss = (leg_order_id(entry, leg) for leg in ("take_profit", "stop_loss"))
        desk.report(profit, "held")
        desk.report(loss, "held")
        desk.fill(entry, "10", "100")
        desk.report(profit, "new", at=1)
        conductor = Conductor(desk.ledger, desk.clock, desk.ids, "main")
        return cls(desk, conductor, rejects, decision_id("test", "SPY", "now"), entry)

    def restart(self) -> None:
        """Another process: nothing is left but the journal."""
        clock, ids = StillClock(), CountingIds()
        clock.at, ids._next = self.desk.clock.at, self.desk.ids._next
        self.desk = Desk(Ledger(self.desk.ledger.journal, clock, ids), clock, ids, filled=self.desk.filled)
        self.conductor = Conductor(self.desk.ledger, clock, ids, "main")
        for started in self.events(SagaStarted):
            state = self.desk.ledger.saga(started.saga_id)
            if state is not None and state.is_live:
                row = {"saga_id": state.saga_id, "account": "main", "status": state.status.value}
                self.conductor.restore([row])

    def events(self, kind: type[EventT]) -> list[EventT]:
        return [one.event for one in self.desk.ledger.journal.read(0, 10_000) if isinstance(one.event, kind)]

    def orders(self) -> list[OrderState]:
        return [self.desk.order(event.order_id) for event in self.events(OrderPlanned)]

    def sell(self) -> None:
        """What a cycle does with the decision, and does again after a restart."""
        desk, order_id = self.desk, order_id_of_decision(self.decision)
        if self.events(SagaStarted) or desk.ledger.order(order_id) is not None:
            return
        now = desk.clock.now()
        proposal = cmd.Proposal(
            self.decision, "test", "SPY", Side.SELL, Decimal(10), Decimal(100), now, "enough", Decimal("0.9"),
            deliberated=True,
        )  # fmt: skip
        desk.place(
            "sell", "10", order_id=order_id, purpose=Purpose.CLOSE, proposal=proposal, reference_price=Decimal(100)
        )

    def turn(self) -> None:
        """The runner looks, and the broker does what it was asked."""
        self.conductor.observe(self.desk.ledger.journal.read(0, 10_000))
        self.conductor.advance()
        for order in self.orders():
            if order.status.is_terminal:
                continue
            if order.cancel_requested:
                self.desk.report(order.order_id, "canceled", at=2)
            elif order.broker_order_id is None and order.leg is None:
                self.deliver(order)
            elif order.purpose is Purpose.CLOSE:
                self.work(order)

    def deliver(self, order: OrderState) -> None:
        if order.status is OrderStatus.PLANNED:
            self.desk.send(order.order_id)
        self.desk.answer(order.order_id, "new")

    def work(self, order: OrderState) -> None:
        if self.rejects:
            self.desk.report(order.order_id, "rejected", at=2)
        else:
            self.desk.fill(order.order_id, "10", "101", cum="10")

    def check(self) -> None:
        """What must be true at every moment at which a process can die."""
        orders = self.orders()
        closes = [one for one in orders if one.purpose is Purpose.CLOSE]
        assert len(closes) <= 1, "sold twice"
        assert self.held in (Decimal(0), Decimal(10))
        stops = [one for one in orders if one.order_type in _STOPS and not one.status.is_terminal]
        assert len(stops) <= 1, "two stops for one position open another"
        if self.held and not [one for one in stops if not one.cancel_requested]:
            states = [self.desk.ledger.saga(event.saga_id) for event in self.events(SagaStarted)]
            told = [one for one in states if one is not None and (one.is_live or one.status is SagaStatus.MANUAL)]
            assert told, "bare, and nobody is at work or was called"

    @property
    def held(self) -> Decimal:
        return self.desk.ledger.account("main").held("test", "SPY")


def live_through(number: int, *, rejects: bool) -> str:
    """The story with a death at that failpoint; its name, "" where the story has fewer."""
    with closing(open_journal("memory:")) as journal:
        story = Story.begin(journal, rejects=rejects)
        reaper = Reaper(number)
        for _ in range(12):
            failpoints.watch(reaper)
            try:
                story.sell()
                story.turn()
            except Died:
                failpoints.watch(None)
                story.restart()
            finally:
                failpoints.watch(None)
            story.check()
            story.desk.clock.at += dt.timedelta(seconds=1)
        (saga,) = {event.saga_id for event in story.events(SagaStarted)}
        state = story.desk.ledger.saga(saga)
        assert state is not None
        assert len([one for one in story.orders() if one.purpose is Purpose.CLOSE]) == 1
        if rejects:
            assert (state.status, story.held) == (SagaStatus.FAILED, Decimal(10))
            (stop,) = [one for one in story.orders() if one.order_type in _STOPS and not one.status.is_terminal]
            assert (stop.stop_price, stop.quantity, stop.side) == (Decimal(90), Decimal(10), Side.SELL)
        else:
            assert (state.status, story.held) == (SagaStatus.COMPLETED, Decimal(0))
        return reaper.name


@pytest.mark.parametrize("rejects", [False, True], ids=["filled", "rejected"])
def test_a_decision_beside_legs_sells_once_and_never_loses_protection_silently(rejects: bool) -> None:
    names: list[str] = []
    while name := live_through(len(names) + 1, rejects=rejects):
        names.append(name)
    assert {"saga.step.before", "saga.step.after", "ledger.t1.before", "ledger.t1.after"} <= set(names)
    assert {"journal.append.before_commit", "journal.append.after_commit"} <= set(names)
    assert names.count("saga.step.after") >= (4 if rejects else 3)
