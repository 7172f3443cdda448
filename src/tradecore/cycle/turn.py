"""Whose turn it is: where several processes share a ledger, one of them runs an account's cycles.

The turn is a lane of its own. Who holds it is in the ledger, and a cycle begins in one transaction with that; the clock
only says when to give up on a holder who leaves no sign. Every step of a cycle is one.
"""

from __future__ import annotations

from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.messages import Recorded
from tradecore.ledger import Ledger
from tradecore.outbox.lane import Lane
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids


class Turn:
    """One process's part in the cycles of an account."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        account: str,
        runner_id: str,
        patience_s: float,
        *,
        alone: bool = False,
    ) -> None:
        """`patience_s` is longer than a living cycle is silent; `alone` when no other process lived at first."""
        self._is_dead = alone
        self._ledger = ledger
        self._account = account
        self._lane = Lane(ledger, clock, ids, streams.cycle_lane(account), runner_id, patience_s)

    def observe(self, events: tuple[Recorded[ev.Event], ...]) -> None:
        """Take in signs of whoever has the turn."""
        self._lane.observe(events)
        if any(self._is_sign(recorded.event) for recorded in events):
            self._lane.signed()

    def _is_sign(self, event: ev.Event) -> bool:
        if isinstance(event, ev.CycleStarted | ev.CycleSkipped):
            return event.account == self._account
        if isinstance(event, ev.CycleStepped | ev.CycleCompleted | ev.CycleFailed):
            cycle = self._ledger.cycle(event.cycle_id)
            return cycle is not None and cycle.account == self._account
        return False

    @property
    def is_held(self) -> bool:
        """Whether it was ours when the ledger was last read."""
        return self._lane.is_held

    def take(self, *, is_due: bool) -> bool:
        """Whether the turn is ours; taken now when nobody has it, or who has it left no sign while a cycle was due."""
        is_ours = self._lane.may_deliver(has_work=is_due, is_dead=self._is_dead)
        self._is_dead = self._is_dead and not is_due
        return is_ours and is_due

    def seconds_left(self, now: float) -> float:
        """For how long its holder may still be silent; `now` is monotonic."""
        return self._lane.due_at - now

    def sign(self) -> cmd.UseLane:
        """What a cycle's start is recorded with."""
        return self._lane.sign()

    def leave(self) -> None:
        """Let go of it, so that nobody has to wait."""
        self._lane.leave()
