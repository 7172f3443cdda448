"""The kill switch: what an account may do. Anybody stops it in one step; only a person lets it go on, in two."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import events as ev
from tradecore.domain.account_state import AccountState
from tradecore.domain.commands import (
    AcknowledgeAlert,
    ActivateKillSwitch,
    ClearKillSwitch,
    RaiseAlert,
    RequestClear,
)
from tradecore.domain.order_state import OrderState
from tradecore.domain.reducing import is_against, reduces
from tradecore.domain.values import Purpose, TradingState
from tradecore.errors import InputError, ResumeRefused

_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}

SwitchCommand = ActivateKillSwitch | RequestClear | ClearKillSwitch | RaiseAlert | AcknowledgeAlert


def decide(state: AccountState, command: SwitchCommand, now: dt.datetime) -> list[ev.Event]:
    """What a command means for the trading state. Raises `ResumeRefused`, `InputError`."""
    match command:
        case ActivateKillSwitch():
            return _activate(state, command, now)
        case RaiseAlert():
            if command.position <= state.alerts_upto:
                return []
            return [ev.AlertRaised(state.account, command.position, command.kind, command.message)]
        case AcknowledgeAlert():
            return _acknowledge(state, command)
        case RequestClear():
            _refuse_active(state)
            return [ev.KillSwitchClearRequested(state.account, command.who, _reason(command.reason))]
        case _:  # the second of two steps
            _refuse_active(state)
            if state.clear_requested_by is None:
                raise ResumeRefused("nobody asked for it yet: request it first, then confirm")
            if not command.is_reconciled:
                raise ResumeRefused("the last reconciliation with the broker was not clean, or there was none")
            return [ev.KillSwitchCleared(state.account, command.who, _reason(command.reason), now)]


def _activate(state: AccountState, command: ActivateKillSwitch, now: dt.datetime) -> list[ev.Event]:
    if command.state is TradingState.ACTIVE:
        raise InputError("state", command.state.value, "reduce_only or halted")
    is_by_itself = command.cooldown_s > 0
    if is_by_itself and now < state.quiet.get(command.trigger, now):
        return []
    is_stopped = _STRICTNESS[command.state] <= _STRICTNESS[state.trading_state]
    is_said = command.trigger in state.stopped_by
    # What springs by itself may still hold while a person clears it: it does not take that person's first step back.
    if is_stopped and is_said and (is_by_itself or state.clear_requested_by is None):
        return []
    stricter = max(command.state, state.trading_state, key=_STRICTNESS.__getitem__)
    return [
        ev.KillSwitchActivated(
            state.account, stricter, command.trigger, command.evidence, command.who, command.cooldown_s
        )
    ]


def _acknowledge(state: AccountState, command: AcknowledgeAlert) -> list[ev.Event]:
    reason = _reason(command.reason)
    if command.position is not None and command.position not in state.unread:
        raise InputError("alert", command.position, "the position of an alert that nobody has acknowledged")
    positions = list(state.unread) if command.position is None else [command.position]
    return [ev.AlertAcknowledged(state.account, position, command.who, reason) for position in positions]


def _refuse_active(state: AccountState) -> None:
    if state.trading_state is TradingState.ACTIVE:
        raise ResumeRefused("trading is not stopped")


def _reason(reason: str) -> str:
    if not reason.strip():
        raise InputError("reason", reason, "why, for the record")
    return reason


def why_not_sent(state: AccountState, order: OrderState) -> str | None:
    """Why an order must not be sent in this trading state, or None.

    What closes or protects passes as long as it is against the position and not larger than it.
    """
    if state.may is TradingState.ACTIVE:
        return None
    if order.purpose is not Purpose.TRADE and is_against(state, order.symbol, order.side, order.remaining):
        return None
    only_reducing = state.may is TradingState.REDUCE_ONLY
    if only_reducing and reduces(state, order.order_id, order.symbol, order.side, order.remaining):
        return None
    why = "" if state.trading_state is state.may else ", until its critical alerts are acknowledged"
    return f"trading is stopped: the account is {state.may.value}{why}"
