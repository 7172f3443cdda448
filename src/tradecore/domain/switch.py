"""The kill switch: what an account may do. Anybody stops it in one step; only a person lets it go on, in two."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.account_state import AccountState
from tradecore.domain.commands import ActivateKillSwitch, ClearKillSwitch, RequestClear
from tradecore.domain.order_state import OrderState
from tradecore.domain.reducing import is_against, reduces
from tradecore.domain.values import Purpose, TradingState
from tradecore.errors import InputError, ResumeRefused

_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}

SwitchCommand = ActivateKillSwitch | RequestClear | ClearKillSwitch


def decide(state: AccountState, command: SwitchCommand) -> list[ev.Event]:
    """What a command means for the trading state. Raises `ResumeRefused`, `InputError`."""
    match command:
        case ActivateKillSwitch():
            if command.state is TradingState.ACTIVE:
                raise InputError("state", command.state.value, "reduce_only or halted")
            is_known = _STRICTNESS[command.state] <= _STRICTNESS[state.trading_state]
            if is_known and state.clear_requested_by is None:
                return []
            stricter = max(command.state, state.trading_state, key=_STRICTNESS.__getitem__)
            return [
                ev.KillSwitchActivated(state.account, stricter, command.trigger, command.evidence, command.who),
            ]
        case RequestClear():
            _refuse_active(state)
            return [ev.KillSwitchClearRequested(state.account, command.who, _reason(command.reason))]
        case ClearKillSwitch():
            _refuse_active(state)
            if state.clear_requested_by is None:
                raise ResumeRefused("nobody asked for it yet: request it first, then confirm")
            if not command.is_reconciled:
                raise ResumeRefused("the last reconciliation with the broker was not clean, or there was none")
            return [ev.KillSwitchCleared(state.account, command.who, _reason(command.reason))]


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
    if state.trading_state is TradingState.ACTIVE:
        return None
    if order.purpose is not Purpose.TRADE and is_against(state, order.symbol, order.side, order.remaining):
        return None
    only_reducing = state.trading_state is TradingState.REDUCE_ONLY
    if only_reducing and reduces(state, order.order_id, order.symbol, order.side, order.remaining):
        return None
    return f"trading is stopped: the account is {state.trading_state.value}"
