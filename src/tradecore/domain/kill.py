"""Kill: cancel everything that works for an account, again and again, until the broker shows nothing any more."""

from __future__ import annotations

import attrs

from tradecore.domain import events as ev
from tradecore.domain import suspension as broker_switch
from tradecore.domain.commands import RecordKillAnswer, RequestKill, StartKill
from tradecore.domain.evolving import changed
from tradecore.domain.suspension import Suspension, SuspensionCommand
from tradecore.errors import InvariantViolated


@attrs.frozen(slots=False)
class KillState:
    """The last kill of an account. `is_open` until it is verified; `flat` when that includes that nothing is held.

    Beside it the account's `suspension` at the broker, which a kill may begin and which outlasts it.
    """

    account: str
    is_open: bool = False
    suspend: bool = False
    flat: bool = False
    attempts: int = 0
    in_flight: bool = False
    suspension: Suspension = Suspension()

    @property
    def needs_broker(self) -> bool:
        """Whether the broker is to be told something: to cancel everything, or to take new orders again."""
        return self.is_open or self.suspension.lifting


KillCommand = RequestKill | StartKill | RecordKillAnswer | SuspensionCommand


def decide(state: KillState | None, command: KillCommand) -> list[ev.Event]:
    """What a command means for the kill of an account."""
    account = command.account
    match command:
        case RequestKill():
            if state is None or not state.is_open:
                return [ev.KillRequested(account, command.suspend, command.reason, command.flat)]
            if state.suspend >= command.suspend and state.flat is command.flat:
                return []
            return [ev.KillRequested(account, command.suspend or state.suspend, command.reason, command.flat)]
        case StartKill():
            if state is None or not state.is_open:
                return []
            lost = [_answer(account, state.attempts, _NO_OUTCOME)] if state.in_flight else []
            return [*lost, ev.KillSubmitted(account, state.attempts + 1, command.lease)]
        case RecordKillAnswer():
            if state is None or not state.in_flight:
                return []
            attempts = state.attempts
            answered = ev.KillAnswered(
                account, attempts, command.accepted, command.message, command.open_orders, command.open_positions
            )
            is_flat = command.open_positions == 0 or not state.flat
            verified = command.accepted and command.open_orders == 0 and is_flat
            return [answered, ev.KillVerified(account, attempts, state.flat)] if verified else [answered]
        case _:
            return broker_switch.decide(state.suspension if state else Suspension(), command)


_NO_OUTCOME = "no outcome was recorded: the process that sent it ended"


def _answer(account: str, attempt: int, message: str) -> ev.KillAnswered:
    return ev.KillAnswered(account, attempt, False, message, None)


def evolve(state: KillState | None, event: ev.Event, account: str) -> KillState:
    """The kill after an event."""
    state = state or KillState(account)
    match event:
        case ev.KillRequested():
            switch = changed(state.suspension, ours=state.suspension.ours or event.suspend, lifting=False)
            return changed(state, is_open=True, suspend=event.suspend, flat=event.flat, suspension=switch)
        case ev.KillSubmitted():
            switch = changed(state.suspension, in_flight=False)
            return changed(state, attempts=event.attempt, in_flight=True, suspension=switch)
        case ev.KillAnswered():
            return changed(state, in_flight=False)
        case ev.KillVerified():
            return changed(state, is_open=False)
        case (
            ev.SuspensionShown()
            | ev.SuspensionLiftRequested()
            | ev.SuspensionLiftSubmitted()
            | ev.SuspensionLiftAnswered()
            | ev.SuspensionLifted()
        ):
            return changed(state, suspension=broker_switch.evolve(state.suspension, event))
        case _:
            raise InvariantViolated(f"a kill cannot hold {event.NAME}")
