"""Every stream through the domain, event by event, and what events say of amounts against the state before them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs
import msgspec

from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.fill import FillState
from tradecore.domain.messages import Recorded
from tradecore.domain.model_budget import BudgetState
from tradecore.domain.order import OrderState
from tradecore.domain.position import Position, PositionStep, apply_fill
from tradecore.domain.question import QuestionState
from tradecore.domain.restating import position_of
from tradecore.domain.trade import TradeState
from tradecore.domain.values import minus, plus, times
from tradecore.draft import State, evolve
from tradecore.journal.scratch import Scratch, Spill
from tradecore.verify.findings import Findings
from tradecore.views.folding import SENSELESS

_STATES: dict[str, type] = {
    "account": AccountState,
    "order": OrderState,
    "trade": TradeState,
    "fill": FillState,
    "question": QuestionState,
    "budget": BudgetState,
}


@attrs.frozen
class Entry:
    """A stream so far. A broken one has the last state that the domain could take in."""

    version: int
    state: State
    is_broken: bool = False
    fills: int = 0


class Streams:
    """Folds all streams at once; most of them lie in the scratch."""

    def __init__(self, scratch: Scratch, findings: Findings) -> None:
        self._findings = findings
        self._entries: Spill[Entry] = Spill(scratch, "streams", _encode, _decode)

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, recorded: Recorded[ev.Event]) -> None:
        """The next event."""
        stream, version, event = recorded.envelope.stream, recorded.envelope.version, recorded.event
        entry = self._entries.get(stream) or Entry(0, None)
        if version != entry.version + 1:
            self._findings.add("versions", stream, f"version {version} follows {entry.version}")
        fills = entry.fills + isinstance(event, ev.FillRecorded)
        if fills > max(entry.fills, 1):
            self._findings.add("fills", stream, f"a fill has one event, and this one has {fills}")
        state, is_broken = entry.state, entry.is_broken
        if not is_broken:
            try:
                self._recompute(stream, state, event)
                state = evolve(stream, state, event)
            except SENSELESS as error:
                is_broken = True
                self._findings.add("fold", stream, f"the domain cannot take in its version {version}: {error!r}")
        self._entries.put(stream, Entry(version, state, is_broken, fills))

    def whole(self, stream: str) -> Entry | None:
        """A stream that the domain took in whole, or None."""
        entry = self._entries.get(stream)
        return None if entry is None or entry.is_broken else entry

    def states(self) -> Iterator[State]:
        """The states of all streams that the domain took in whole."""
        for _, entry in self._entries.pairs():
            if not entry.is_broken:
                yield entry.state

    def _recompute(self, stream: str, before: State, event: ev.Event) -> None:
        """What an event says of amounts follows from the state before it."""
        if isinstance(event, ev.ReservationReleased) and isinstance(before, AccountState):
            held = before.reservations.get(event.order_id)
            left = held.quantity if held else None
            what = f"what is released of order {event.order_id}"
            self._findings.same("reservations", stream, what, event.quantity, left)
        elif isinstance(event, ev.PositionChange):
            position = before.position(event.symbol) if isinstance(before, AccountState) else Position()
            step = self._rebook(stream, position, event, event.quantity_after)
            cash = minus(times(event.signed_qty.copy_negate(), event.price), event.fees)
            self._findings.same("booking", stream, f"cash of fill {event.fill_id}", event.cash_delta, cash)
            if event.closed_lots != step.closed:
                self._findings.add("booking", stream, f"fill {event.fill_id} closed other lots than are recorded")
        elif isinstance(event, ev.TradeFilled) and isinstance(before, TradeState):
            self._rebook(stream, before.position, event, event.open_qty)
        elif isinstance(event, ev.LotsRestated):
            position = before.position(event.symbol) if isinstance(before, AccountState) else Position()
            self._restate(stream, position, event)
        elif isinstance(event, ev.TradeRevised | ev.TradeSplit) and isinstance(before, TradeState):
            right = plus(before.position.quantity, event.signed_qty)
            self._findings.same("booking", stream, "quantity after a change", event.open_qty, right)

    def _restate(self, stream: str, held: Position, event: ev.LotsRestated) -> None:
        """What leaves cash is in the lots, or in the profit: only an adjustment by a person comes from nowhere."""
        after = plus(held.quantity, event.signed_qty)
        what = f"quantity of {event.symbol} after a change"
        self._findings.same("booking", stream, what, event.quantity_after, after)
        if isinstance(event, ev.AdjustmentBooked):
            return
        profit = plus(event.cash_delta, minus(position_of(event.lots).cost, held.cost))
        self._findings.same("booking", stream, f"profit of a change of {event.symbol}", event.realised_pnl, profit)

    def _rebook(
        self, stream: str, held: Position, event: ev.PositionChange | ev.TradeFilled, after: Decimal
    ) -> PositionStep:
        step = apply_fill(held, event.fill_id, event.signed_qty, event.price)
        profit = minus(step.gross_pnl, event.fees)
        self._findings.same("booking", stream, f"quantity after fill {event.fill_id}", after, step.after.quantity)
        self._findings.same("booking", stream, f"profit of fill {event.fill_id}", event.realised_pnl, profit)
        return step


class _Written(msgspec.Struct, array_like=True):
    version: int
    is_broken: bool
    fills: int
    state: msgspec.Raw


def _encode(entry: Entry) -> bytes:
    state = msgspec.Raw(msgspec.msgpack.encode(entry.state))
    return msgspec.msgpack.encode(_Written(entry.version, entry.is_broken, entry.fills, state))


def _decode(stream: str, written: bytes) -> Entry:
    read = msgspec.msgpack.decode(written, type=_Written)
    kind = _STATES.get(stream.partition("-")[0])
    state = None if kind is None else msgspec.msgpack.decode(read.state, type=kind | None)
    return Entry(read.version, state, read.is_broken, read.fills)
