"""What a kind of saga is: a pure look at how things stand, and the next move.

A saga never waits in code. Whenever something happened, or its deadline passed, it looks at its own state and at the
books and says what is to be done now, or nothing. So a restart needs no more than the next look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import attrs

from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command
from tradecore.domain.kill import KillState
from tradecore.domain.order import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState
from tradecore.domain.values import SagaStatus


class Books(Protocol):
    """What a saga may look at; the ledger is one."""

    def order(self, order_id: str) -> OrderState | None: ...
    def trade(self, trade_id: str) -> TradeState | None: ...
    def account(self, name: str) -> AccountState: ...
    def kill(self, account: str) -> KillState | None: ...


@attrs.frozen
class Move:
    """The next step, with what it commands. `deadline` begins a new wait; None keeps the one that runs."""

    step: str
    status: SagaStatus = SagaStatus.RUNNING
    reason: str = ""
    notes: Mapping[str, str] = attrs.field(factory=dict)
    deadline: dt.datetime | None = None
    commands: tuple[Command, ...] = ()


class Saga(Protocol):
    """A kind of saga."""

    @property
    def kind(self) -> str:
        """Its name in events."""

    @property
    def timeout_s(self) -> float:
        """Seconds from its start until it gives up."""

    def check(self, terms: Mapping[str, str]) -> None:
        """Refuse terms that it could not work with. Raises `InputError` naming the term."""

    def next_move(self, state: SagaState, books: Books, now: dt.datetime) -> Move | None:
        """What to do now, or None while there is nothing to do but wait. Pure: same state, same answer."""


def done(result: str) -> Move:
    """The saga reached its aim, or as much of it as `result` says."""
    return Move("done", SagaStatus.COMPLETED, result)


def failed(reason: str) -> Move:
    """The saga did not reach its aim and left nothing behind."""
    return Move("failed", SagaStatus.FAILED, reason)


def needs_person(reason: str) -> Move:
    """The saga could not undo what it did."""
    return Move("manual", SagaStatus.MANUAL, reason)
