"""Marking: the broker's prices of what an account holds, taken in now and then."""

from __future__ import annotations

from collections.abc import Set

from tradecore.domain.commands import MarkEquity
from tradecore.domain.jumps import is_jump
from tradecore.domain.messages import Cause
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock


class Marks:
    """The prices of one account's positions."""

    def __init__(self, ledger: Ledger, broker: Broker, clock: Clock, account: str, every_s: float) -> None:
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._account = account
        self._every_s = every_s
        self._at: float | None = None

    async def take(self, why: str, differing: Set[str], cause: Cause) -> None:
        """Take them in: at a start, on a new day, now and then, and where one lacks.

        Not one that jumped of a symbol whose units are `differing`: after a split it is the price of other units than
        those in the books. Raises `BrokerUnreachable`, `ProtocolError`.
        """
        account, now = self._ledger.account(self._account), self._clock.monotonic()
        is_new_day = account.tempo.day != self._clock.now().date()
        lately = self._at is not None and now - self._at < self._every_s
        if why == "schedule" and lately and not is_new_day and not account.exposure.unpriced:
            return
        spelt = {symbol.replace("/", ""): symbol for symbol in account.exposure.books}
        held = await self._broker.positions()
        self._at = now
        marks = {
            spelt.get(item.symbol, item.symbol): item.current_price for item in held if item.current_price is not None
        }
        known = account.exposure.marks
        for symbol in differing & marks.keys() & known.keys():
            if is_jump(known[symbol], marks[symbol], marks[symbol]):
                del marks[symbol]
        self._ledger.handle(MarkEquity(self._account, marks, self._clock.now()), cause)
