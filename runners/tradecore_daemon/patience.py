"""Asking again while the broker cannot be reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tradecore.errors import BrokerUnreachable, ProtocolError
from tradecore.runner.contract import Session

_RETRY_S = 0.25

Answer = TypeVar("Answer")


async def patiently(session: Session, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again while the broker cannot be reached, for at most `broker.unreachable_after_s`."""
    give_up = session.clock.monotonic() + session.settings.broker.unreachable_after_s
    while True:
        try:
            return await ask()
        except (BrokerUnreachable, ProtocolError):
            if session.clock.monotonic() >= give_up:
                raise
            await session.clock.sleep(_RETRY_S)
