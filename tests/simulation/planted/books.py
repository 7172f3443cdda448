"""Bugs in what is kept: limits, reservations, cash, views, and the store itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import msgspec

from tests.simulation.disk import Disk, Handle
from tests.simulation.planted.mechanism import Bug, always
from tradecore import inbox, planning, settling
from tradecore.domain import account_state, reservations, switch
from tradecore.domain.gate import amounts
from tradecore.errors import StoreUnavailable
from tradecore.journal.memory.recorder import MemoryRecorder
from tradecore.ledger import Ledger
from tradecore.views import projector, snapshots


def _one_more(right: Any) -> Any:
    def at_most(rule: str, found: Any, allowed: Any) -> Any:
        return right(rule, found, allowed + 1)

    return at_most


def _cash_through_float(right: Any) -> Any:
    def evolve(state: Any, event: Any) -> Any:
        return right(state, msgspec.structs.replace(event, cash_delta=Decimal(str(round(float(event.cash_delta), 1)))))

    return evolve


def _cash_twice(right: Any) -> Any:
    return lambda state, event: right(right(state, event), event)


def _last_is_skipped(right: Any) -> Any:
    def fold(view: Any, rows: Any, events: Any) -> Any:
        return right(view, rows, list(events)[:-1] if len(events) > 6 else events)

    return fold


def _snapshot_is_late(right: Any) -> Any:
    def snapshot(known: Any, recorded: Any) -> Any:
        made = right(known, recorded)
        return attrs.evolve(made, version=made.version + 1)

    return snapshot


def _last_event_is_lost(right: Any) -> Any:
    def append(self: Any, events: Any, *rest: Any) -> Any:
        return right(self, events[:-1] if len(events) > 4 else events, *rest)

    return append


def _failed_write_is_forgotten(right: Any) -> Any:
    def handle_many(self: Any, commands: Any, cause: Any) -> Any:
        try:
            return right(self, commands, cause)
        except StoreUnavailable:
            return [() for _ in commands]

    return handle_many


BUGS = (
    Bug("open orders are not counted", "only what is held counts against limits", reservations, "_recount",
        always(None)),
    Bug("one above the limit", "a limit is kept when it is exceeded by one", amounts, "at_most", _one_more),
    Bug("reservations stay", "an order that ended still reserves", planning, "settle", always(None)),
    Bug("followers are forgotten", "what was to take an ended order's place waits for ever", settling, "_end_followers",
        always(None)),
    Bug("cash through float", "cash is kept in tenths", account_state, "_evolve_position", _cash_through_float),
    Bug("fees count twice", "what a fee costs is taken twice", account_state, "_evolve_cash", _cash_twice),
    Bug("fees are not read", "changes without an order are not booked", inbox, "unbooked", always(())),
    Bug("halt is not recorded", "a stop is taken and not kept", switch, "_STRICTNESS",
        lambda right: dict.fromkeys(right, 0)),
    Bug("view skips an event", "the last event of a long batch is not folded", projector, "fold", _last_is_skipped),
    Bug("snapshot off by one", "a snapshot says that it holds one event more", snapshots, "_snapshot",
        _snapshot_is_late),
    Bug("acknowledged before it is safe", "a write is confirmed before it is on the disk", Disk, "sync", always(None)),
    Bug("append is torn", "the last event of a long append is lost", Handle, "append", _last_event_is_lost),
    Bug("versions are not checked", "two writers may take the same place in a stream", MemoryRecorder, "_clash",
        always(None)),
    Bug("failed write is forgotten", "what could not be written is taken as written", Ledger, "handle_many",
        _failed_write_is_forgotten),
)  # fmt: skip
