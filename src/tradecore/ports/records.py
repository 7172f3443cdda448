"""What exits and sagas work with: states, and a door for commands. A ledger is one, a backtest's desk another."""

from __future__ import annotations

from typing import Protocol

from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command
from tradecore.domain.events import Event
from tradecore.domain.exits import ExitState
from tradecore.domain.kill import KillState
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order_state import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState


class Records(Protocol):
    """Aggregates by their names, None for those that there are not."""

    def account(self, name: str) -> AccountState: ...
    def order(self, order_id: str) -> OrderState | None: ...
    def trade(self, trade_id: str) -> TradeState | None: ...
    def exits(self, trade_id: str) -> ExitState | None: ...
    def saga(self, saga_id: str) -> SagaState | None: ...
    def kill(self, account: str) -> KillState | None: ...

    def has_stream(self, stream: str) -> bool:
        """Whether anything was recorded there."""

    def handle(self, command: Command, cause: Cause) -> tuple[Recorded[Event], ...]:
        """Record what follows from a command. Raises `RefusedError` and `InputError`, with nothing recorded."""

    def note(self, stream: str, event: Event, cause: Cause) -> Recorded[Event]:
        """Record an event that no aggregate decides on."""
