"""The one door for writing: load, decide, append. Nothing else appends to the journal."""

from __future__ import annotations

import attrs

from tradecore import __version__
from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command, PlaceOrder
from tradecore.domain.epochs import Epochs, epochs_of
from tradecore.domain.events import EpochChanged, Event, LedgerCreated
from tradecore.domain.fill import FillState
from tradecore.domain.messages import Cause, Envelope, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState
from tradecore.draft import Draft, Shelf
from tradecore.errors import CorruptLedger, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.contract import Journal
from tradecore.planning import live_trade, plan
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids

_TRIES = 20


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
        placing = isinstance(command, PlaceOrder)
        for _ in range(_TRIES):
            draft = Draft(self._shelf)
            plan(draft, command, self.epoch)
            if not draft.events:
                return ()
            if placing:
                failpoint("ledger.t1.before")
            try:
                recorded = self.journal.append(self._envelop(draft, self._inherit(command, cause)))
            except WrongVersion:
                self._shelf.forget(list(draft.touched))
                continue
            if placing:
                failpoint("ledger.t1.after")
            self._shelf.observe(recorded)
            return recorded
        raise WrongVersion(f"{type(command).__name__} lost {_TRIES} races in a row against other writers")

    def note(self, stream: str, event: Event, cause: Cause) -> Recorded[Event]:
        """Append an event of the system that no aggregate decides on."""
        for _ in range(_TRIES):
            draft = Draft(self._shelf)
            draft.state(stream)
            draft.add(stream, [event])
            try:
                recorded = self.journal.append(self._envelop(draft, cause))
            except WrongVersion:
                self._shelf.forget([stream])
                continue
            self._shelf.observe(recorded)
            return recorded[0]
        raise WrongVersion(f"{event.NAME} lost {_TRIES} races in a row against other writers")

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in events that others appended, so that the next decision is made on them."""
        self._shelf.observe(events)
        if any(isinstance(recorded.event, EpochChanged) for recorded in events):
            self.epochs = self._read_epochs()

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
        return Draft(self._shelf).order(order_id)

    def fill(self, fill_id: str) -> FillState | None:
        """The fill as it stands, or None."""
        return Draft(self._shelf).fill(fill_id)

    def trade(self, trade_id: str) -> TradeState | None:
        """The trade as it stands, or None."""
        return Draft(self._shelf).trade(trade_id)

    def saga(self, saga_id: str) -> SagaState | None:
        """The saga as it stands, or None."""
        return Draft(self._shelf).saga(saga_id)

    def account(self, name: str) -> AccountState:
        """The account as it stands."""
        return Draft(self._shelf).account(name)

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
        draft = Draft(self._shelf)
        birth = LedgerCreated(self._ids.order_id(), self._ids.epoch(), f"tradecore {__version__}")
        draft.add(streams.LEDGER, [birth])
        try:
            self._shelf.observe(self.journal.append(self._envelop(draft, Cause(self._ids.trace_id(), actor="ledger"))))
        except WrongVersion:  # another process gave birth to it at the same moment, and its epoch counts
            self._shelf.forget([streams.LEDGER])

    def _inherit(self, command: Command, cause: Cause) -> Cause:
        """Go on with the trace of the order or trade that the command concerns."""
        stream = None
        if isinstance(command, PlaceOrder):
            trade_id = live_trade(Draft(self._shelf), command)
            stream = streams.trade(trade_id) if trade_id else None
        elif hasattr(command, "saga_id"):
            stream = streams.saga(command.saga_id)
        elif hasattr(command, "order_id"):
            stream = streams.order(command.order_id)
        if stream is None:
            return cause
        known = self._shelf.get(stream)
        if known.trace_id is None:
            return cause
        return attrs.evolve(
            cause,
            trace_id=known.trace_id,
            correlation_id=known.correlation_id,
            causation_id=cause.causation_id or known.last_event_id,
        )

    def _envelop(self, draft: Draft, cause: Cause) -> list[Recorded[Event]]:
        now = self._clock.now_ns()
        versions = dict(draft.touched)
        caused_by = cause.causation_id
        correlation = cause.correlation_id
        recorded: list[Recorded[Event]] = []
        for stream, event in draft.events:
            versions[stream] += 1
            event_id = self._ids.event_id()
            correlation = correlation or event_id
            envelope = Envelope(
                event_id=event_id,
                name=event.NAME,
                schema=event.SCHEMA,
                stream=stream,
                version=versions[stream],
                position=0,
                recorded_at_ns=now,
                trace_id=cause.trace_id,
                correlation_id=correlation,
                causation_id=caused_by,
                actor=cause.actor,
                source=cause.source,
            )
            recorded.append(Recorded(envelope, event))
            caused_by = caused_by if len(recorded) > 1 else event_id
        return recorded
