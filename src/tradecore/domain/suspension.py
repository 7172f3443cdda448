"""The broker's own switch: whether it refuses an account's new orders, who had it do so, and how that is lifted."""

from __future__ import annotations

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import NoteSuspension, RecordLiftAnswer, StartLift
from tradecore.domain.evolving import changed


@attrs.frozen(slots=False)
class Suspension:
    """`ours` from when a kill asked for it until it is proved lifted; `shown` is what the broker showed last.

    While `lifting` the broker is told, again and again, to take new orders, as `who` wanted for `reason`.
    """

    ours: bool = False
    shown: bool = False
    lifting: bool = False
    who: str = ""
    reason: str = ""
    attempts: int = 0
    in_flight: bool = False

    @property
    def may_hold(self) -> bool:
        """Whether the broker may refuse new orders."""
        return self.ours or self.shown


SuspensionCommand = NoteSuspension | StartLift | RecordLiftAnswer


def decide(state: Suspension, command: SuspensionCommand) -> list[ev.Event]:
    """What a command means for the suspension of an account."""
    account = command.account
    match command:
        case NoteSuspension():
            if state.lifting or command.suspended == state.shown:
                return []  # while it is being lifted, what is shown may be of before
            return [ev.SuspensionShown(account, command.suspended)]
        case StartLift():
            if not state.lifting:
                return []
            lost = [_lost(account, state)] if state.in_flight else []
            return [*lost, ev.SuspensionLiftSubmitted(account, state.attempts + 1, command.lease)]
        case _:  # what came of an attempt
            if not state.in_flight:
                return []
            answered = ev.SuspensionLiftAnswered(
                account, state.attempts, command.accepted, command.message, command.suspended
            )
            is_proved = state.lifting and command.accepted and command.suspended is False
            return [answered, ev.SuspensionLifted(account, state.attempts)] if is_proved else [answered]


def _lost(account: str, state: Suspension) -> ev.SuspensionLiftAnswered:
    message = "no outcome was recorded: the process that sent it ended"
    return ev.SuspensionLiftAnswered(account, state.attempts, False, message, None)


SuspensionEvent = (
    ev.SuspensionShown
    | ev.SuspensionLiftRequested
    | ev.SuspensionLiftSubmitted
    | ev.SuspensionLiftAnswered
    | ev.SuspensionLifted
)


def evolve(state: Suspension, event: SuspensionEvent) -> Suspension:
    """The suspension after an event of its own."""
    match event:
        case ev.SuspensionShown():
            return changed(state, shown=event.suspended)
        case ev.SuspensionLiftRequested():
            return changed(state, lifting=True, who=event.who, reason=event.reason)
        case ev.SuspensionLiftSubmitted():
            return changed(state, attempts=event.attempt, in_flight=True)
        case ev.SuspensionLiftAnswered():
            return changed(state, in_flight=False)
        case _:  # lifted
            return Suspension(attempts=state.attempts)
