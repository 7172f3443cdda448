"""A draft: the events of one command while it is decided, over several streams, before they are appended together."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tradecore.domain import (
    account,
    cycle,
    deliberation,
    exits,
    fill,
    kill,
    lane,
    model_budget,
    order,
    question,
    saga,
    streams,
    trade,
)
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal.collector import collector_paused
from tradecore.journal.contract import Journal
from tradecore.journal.snapshots import Snapshot, find_snapshot

_MANY = 200  # events; fewer hardly make the collector run

State = (
    order.OrderState
    | fill.FillState
    | trade.TradeState
    | account.AccountState
    | saga.SagaState
    | kill.KillState
    | lane.LaneState
    | exits.ExitState
    | deliberation.DeliberationState
    | cycle.CycleState
    | question.QuestionState
    | model_budget.BudgetState
    | None
)


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A stream as far as it is known: its state, version, and where it comes from."""

    state: State
    version: int
    trace_id: str | None = None
    correlation_id: str | None = None
    last_event_id: str | None = None


_Fold = Callable[[Any, Event, str], State]
"""The state after an event, from the one before and what the stream is of."""

_FOLDS: Mapping[str, _Fold] = {
    "order": lambda state, event, _: order.evolve(state, event),
    "trade": lambda state, event, _: trade.evolve(state, event),
    "fill": lambda state, event, _: fill.evolve(state, event),
    "account": account.evolve,
    "kill": kill.evolve,
    "lane": lane.evolve,
    "exit": lambda state, event, _: exits.evolve(state, event),
    "saga": lambda state, event, _: saga.evolve(state, event),
    "deliberation": lambda state, event, _: deliberation.evolve(state, event),
    "cycle": lambda state, event, _: cycle.evolve(state, event),
    "question": question.evolve,
    "budget": model_budget.evolve,
}
"""By the first word of a stream's name. Streams of other words have no aggregate, and so no state."""


def evolve(stream: str, state: State, event: Event) -> State:
    """The state of a stream after an event; streams without an aggregate have none."""
    kind, _, key = stream.partition("-")
    fold = _FOLDS.get(kind)
    return None if fold is None else fold(state, event, key)


def after(known: Loaded, events: Sequence[Recorded[Event]]) -> Loaded:
    """The stream with more events of its own."""
    if not events:
        return known
    first, last = events[0].envelope, events[-1].envelope
    kind, _, key = first.stream.partition("-")
    fold, state = _FOLDS.get(kind), known.state
    if fold is not None:
        with collector_paused() if len(events) > _MANY else contextlib.nullcontext():
            for recorded in events:
                state = fold(state, recorded.event, key)
    return Loaded(
        state=state,
        version=last.version,
        trace_id=known.trace_id or first.trace_id,
        correlation_id=known.correlation_id or first.correlation_id,
        last_event_id=last.event_id,
    )


def load(journal: Journal, stream: str, upto: int | None = None) -> Loaded:
    """A stream, as it is or at the version `upto`: from its snapshot where that is beyond doubt."""
    found = find_snapshot(journal, stream, upto)
    if found is None:
        return after(Loaded(None, 0), journal.load(stream, 0, upto))
    snapshot, tail = found
    return after(from_snapshot(snapshot), tail)


def last_recorded(journal: Journal, stream: str) -> Recorded[Event] | None:
    """The newest event of a stream with its envelope, without the others; None when it is empty."""
    version = load(journal, stream).version
    return journal.load(stream, version - 1)[-1] if version else None


def last_event(journal: Journal, stream: str) -> Event | None:
    """The newest event of a stream, without the others; None when it is empty."""
    last = last_recorded(journal, stream)
    return None if last is None else last.event


def from_snapshot(snapshot: Snapshot) -> Loaded:
    """The stream as a snapshot has it."""
    state = snapshot.state
    kept = (order.OrderState, trade.TradeState, account.AccountState)
    assert state is None or isinstance(state, kept), "no other state is kept"
    return Loaded(state, snapshot.version, snapshot.trace_id, snapshot.correlation_id, snapshot.event_id)


class Shelf:
    """Streams that were loaded or written, kept so that a command need not replay them. The oldest used goes first."""

    def __init__(self, journal: Journal, capacity: int = 20_000) -> None:
        self._journal = journal
        self._capacity = capacity
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()

    def get(self, stream: str) -> Loaded:
        """The stream as far as this process knows; another process may be ahead, which the append will notice."""
        known = self._loaded.get(stream)
        if known is None:
            known = load(self._journal, stream)
            self.put(stream, known)
        else:
            self._loaded.move_to_end(stream)
        return known

    def observe(self, events: Sequence[Recorded[Event]]) -> None:
        """Take in events that were appended, here or by another process."""
        for recorded in events:
            stream = recorded.envelope.stream
            known = self._loaded.get(stream)
            if known is None and recorded.envelope.version == 1:
                known = Loaded(None, 0)
            if known is None or recorded.envelope.version <= known.version:
                continue
            if recorded.envelope.version == known.version + 1:
                self.put(stream, after(known, [recorded]))
            else:
                del self._loaded[stream]

    def forget(self, wanted: Sequence[str]) -> None:
        """Drop streams that turned out to be behind; they are loaded again when asked for."""
        for stream in wanted:
            self._loaded.pop(stream, None)

    def put(self, stream: str, loaded: Loaded) -> None:
        """Keep a stream as it stands now."""
        self._loaded[stream] = loaded
        self._loaded.move_to_end(stream)
        if len(self._loaded) > self._capacity:
            self._loaded.popitem(last=False)


