"""A batch: the events of several commands, decided one after the other, on their way into one append."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any, cast

import attrs

from tradecore.domain import streams
from tradecore.domain.commands import ClosePosition, Command, FireExit, PlaceOrder, RaiseExit, TakeOverExits
from tradecore.domain.events import Event
from tradecore.domain.messages import Cause, Envelope, Recorded
from tradecore.draft import Draft, Loaded, Shelf
from tradecore.errors import TradecoreError
from tradecore.gating import Occasion
from tradecore.planning import live_trade, plan
from tradecore.ports.ids import Ids

Given = Command | tuple[Command, ...]
"""A command, or several that are taken as a whole or not at all."""


_Thread = tuple[str, str | None, str | None]
"""What the next event of a stream goes on with: trace, correlation, and the event before it."""
_OWNERS: tuple[tuple[str, Callable[[str], str]], ...] = (("saga_id", streams.saga), ("order_id", streams.order))


@functools.cache
def _owner(kind: type[Any]) -> tuple[str, Callable[[str], str]] | None:
    """The field by which commands of a class name what they go on with, and how the stream of that is called."""
    if kind in (FireExit, RaiseExit, TakeOverExits):
        return "trade_id", streams.trade
    names = attrs.fields_dict(kind)
    return next((owner for owner in _OWNERS if owner[0] in names), None)


class Batch:
    """Events with their envelopes, all of one moment. `pieces` says which of them belong to which entry."""

    def __init__(self, shelf: Shelf, epoch: str, now_ns: int, ids: Ids) -> None:
        self.draft = Draft(shelf)
        self.recorded: list[Recorded[Event]] = []
        self.pieces: list[tuple[int, int]] = []
        self._shelf = shelf
        self._epoch = epoch
        self._now_ns = now_ns
        self._ids = ids
        self._now = dt.datetime.fromtimestamp(now_ns // 1_000_000_000, dt.UTC).replace(
            microsecond=now_ns % 1_000_000_000 // 1_000
        )
        self._versions: dict[str, int] = {}
        self._begun: dict[str, tuple[str | None, str | None]] = {}
        self._last: dict[str, str] = {}

    def take(self, given: Given, cause: Cause) -> TradecoreError | None:
        """Decide; what refuses it is returned, and then nothing of it is in the batch."""
        commands = given if isinstance(given, tuple) else (given,)
        kept, begin = self.draft.keep(), len(self.recorded)
        causes = []
        here = Occasion(self._epoch, self._now, cause.actor)
        try:
            for command in commands:
                before = len(self.draft.events)
                plan(self.draft, command, here)
                causes.append((self._inherit(command, cause), before, len(self.draft.events)))
        except TradecoreError as error:
            self.draft.undo(kept)
            self.pieces.append((begin, begin))
            return error
        for inherited, first, last in causes:
            self._envelop(inherited, first, last)
        self.pieces.append((begin, len(self.recorded)))
        return None

    def note(self, stream: str, event: Event, cause: Cause) -> None:
        """Take an event of the system that no aggregate decides on."""
        first = self.draft.keep()
        self.draft.add(stream, [event])
        self._envelop(cause, first, first + 1)

    def settle(self) -> None:
        """What was decided is recorded: the next decisions are made on it."""
        for stream, version in self._versions.items():
            begun = self._begun.get(stream)
            if begun is None:
                known = self._shelf.get(stream)
                begun = known.trace_id, known.correlation_id
            self._shelf.put(stream, Loaded(self.draft.state(stream), version, *begun, self._last[stream]))

    def _inherit(self, command: Command, cause: Cause) -> Cause:
        """Go on with the trace of the order or trade that the command concerns."""
        if isinstance(command, (PlaceOrder, ClosePosition)):
            order = self.draft.order(command.order_id)
            trade_id = order.trade_id if order is not None else None
            if trade_id is None and isinstance(command, PlaceOrder):  # it was refused
                trade_id = live_trade(self.draft, command)
            stream = streams.trade(trade_id) if trade_id else None
        else:
            owner = _owner(cast("Any", type(command)))
            stream = None if owner is None else owner[1](getattr(command, owner[0]))
        known = None if stream is None else self._thread(stream)
        if known is None:
            return cause
        trace_id, correlation_id, last_event_id = known
        return Cause(trace_id, cause.actor, cause.source, correlation_id, cause.causation_id or last_event_id)

    def _thread(self, stream: str) -> _Thread | None:
        """The trace of a stream as it is before the command in hand."""
        known = self._shelf.get(stream)
        trace_id, correlation = self._begun.get(stream) or (known.trace_id, known.correlation_id)
        return None if trace_id is None else (trace_id, correlation, self._last.get(stream, known.last_event_id))

    def _envelop(self, cause: Cause, first: int, last: int) -> None:
        trace_id, caused_by, correlation = cause.trace_id, cause.causation_id, cause.correlation_id
        versions, touched, new_id = self._versions, self.draft.touched, self._ids.event_id
        for number, (stream, event) in enumerate(self.draft.events[first:last], first):
            version = versions[stream] = versions.get(stream, touched[stream]) + 1
            event_id = new_id()
            correlation = correlation or event_id
            envelope = Envelope(
                event_id,
                event.NAME,
                event.SCHEMA,
                stream,
                version,
                0,
                self._now_ns,
                trace_id,
                correlation,
                caused_by,
                cause.actor,
                cause.source,
            )
            self.recorded.append(Recorded(envelope, event))
            self._last[stream] = event_id
            if version == 1:
                self._begun[stream] = (trace_id, correlation)
            if number == first:
                caused_by = event_id
