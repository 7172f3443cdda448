"""Lane: the delivery of one account, held by one process at a time under a number that only rises.

What a holder marks is recorded in one transaction with `LaneUsed`, on the version of the lane that it knows. Whoever
lost the lane, however long it slept, therefore marks nothing: the take-over moved the lane's stream on.
"""

from __future__ import annotations

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import LeaveLane, TakeLane, UseLane
from tradecore.domain.evolving import changed
from tradecore.errors import InvariantViolated, LaneRefused


@attrs.frozen(slots=False)
class LaneState:
    """Who delivers a lane; `holder` None when nobody does."""

    lane: str
    fence: int = 0
    holder: str | None = None


LaneCommand = TakeLane | UseLane | LeaveLane


def decide(state: LaneState | None, command: LaneCommand) -> list[ev.Event]:
    """What a command means for a lane. Raises `LaneRefused` when its word on who holds the lane is out of date."""
    state = state or LaneState(command.lane)
    if state.fence != command.fence or (not isinstance(command, TakeLane) and state.holder != command.holder):
        raise LaneRefused(f"{state.holder or 'nobody'} delivers lane {state.lane} under {state.fence} by now")
    match command:
        case TakeLane():
            return [ev.LaneTaken(state.lane, state.fence + 1, command.holder)]
        case UseLane():
            return [ev.LaneUsed(state.lane, state.fence)]
        case LeaveLane():
            return [ev.LaneLeft(state.lane, state.fence)]


def evolve(state: LaneState | None, event: ev.Event, lane: str) -> LaneState:
    """The lane after an event."""
    state = state or LaneState(lane)
    match event:
        case ev.LaneTaken():
            return LaneState(lane, event.fence, event.holder)
        case ev.LaneUsed():
            return state
        case ev.LaneLeft():
            return changed(state, holder=None)
        case _:
            raise InvariantViolated(f"a lane cannot hold {event.NAME}")