class Known(Protocol):
    """Streams as far as they are known."""

    def get(self, stream: str) -> Loaded:
        """A stream; empty when nothing was recorded there."""


class Draft:
    """Collects events stream by stream; later decisions of the same command see what earlier ones added."""

    def __init__(self, shelf: Known) -> None:
        self._shelf = shelf
        self._states: dict[str, State] = {}
        self._before: dict[str, State] = {}
        self.touched: dict[str, int] = {}
        self.events: list[tuple[str, Event]] = []

    def add(self, stream: str, events: Sequence[Event]) -> None:
        """Put events at the end of a stream."""
        if not events:
            return
        state = self.state(stream)
        self._before.setdefault(stream, state)
        for event in events:
            state = evolve(stream, state, event)
            self.events.append((stream, event))
        self._states[stream] = state

    def keep(self) -> int:
        """What was added so far stays, whatever becomes of what follows; returns how many events that is."""
        self._before.clear()
        return len(self.events)

    def undo(self, kept: int) -> None:
        """Take back what was added since `keep`."""
        self._states.update(self._before)
        self._before.clear()
        del self.events[kept:]

    def insert(self, place: int, stream: str, event: Event) -> None:
        """Put an event before those from `place` on, which follow from it; none of them is of its stream."""
        assert all(stream != other for other, _ in self.events[place:]), "a stream keeps its order"
        state = self.state(stream)
        self._before.setdefault(stream, state)
        self._states[stream] = evolve(stream, state, event)
        self.events.insert(place, (stream, event))

    def state(self, stream: str) -> State:
        """The state of a stream including what was added."""
        if stream not in self._states:
            loaded = self._shelf.get(stream)
            self._states[stream] = loaded.state
            self.touched[stream] = loaded.version
        return self._states[stream]

    @property
    def while_at(self) -> dict[str, int]:
        """The versions of the streams that were looked at: what is decided is void unless they still stand there.

        What is appended to is checked anyway.
        """
        written = {stream for stream, _ in self.events}
        return {stream: version for stream, version in self.touched.items() if stream not in written}

    def exists(self, stream: str) -> bool:
        """Whether the stream holds anything that was recorded before this draft."""
        self.state(stream)
        return self.touched[stream] > 0

    def order(self, order_id: str) -> order.OrderState | None:
        """The order, or None when there is none."""
        state = self.state(streams.order(order_id))
        assert state is None or isinstance(state, order.OrderState)
        return state

    def trade(self, trade_id: str) -> trade.TradeState | None:
        """The trade, or None when there is none."""
        state = self.state(streams.trade(trade_id))
        assert state is None or isinstance(state, trade.TradeState)
        return state

    def fill(self, fill_id: str) -> fill.FillState | None:
        """The fill, or None when it was not recorded."""
        state = self.state(streams.fill(fill_id))
        assert state is None or isinstance(state, fill.FillState)
        return state

    def kill(self, name: str) -> kill.KillState | None:
        """The last kill of an account, or None when there never was one."""
        state = self.state(streams.kill(name))
        assert state is None or isinstance(state, kill.KillState)
        return state

    def lane(self, name: str) -> lane.LaneState | None:
        """The lane, or None when nobody ever took it."""
        state = self.state(streams.lane(name))
        assert state is None or isinstance(state, lane.LaneState)
        return state

    def exits(self, trade_id: str) -> exits.ExitState | None:
        """How the trade is left, or None when nobody said."""
        state = self.state(streams.exits(trade_id))
        assert state is None or isinstance(state, exits.ExitState)
        return state

    def saga(self, saga_id: str) -> saga.SagaState | None:
        """The saga, or None when there is none."""
        state = self.state(streams.saga(saga_id))
        assert state is None or isinstance(state, saga.SagaState)
        return state

    def deliberation(self, decision_id: str) -> deliberation.DeliberationState | None:
        """How an agent comes to a decision, or None when nobody was asked."""
        state = self.state(streams.deliberation(decision_id))
        assert state is None or isinstance(state, deliberation.DeliberationState)
        return state

    def cycle(self, cycle_id: str) -> cycle.CycleState | None:
        """The cycle, or None when it never began."""
        state = self.state(streams.cycle(cycle_id))
        assert state is None or isinstance(state, cycle.CycleState)
        return state

    def question(self, question_id: str) -> question.QuestionState | None:
        """The question, or None when it was never asked."""
        state = self.state(streams.question(question_id))
        assert state is None or isinstance(state, question.QuestionState)
        return state

    def budget(self, key: str) -> model_budget.BudgetState:
        """A month of a budget, new when nothing was recorded of it."""
        state = self.state(streams.budget(key))
        assert state is None or isinstance(state, model_budget.BudgetState)
        return state or model_budget.BudgetState(key)

    def account(self, name: str) -> account.AccountState:
        """The account, new when nothing was recorded of it."""
        state = self.state(streams.account(name))
        assert state is None or isinstance(state, account.AccountState)
        return state or account.AccountState(name)
