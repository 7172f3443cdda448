"""The desk: commands decided by the domain's own planning, what follows kept on a tape, in memory, as it is.

Nothing is skipped but the writing: envelopes and JSON are made when somebody reads the ledger, or while the run goes on
when it was asked to be durable.
"""

from __future__ import annotations

import datetime as dt

import attrs
import msgspec

from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command, FireExit, PlaceOrder, RaiseExit, TakeOverExits
from tradecore.domain.events import Event
from tradecore.domain.exits import ExitState
from tradecore.domain.nanos import instant
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState
from tradecore.draft import Draft, Loaded
from tradecore.gating import Occasion
from tradecore.planning import live_trade, plan

Events = list[tuple[str, Event]]
_NOTHING = Loaded(None, 0)
_SOMETHING = 1


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A moment of the market: nanoseconds since 1970, and the same as a UTC time."""

    ns: int

    @property
    def at(self) -> dt.datetime:
        """The UTC time."""
        return instant(self.ns)


@attrs.frozen
class Unit:
    """What one command led to; None for a note of the system. `thread` is the stream whose trace goes on."""

    ns: int
    actor: str
    command: Command | None
    thread: str | None
    events: Events


class Desk:
    """Decides commands one after the other on states in memory."""

    def __init__(self, account: str, epoch: str) -> None:
        self.epoch = epoch
        self.tape: list[Unit] = []
        self._account = account
        self._account_stream = streams.account(account)
        self._known: dict[str, Loaded] = {}

    def get(self, stream: str) -> Loaded:
        """A stream as it stands; empty when nothing was recorded there."""
        return self._known.get(stream, _NOTHING)

    def take(self, command: Command, moment: Moment, actor: str) -> Events:
        """Decide a command and keep what follows. Raises what the domain raises, with nothing kept."""
        draft = Draft(self)
        plan(draft, command, Occasion(self.epoch, moment.at, actor))
        events = draft.events
        if events:
            known = self._known
            for stream, _ in events:
                known[stream] = Loaded(draft.state(stream), _SOMETHING)
            self.tape.append(Unit(moment.ns, actor, command, _thread(draft, command), events))
        return events

    def note(self, stream: str, event: Event, moment: Moment) -> None:
        """Keep an event of the system that no aggregate decides on."""
        self.tape.append(Unit(moment.ns, "engine", None, None, [(stream, event)]))

    @property
    def account(self) -> AccountState:
        """The account as it stands."""
        state = self.get(self._account_stream).state
        assert state is None or isinstance(state, AccountState)
        return state or AccountState(self._account)

    def order(self, order_id: str) -> OrderState | None:
        """The order as it stands, or None when the gate refused it or it was let go."""
        state = self.get(streams.order(order_id)).state
        assert state is None or isinstance(state, OrderState)
        return state

    def exits(self, trade_id: str) -> ExitState | None:
        """How the trade is left, None when nobody said."""
        state = self.get(streams.exits(trade_id)).state
        assert state is None or isinstance(state, ExitState)
        return state

    def saga(self, saga_id: str) -> SagaState | None:
        """The saga as it stands, None when there is none."""
        state = self.get(streams.saga(saga_id)).state
        assert state is None or isinstance(state, SagaState)
        return state

    def trade(self, trade_id: str) -> TradeState | None:
        """The trade as it stands, or None when it was let go."""
        state = self.get(streams.trade(trade_id)).state
        assert state is None or isinstance(state, TradeState)
        return state

    def forget(self, stream: str) -> None:
        """Let go of a stream that nothing will be recorded in any more."""
        self._known.pop(stream, None)


def _thread(draft: Draft, command: Command) -> str | None:
    """What a ledger goes on with: the trade of an order that is placed, or whatever else the command concerns."""
    if isinstance(command, PlaceOrder):
        order = draft.order(command.order_id)
        trade_id = order.trade_id if order is not None else live_trade(draft, command)
        return None if trade_id is None else streams.trade(trade_id)
    if isinstance(command, FireExit | RaiseExit | TakeOverExits):
        return streams.trade(command.trade_id)
    saga_id: str | None = getattr(command, "saga_id", None)
    if saga_id is not None:
        return streams.saga(saga_id)
    order_id: str | None = getattr(command, "order_id", None)
    return None if order_id is None else streams.order(order_id)
