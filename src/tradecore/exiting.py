"""Exits that the engine keeps: every bar, and the time, is held against the plans of what is held.

Which trades are held is in the account, how each is left in its own stream. On the morning of a split bars show the new
price before the broker tells of the split, and every stop would be reached: a price that jumps is believed once the
broker names it, too, for as many units as the books have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore.domain.commands import FireExit, TakeOverExits
from tradecore.domain.exit_plan import Keeper
from tradecore.domain.exits import ExitState, Held, Seen, next_exit
from tradecore.domain.identity import leg_order_id
from tradecore.domain.jumps import is_jump
from tradecore.domain.messages import Cause
from tradecore.domain.session import is_regular
from tradecore.domain.terms import legs_of
from tradecore.domain.values import Bar
from tradecore.feed import MINUTE
from tradecore.leaving import held_by, partial_order_id
from tradecore.ports.ids import Ids
from tradecore.ports.records import Records
from tradecore.protection import latest

_UNSEEN = (
    "its exits need prices, and no bars of it come: name it in market_data.symbols, or let a stop wait at the broker"
)
_JUMPED = "may be a split: its exits that need prices wait until the broker names that price, too"
_SHORTEST, _LONGEST = dt.timedelta(seconds=1), dt.timedelta(seconds=60)


@attrs.frozen
class _Tries:
    """When a trade was last left by the time, as its so-many-th exit, and how long it then has to do."""

    fired: int
    at: dt.datetime
    pause: dt.timedelta


class Exits:
    """The exits of one account's trades."""

    def __init__(self, ledger: Records, ids: Ids, account: str, bar: dt.timedelta = MINUTE) -> None:
        """`bar` is how long the bars last."""
        self._ledger = ledger
        self._bar = bar
        self._ids = ids
        self._account = account
        self.watched: frozenset[str] | None = None
        """The symbols that bars come of; None where nobody said."""
        self.doubts = True
        """Whether jumps are doubted: not in a replayed market, where nobody could be asked."""
        self._last: dict[str, Decimal] = {}
        self._jumped: dict[str, str] = {}
        self._tries: dict[str, _Tries] = {}

    @property
    def doubted(self) -> frozenset[str]:
        """The symbols whose price jumped, so that the broker must be asked."""
        return frozenset(self._jumped)

    def see(self, bar: Bar) -> None:
        """Hold a bar against the plans of what is held of its symbol.

        One that began before the entry says nothing, and one whose price jumped only that time passes.
        """
        until = bar.start + self._bar
        is_believed = self._believes(bar)
        for state, held in self._held(bar.symbol):
            self._take_over(state)
            seen = Seen(bar.high, bar.low, until) if is_believed and bar.start >= held.opened_at else None
            self._leave(state.trade_id, seen, until)

    def look(self, now: dt.datetime) -> None:
        """Hold the broker's time against the plans of everything that is held and that could be sold now."""
        for state, _ in self._held(None):
            if is_regular(state.symbol, now) and self._is_turn(state, now):
                self._leave(state.trade_id, None, now)

    def _is_turn(self, state: ExitState, now: dt.datetime) -> bool:
        """Whether to try by the time: what came to nothing is tried again ever more rarely, and at every bar."""
        last = self._tries.get(state.trade_id)
        if last is None or state.fired != last.fired:
            pause = _SHORTEST if last is None else min(last.pause * 2, _LONGEST)
            self._tries[state.trade_id] = _Tries(state.fired, now, pause)
            return last is None
        return not last.at <= now < last.at + last.pause

    def unseen(self) -> tuple[str, ...]:
        """What a person must know: exits that are kept here and need prices that never come, or that are doubted."""
        kept = (state for state, _ in self._held(None) if state.keeper is Keeper.ENGINE and state.plan.needs_prices)
        symbols = sorted({state.symbol for state in kept})
        unwatched = (symbol for symbol in symbols if self.watched is not None and symbol not in self.watched)
        jumped = (self._jumped[symbol] for symbol in symbols if symbol in self._jumped)
        return (*(f"{symbol}: {_UNSEEN}" for symbol in unwatched), *jumped)

    def _believes(self, bar: Bar) -> bool:
        last, marked = self._last.get(bar.symbol), self._ledger.account(self._account).exposure.marks.get(bar.symbol)
        known = [price for price in (last, marked) if price is not None]
        if self.doubts and known and all(is_jump(price, bar.low, bar.high) for price in known):
            told = f"{bar.symbol}: from {known[0]:f} to {bar.close:f} at {bar.start.isoformat()} {_JUMPED}"
            self._jumped.setdefault(bar.symbol, told)
            return False
        self._last[bar.symbol] = bar.close
        self._jumped.pop(bar.symbol, None)
        return True

    def _held(self, symbol: str | None) -> Iterator[tuple[ExitState, Held]]:
        for (_, held_symbol), holding in list(self._ledger.account(self._account).holdings.items()):
            if symbol is not None and held_symbol != symbol:
                continue
            state = self._ledger.exits(holding.trade_id)
            held = held_by(self._ledger.trade(holding.trade_id))
            if state is not None and held is not None:
                yield state, held

    def _leave(self, trade_id: str, seen: Seen | None, now: dt.datetime) -> None:
        """One exit at the most: the next bar sees what became of it."""
        state, held = self._ledger.exits(trade_id), held_by(self._ledger.trade(trade_id))
        assert state is not None, "somebody armed it"
        if held is None:
            return  # another process recorded the last fill, and a command between has just shown it
        if state.last_rung and self._came_to_nothing(partial_order_id(trade_id, state.fired)):
            state = attrs.evolve(state, rungs=state.last_rung - 1)
        wanted = next_exit(state, held, seen, now)
        if wanted is not None:
            what = "fired" if isinstance(wanted, FireExit) else "raised"
            self._ledger.handle(wanted, self._cause(f"exit:{what}"))

    def _came_to_nothing(self, order_id: str) -> bool:
        order = self._ledger.order(order_id)
        return order is not None and order.is_settled and not order.filled_qty

    def _take_over(self, state: ExitState) -> None:
        """Keep what the broker no longer does: every leg ended, and the position is still there."""
        entry = self._ledger.order(state.order_id)
        if state.keeper is Keeper.ENGINE or entry is None or not entry.status.is_terminal:
            return
        planned = [self._ledger.order(leg_order_id(entry.order_id, leg.value)) for leg in legs_of(entry)]
        legs = [latest(self._ledger, leg) for leg in planned]
        if all(leg is None or leg.is_settled for leg in legs):
            reason = "every order that kept it at the broker has ended"
            self._ledger.handle(TakeOverExits(state.trade_id, reason), self._cause("exits"))

    def _cause(self, actor: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=actor)
