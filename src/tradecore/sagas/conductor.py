"""The conductor of sagas, a process manager: each live one gets its look when something happened or time is up.

It keeps nothing but the ids of live sagas, from the view; what a saga knows is in its stream.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

import anyio
import structlog

from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered, Event, SagaNeedsPerson, SagaStarted
from tradecore.domain.evolving import changed
from tradecore.domain.identity import derived_id
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.saga import SagaState
from tradecore.domain.values import SagaStatus
from tradecore.errors import InputError, RefusedError
from tradecore.failpoints import failpoint
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.records import Records
from tradecore.sagas.contract import Move, Saga, needs_person
from tradecore.sagas.flatten import Flatten
from tradecore.sagas.order_execution import OrderExecution
from tradecore.sagas.orders import PATIENCE
from tradecore.sagas.position_close import PositionClose
from tradecore.sagas.rebalance import Rebalance
from tradecore.sagas.signal_execution import SignalExecution
from tradecore.views.view import Row

_log = structlog.get_logger("tradecore.sagas")
KINDS: tuple[Saga, ...] = (SignalExecution(), OrderExecution(), PositionClose(), Rebalance(), Flatten())
"""The kinds of sagas that tradecore brings."""
_LONGEST_LOOK = 1000
_OVERDUE_LOOK_S = 1.0
_HELD_LOOK_S = 5.0
"""What an order must wait for may pass without an event, such as the age of a comparison."""


class Conductor:
    """Advances the sagas of one account. Several processes may do so at once: a step is taken by one of them."""

    def __init__(
        self,
        ledger: Records,
        clock: Clock,
        ids: Ids,
        account: str,
        kinds: tuple[Saga, ...] = KINDS,
        wake: Callable[[], None] = lambda: None,
        held_back: Callable[[cmd.PlaceOrder], str | None] = lambda _: None,
        with_asset: Callable[[cmd.PlaceOrder], cmd.PlaceOrder] = lambda order: order,
    ) -> None:
        """`wake` is called after a step, so that whoever delivers sees its commands at once.

        `held_back` says why an order must wait, or None: a step that would place one is not taken until it may.
        `with_asset` puts to an order what the broker says of its symbol.
        """
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._account = account
        self._kinds = {kind.kind: kind for kind in kinds}
        self._wake = wake
        self._held_back = held_back
        self._with_asset = with_asset
        self._live: dict[str, None] = {}
        self._deadlines: dict[str, tuple[dt.datetime, float]] = {}
        self._must_look_again = False
        self._changed = anyio.Event()

    # --- what a caller asks for -------------------------------------------------------------------------------------

    def start(self, saga_id: str, kind: str, terms: Mapping[str, str], cause: Cause) -> SagaState:
        """Begin a saga; the same id again is the same saga. Raises `InputError` for a kind or terms that make none."""
        state = begin(self._ledger, self._kinds, saga_id, kind, self._account, terms, self._clock.now(), cause)
        self._live[saga_id] = None
        self._signal()
        return state

    # --- following --------------------------------------------------------------------------------------------------

    def restore(self, rows: Iterable[Row]) -> None:
        """Take up the sagas that earlier runs left live, from the rows of the view `sagas`."""
        ended = (SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.MANUAL)
        for row in rows:
            if row["account"] == self._account and SagaStatus(row["status"]) not in ended:
                self._live[row["saga_id"]] = None

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: new sagas, and whatever they may be waiting for."""
        for recorded in events:
            event = recorded.event
            if isinstance(event, SagaStarted) and event.account == self._account:
                self._live[event.saga_id] = None
            elif isinstance(event, SagaNeedsPerson):
                self._alert(event, recorded.envelope.event_id)
        if self._live:
            self._signal()

    @property
    def live(self) -> tuple[str, ...]:
        """The ids of the sagas that have not ended."""
        return tuple(self._live)

    @property
    def is_held(self) -> bool:
        """Whether a step waits for the gate."""
        return self._must_look_again

    async def run(self) -> None:
        """Look at every live saga when something happened or a deadline passed, for ever."""
        while True:
            changed = self._changed
            self.advance()
            with anyio.move_on_after(self._until_deadline()):
                await changed.wait()

    def advance(self) -> None:
        """Give every live saga its look, and its next ones while it moves."""
        moved = self._must_look_again = False
        for saga_id in tuple(self._live):
            for _ in range(_LONGEST_LOOK):
                state = self._ledger.saga(saga_id)
                if state is None or not state.is_live:
                    self._live.pop(saga_id, None)
                    self._deadlines.pop(saga_id, None)
                    break
                if not self._step(state):
                    break
                moved = True
        if moved:
            self._wake()

    def _step(self, state: SagaState) -> bool:
        """Take the next step, if there is one."""
        kind = self._kinds.get(state.kind)
        now = self._clock.now()
        state = self._in_time(state, now)
        move = (
            needs_person(f"nobody here knows sagas of kind {state.kind}")
            if kind is None
            else kind.next_move(state, self._ledger, now)
        )
        if move is None:
            return False
        if (why := self._why_wait(move)) is not None:
            if now < state.deadline + PATIENCE:
                self._must_look_again = True
                return False
            move = needs_person(f"step {move.step} waits for the gate since before the deadline: {why}")
        failpoint("saga.step.before")
        try:
            taken = self._record(state, move)
        except RefusedError as refusal:
            # An order ended meanwhile, for one. The next look sees it; a refusal that stays is for a person.
            again = kind.next_move(state, self._ledger, now) if kind is not None else None
            if again != move:
                return True
            taken = self._record(state, needs_person(f"step {move.step}: {refusal}"))
        except InputError as refusal:
            taken = self._record(state, needs_person(f"step {move.step}: {refusal}"))
        failpoint("saga.step.after")
        return taken

    def _in_time(self, state: SagaState, now: dt.datetime) -> SagaState:
        """The saga with its deadline by the wall clock as it is now: setting that clock moves no deadline seen before.

        What an earlier run left is held against the wall clock once, for that outlives a process.
        """
        apart = now.timestamp() - self._clock.monotonic()
        deadline, before = self._deadlines.get(state.saga_id, (None, apart))
        if deadline != state.deadline:
            self._deadlines[state.saga_id] = state.deadline, apart
            return state
        return changed(state, deadline=state.deadline + dt.timedelta(seconds=round(apart - before)))

    def _why_wait(self, move: Move) -> str | None:
        placed = (part for part in move.commands if isinstance(part, cmd.PlaceOrder))
        return next((why for order in placed if (why := self._held_back(order)) is not None), None)

    def _record(self, state: SagaState, move: Move) -> bool:
        command = cmd.AdvanceSaga(
            saga_id=state.saga_id,
            after_steps=state.steps,
            step=move.step,
            status=move.status,
            reason=move.reason,
            notes=move.notes,
            deadline=move.deadline,
            commands=tuple(self._with_asset(one) if isinstance(one, cmd.PlaceOrder) else one for one in move.commands),
        )
        events = self._ledger.handle(command, self._cause(state.saga_id))
        if events and move.status is SagaStatus.MANUAL:
            self.observe(events)
        return bool(events)

    def _until_deadline(self) -> float | None:
        now = self._clock.now()
        live = (state for one in self._live if (state := self._ledger.saga(one)) is not None)
        found = [self._in_time(state, now).deadline for state in live]
        if not found:
            return None
        left = (min(found) - now).total_seconds()
        if left <= 0:
            return _OVERDUE_LOOK_S
        return min(left, _HELD_LOOK_S) if self._must_look_again else left

    def _alert(self, event: SagaNeedsPerson, event_id: str) -> None:
        """Tell it once, whoever took the step and however often it is seen."""
        stream = f"alert-{derived_id('alert', 'saga', event_id)}"
        if self._ledger.has_stream(stream):
            return
        _log.error("a saga needs a person", saga_id=event.saga_id, reason=event.reason)
        alert = AlertTriggered("saga_manual", f"saga {event.saga_id}: {event.reason}")
        self._ledger.note(stream, alert, Cause(self._ids.trace_id(), actor="sagas"))

    def _cause(self, saga_id: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=f"saga:{saga_id}", source="sagas")

    def _signal(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def begin(
    ledger: Records,
    kinds: Mapping[str, Saga],
    saga_id: str,
    kind: str,
    account: str,
    terms: Mapping[str, str],
    now: dt.datetime,
    cause: Cause,
) -> SagaState:
    """Record the beginning of a saga; whoever manages the account's sagas goes on with it. Raises `InputError`."""
    known = kinds.get(kind)
    if known is None:
        raise InputError("kind", kind, "one of " + ", ".join(sorted(kinds)))
    known.check(terms)
    deadline = now + dt.timedelta(seconds=known.timeout_s)
    ledger.handle(cmd.StartSaga(saga_id, kind, account, dict(terms), deadline), cause)
    state = ledger.saga(saga_id)
    assert state is not None, "it was just begun"
    return state
