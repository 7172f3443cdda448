"""A process manager over a real ledger, with a clock and a broker that do what the story says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from tests.ledger.desk import CountingIds, Desk, StillClock
from tradecore.domain.events import OrderPlanned
from tradecore.domain.messages import Cause
from tradecore.domain.saga import SagaState
from tradecore.domain.values import SagaStatus
from tradecore.journal import Journal
from tradecore.ledger import Ledger
from tradecore.sagas.conductor import Conductor

SAGA = "018f3c5e-9d1a-7c3b-8a54-0242ac120002"


@attrs.define
class Stage:
    """The desk plays the broker; `look` is what the manager does when something happened."""

    desk: Desk
    conductor: Conductor
    restarts: bool = False
    """Whether every look is that of a new process."""

    @classmethod
    def over(cls, journal: Journal, *, restarts: bool = False) -> Stage:
        desk = Desk.over(journal)
        desk.pin()
        return cls(desk, Conductor(desk.ledger, desk.clock, desk.ids, "main"), restarts)

    def start(self, kind: str, terms: Mapping[str, str]) -> SagaState:
        self.conductor.start(SAGA, kind, terms, Cause(self.desk.ids.trace_id(), actor="test"))
        return self.look()

    def look(self, seconds: float = 0) -> SagaState:
        """Let time pass and the manager look; returns the saga."""
        if self.restarts:
            self.restart()
        self.desk.clock.at += dt.timedelta(seconds=seconds)
        self.conductor.advance()
        return self.saga

    @property
    def saga(self) -> SagaState:
        state = self.desk.ledger.saga(SAGA)
        assert state is not None
        return state

    def restart(self) -> None:
        """Another process: nothing is left but the journal."""
        clock, ids = StillClock(), CountingIds()
        clock.at = self.desk.clock.at
        ids._next = self.desk.ids._next
        ledger = Ledger(self.desk.ledger.journal, clock, ids)
        self.desk = Desk(ledger, clock, ids, filled=self.desk.filled)
        self.conductor = Conductor(ledger, clock, ids, "main")
        state = ledger.saga(SAGA)
        if state is not None and state.is_live:
            self.conductor.restore((SAGA,))

    def orders(self, *, purpose: str | None = None) -> list[str]:
        """Ids of the orders that the ledger has, in order of their plans."""
        events = (one.event for one in self.desk.ledger.journal.read(0, 10_000))
        planned = [event for event in events if isinstance(event, OrderPlanned)]
        return [event.order_id for event in planned if purpose in (None, event.purpose)]

    def works(self, order_id: str) -> None:
        """The broker takes the order."""
        self.desk.send(order_id)
        self.desk.answer(order_id, "new")

    def canceled(self, order_id: str, filled: str = "0") -> None:
        """The broker cancels the order, as it was asked to."""
        state = self.desk.order(order_id)
        assert state.cancel_requested, f"{order_id} is {state.status}, and nobody asked for its cancel"
        if not state.status.is_terminal:
            self.desk.report(order_id, "canceled", filled, at=1)

    def status(self) -> SagaStatus:
        return self.saga.status
