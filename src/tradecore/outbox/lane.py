"""The lane of an account: several processes may stand ready to deliver, and one of them does.

Who holds the lane is in the ledger (`tradecore.domain.lane`): what decides is not a clock but the order of appends. The
clock only says when to give up on a holder: while there is open work a holder leaves a sign of itself at least every
third of `patience_s`; when none came for `patience_s`, by the monotonic clock of the one who waits, the lane is taken.
"""

from __future__ import annotations

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import Event
from tradecore.domain.messages import Cause, Recorded
from tradecore.errors import LaneRefused
from tradecore.ledger import Ledger
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids


class Lane:
    """One process's part in a lane."""

    def __init__(
        self, ledger: Ledger, clock: Clock, ids: Ids, account: str, holder: str, patience_s: float = 10.0
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._name = account
        self._holder = holder
        self._patience_s = patience_s
        self._sign_at = clock.monotonic()
        self._had_work = False

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in signs of whoever holds the lane."""
        lane = streams.lane(self._name)
        if any(recorded.envelope.stream == lane for recorded in events):
            self._sign_at = self._clock.monotonic()

    def may_deliver(self, *, has_work: bool, is_dead: bool = False) -> bool:
        """Whether the lane is ours; taken now when it is free, or when its holder `is_dead` or was silent too long."""
        if has_work and not self._had_work:
            self._sign_at = self._clock.monotonic()  # nobody needed to show himself before
        self._had_work = has_work
        if not has_work or self.is_held:
            return self.is_held
        state = self._ledger.lane(self._name)
        is_free = state is None or state.holder is None
        is_silent = self._clock.monotonic() >= self._sign_at + self._patience_s
        return (is_free or is_dead or is_silent) and self._take()

    @property
    def is_held(self) -> bool:
        """Whether the lane is ours as far as this process knows; what is marked there is checked again."""
        state = self._ledger.lane(self._name)
        return state is not None and state.holder == self._holder

    @property
    def due_at(self) -> float:
        """When to look again: to leave a sign, or to see whether the holder did."""
        return self._sign_at + (self._patience_s / 3 if self.is_held else self._patience_s)

    def sign(self) -> cmd.UseLane:
        """What goes with everything that is marked."""
        state = self._ledger.lane(self._name)
        return cmd.UseLane(self._name, self._holder, state.fence if state is not None else 0)

    def signed(self) -> None:
        """The sign was recorded."""
        self._sign_at = self._clock.monotonic()

    def leave(self) -> None:
        """Let go of the lane, so that nobody has to wait for it; harmless when it is not held."""
        state = self._ledger.lane(self._name)
        if state is not None and state.holder == self._holder:
            self._give(cmd.LeaveLane(self._name, self._holder, state.fence))

    def _take(self) -> bool:
        state = self._ledger.lane(self._name)
        taken = self._give(cmd.TakeLane(self._name, self._holder, state.fence if state is not None else 0))
        self._sign_at = self._clock.monotonic()
        return taken

    def _give(self, command: cmd.Command) -> bool:
        try:
            self._ledger.handle(command, Cause(self._ids.trace_id(), actor="outbox"))
        except LaneRefused:  # somebody else was faster, or has it by now
            return False
        return True
