"""The one door for writing: load, decide, append. Nothing else appends to the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tradecore import __version__
from tradecore.batch import Batch, Given
from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command, PlaceOrder
from tradecore.domain.cycle import CycleState
from tradecore.domain.deliberation import DeliberationState
from tradecore.domain.epochs import Epochs, epochs_of
from tradecore.domain.events import EpochChanged, Event, LedgerCreated
from tradecore.domain.exits import ExitState
from tradecore.domain.fill import FillState
from tradecore.domain.kill import KillState
from tradecore.domain.lane import LaneState
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.model_budget import BudgetState
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState
from tradecore.draft import Draft, Shelf
from tradecore.errors import CorruptLedger, TradecoreError, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.contract import Journal
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids

_TRIES = 100

Outcome = tuple[Recorded[Event], ...] | TradecoreError
"""What follows from a command, or why nothing does."""


class Ledger:
    """Decides commands against what is recorded and records what follows, atomically over all streams concerned.

    Plain functions on purpose: a command is decided and durable when `handle` returns.
    """

    def __init__(self, journal: Journal, clock: Clock, ids: Ids) -> None:
        """Open the ledger in the journal; a new one gets its first event, with an epoch of its own.

        Raises `CorruptLedger` when the first event is not the birth of a ledger.
        """
        self.journal = journal
        self._clock = clock
        self._ids = ids
        self._shelf = Shelf(journal)
        self.ledger_id, self.epochs = self._identify()

    @property
    def epoch(self) -> str:
        """The part of new client order ids that no other ledger has, and no other history of this one."""
        return self.epochs.current

    def handle(self, command: Command, cause: Cause) -> tuple[Recorded[Event], ...]:
        """Decide a command and append what follows; empty when it says nothing new.

        The trace of an existing order or trade goes on; `cause.trace_id` begins one only for what is new. Raises what
        the domain raises (`InputError`, `RefusedError`, `WrongAccount`, `InvariantViolated`) with nothing recorded,
        and what the journal raises.
        """
        (outcome,) = self.handle_many([command], cause)
        if isinstance(outcome, TradecoreError):
            raise outcome
        return outcome

    def handle_many(self, commands: Sequence[Given], cause: Cause) -> list[Outcome]:
        """Decide commands one after the other and append what follows from all of them in one transaction.

        Each is decided on what the ones before it recorded. An entry that is a tuple of commands is taken as a whole or
        not at all. The result has what `handle` returns, or the error that it would raise, in the order of `commands`;
        what the journal raises is raised, with nothing recorded.
        """
        placing = any(isinstance(command, PlaceOrder) for command in commands)
        for _ in range(_TRIES):
            batch = Batch(self._shelf, self.epoch, self._clock.now_ns(), self._ids)
            outcomes = [batch.take(given, cause) for given in commands]
            if not batch.recorded:
                if any(outcomes) and self._is_behind(batch.draft.touched):
                    continue
                return [error or () for error in outcomes]
            if placing:
                failpoint("ledger.t1.before")
            try:
                recorded = self.journal.append(batch.recorded, batch.draft.while_at)
            except WrongVersion:
                self._shelf.forget(list(batch.draft.touched))
                continue
            if placing:
                failpoint("ledger.t1.after")
            batch.settle()
            return [error or recorded[begin:end] for error, (begin, end) in zip(outcomes, batch.pieces, strict=True)]
        names = ", ".join(sorted({type(given).__name__ for given in commands}))
        raise WrongVersion(f"{names} lost {_TRIES} races in a row against other writers")

    def _is_behind(self, touched: Mapping[str, int]) -> bool:
        """Whether others recorded something in these streams meanwhile: what was refused is decided anew then."""
        behind = [stream for stream, version in touched.items() if self.journal.load(stream, version)]
        self._shelf.forget(behind)
        return bool(behind)

    def note(self, stream: str, event: Event, cause: Cause) -> Recorded[Event]:
        """Append an event of the system that no aggregate decides on."""
        for _ in range(_TRIES):
            batch = Batch(self._shelf, "", self._clock.now_ns(), self._ids)
            batch.note(stream, event, cause)
            try:
                recorded = self.journal.append(batch.recorded)
            except WrongVersion:
                self._shelf.forget([stream])
                continue
            batch.settle()
            return recorded[0]
        raise WrongVersion(f"{event.NAME} lost {_TRIES} races in a row against other writers")

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in events that others appended, so that the next decision is made on them."""
        self._shelf.observe(events)
        if any(isinstance(recorded.event, EpochChanged) for recorded in events):
            self.epochs = self._read_epochs()

    def refresh(self, stream: str) -> None:
        """Take in what other processes appended to a stream since it was loaded."""
        self.observe(self.journal.load(stream, self._shelf.get(stream).version))

    def look_again(self) -> None:
        """Forget what was read before, for whoever follows the log from here on: others may have appended meanwhile."""
        self._shelf = Shelf(self.journal)

    def begin_epoch(self, reason: str, cause: Cause) -> str:
        """Give new client order ids an epoch that no id ever had, and return it; see `EpochChanged`.

        Nobody may deliver for this ledger meanwhile: the caller holds its lease.
        """
        epoch = self._ids.epoch()
        while epoch in (self.epochs.current, *self.epochs.past):
            epoch = self._ids.epoch()
        self.note(streams.LEDGER, EpochChanged(self.epoch, epoch, reason), cause)
        self.epochs = self._read_epochs()
        return epoch

    def order_under(self, client_order_id: str) -> OrderState | None:
        """The order that this ledger has under a client order id, of whichever epoch, or None."""
        order_id = self.epochs.order_id_of(client_order_id)
        order = None if order_id is None else self.order(order_id)
        return order if order is not None and order.client_order_id == client_order_id else None

    def order(self, order_id: str) -> OrderState | None:
        """The order as it stands, or None."""
        state = self._shelf.get(streams.order(order_id)).state
        assert state is None or isinstance(state, OrderState)
        return state

    def fill(self, fill_id: str) -> FillState | None:
        """The fill as it stands, or None."""
        return Draft(self._shelf).fill(fill_id)

    def trade(self, trade_id: str) -> TradeState | None:
        """The trade as it stands, or None."""
        return Draft(self._shelf).trade(trade_id)

    def exits(self, trade_id: str) -> ExitState | None:
        """How the trade is left, or None when nobody said."""
        return Draft(self._shelf).exits(trade_id)

    def saga(self, saga_id: str) -> SagaState | None:
        """The saga as it stands, or None."""
        return Draft(self._shelf).saga(saga_id)

    def deliberation(self, decision_id: str) -> DeliberationState | None:
        """How an agent comes to a decision, or None when nobody was asked."""
        return Draft(self._shelf).deliberation(decision_id)

    def cycle(self, cycle_id: str) -> CycleState | None:
        """The cycle, or None when it never began."""
        return Draft(self._shelf).cycle(cycle_id)

    def account(self, name: str) -> AccountState:
        """The account as it stands."""
        state = self._shelf.get(streams.account(name)).state
        assert state is None or isinstance(state, AccountState)
        return state or AccountState(name)

    def kill(self, account: str) -> KillState | None:
        """The last kill of an account, or None."""
        state = self._shelf.get(streams.kill(account)).state
        assert state is None or isinstance(state, KillState)
        return state

    def lane(self, name: str) -> LaneState | None:
        """Who delivers a lane, or None when nobody ever did."""
        state = self._shelf.get(streams.lane(name)).state
        assert state is None or isinstance(state, LaneState)
        return state

    def budget(self, key: str) -> BudgetState:
        """A month of a budget for model calls; `tradecore.domain.model_budget.month_of` names it."""
        return Draft(self._shelf).budget(key)

    def has_stream(self, stream: str) -> bool:
        """Whether anything was recorded there."""
        return self._shelf.get(stream).version > 0

    def trace_of(self, stream: str) -> str | None:
        """The trace that a stream belongs to, or None when it is empty."""
        return self._shelf.get(stream).trace_id

    def _identify(self) -> tuple[str, Epochs]:
        first = self.journal.read(0, 1)
        if not first:
            self._give_birth()
            first = self.journal.read(0, 1)
        event = first[0].event if first else None
        if not isinstance(event, LedgerCreated):
            raise CorruptLedger("the ledger does not begin with its own creation")
        return event.ledger_id, self._read_epochs()

    def _read_epochs(self) -> Epochs:
        return epochs_of(recorded.event for recorded in self.journal.load(streams.LEDGER))

    def _give_birth(self) -> None:
        batch = Batch(self._shelf, "", self._clock.now_ns(), self._ids)
        birth = LedgerCreated(self._ids.order_id(), self._ids.epoch(), f"tradecore {__version__}")
        batch.note(streams.LEDGER, birth, Cause(self._ids.trace_id(), actor="ledger"))
        try:
            self._shelf.observe(self.journal.append(batch.recorded))
        except WrongVersion:  # another process gave birth to it at the same moment, and its epoch counts
            self._shelf.forget([streams.LEDGER])
