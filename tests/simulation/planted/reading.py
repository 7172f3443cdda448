"""Bugs on the way in: what the broker tells, and what is made of it."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import attrs

from tests.simulation.planted.mechanism import Bug, always, instead
from tradecore import attribution, comparing, inbox, intake, planning
from tradecore.domain import events as ev
from tradecore.domain import fill as fills
from tradecore.domain import order as orders
from tradecore.domain.identity import derived_id
from tradecore.outbox import needs
from tradecore.ports.broker import Execution

Inbox = inbox.Inbox


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _fill_by_message(_right: Any) -> Any:
    turns = itertools.count()

    def named(account: str, broker_order_id: str, reached: str) -> str:
        return derived_id("fill", account, broker_order_id, reached, str(next(turns)))

    return named


def _correction_is_a_fill(right: Any) -> Any:
    def apply(self: Any, order_id: str, fill: Any) -> Any:
        told = attrs.evolve(fill, execution=Execution.TRADE) if fill.execution is Execution.CORRECT else fill
        return right(self, order_id, told)

    return apply


def _ignores(kind: Execution) -> Any:
    def wrong(right: Any) -> Any:
        def apply(self: Any, order_id: str, fill: Any) -> Any:
            return None if fill.execution is kind else right(self, order_id, fill)

        return apply

    return wrong


def _late_word_wins(right: Any) -> Any:
    def moves(state: Any, word: Any) -> Any:
        return right(state, word) if word.status.is_terminal else word.status is not state.status

    return moves


def _partial_fills_in_full(right: Any) -> Any:
    def fill(state: Any, command: Any) -> Any:
        quantity = state.quantity if state.quantity is not None and not state.filled_qty else command.quantity
        return right(state, attrs.evolve(command, quantity=quantity))

    return fill


def _deaf(right: Any) -> Any:
    async def whose(self: Any, order: Any, source: str) -> Any:
        self.catch_up = lambda: None
        return await right(self, order, source)

    return whose


def _drops_late_fills(right: Any) -> Any:
    def record(draft: Any, command: Any) -> None:
        state = draft.order(command.order_id)
        if state is None or not state.status.is_terminal:
            right(draft, command)

    return record


def _short_leg_goes_on(right: Any) -> Any:
    def ending(state: Any, word: Any) -> Any:
        event = right(state, word)
        return None if state.leg is not None and isinstance(event, ev.OrderCompleted) else event

    return ending


async def _no_legs(*_: Any) -> tuple[Any, ...]:
    return ()


BUGS = (
    Bug("fill is told twice", "a fill is known by the message that tells it", intake, "fill_id", _fill_by_message),
    Bug("nothing is read again", "neither a reconnect nor a gap has the record read", Inbox, "collect",
        lambda _: _nothing),
    Bug("no overlap", "the record is read only from long after the last fill on", inbox, "_OVERLAP",
        instead(dt.timedelta(days=-1)), ((inbox, "_LONG_OVERLAP", instead(dt.timedelta(days=-1))),)),
    Bug("bust is ignored", "an execution that was taken back still counts", intake.Intake, "apply_fill",
        _ignores(Execution.BUST)),
    Bug("correction is ignored", "an execution that was told anew counts as before", intake.Intake, "apply_fill",
        _ignores(Execution.CORRECT)),
    Bug("correction is a fill", "a correction counts beside what it corrects", intake.Intake, "apply_fill",
        _correction_is_a_fill),
    Bug("revision is not known again", "a bust that comes again is booked again", fills, "_has_taken", always(False),
        ((fills, "is_news", always(True)),)),
    Bug("record's own names are not known", "a bust of what the record told first finds nothing", fills,
        "_can_compare", always(True)),
    Bug("late word wins", "an older status replaces a newer one", orders, "_moves_on", _late_word_wins),
    Bug("others are not heard", "a strange order is judged on what this process knows", Inbox, "_whose", _deaf),
    Bug("foreign orders are ignored", "what somebody else does in the account is not told", Inbox, "_meet",
        always(None)),
    Bug("a part counts as the whole", "the first part of a fill is booked in full", orders, "_fill",
        _partial_fills_in_full),
    Bug("differences are not seen", "money is never compared", comparing, "confirmed", lambda _: _no_legs),
    Bug("late fills are refused", "a fill after the end of an order is dropped", planning, "_record_fill",
        _drops_late_fills),
    Bug("short leg never ends", "a leg that is smaller than planned is never done", orders, "_ending",
        _short_leg_goes_on),
    Bug("legs are not looked for", "legs are known only if an answer shows them", Inbox, "_read_legs",
        lambda _: _no_legs,  # either of inbox and outbox finds them alone
        ((attribution.Attribution, "take_legs", always(())), (needs, "missing_legs", always([])))),
)  # fmt: skip
