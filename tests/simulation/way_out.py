"""The judge of exits: once nothing is disturbed, a price beyond a stop or a target has its trade left at once.

Whatever the models do: they may hang, and a cycle may be in the middle of its questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import attrs

from tests.simulation.books import Fail
from tradecore.domain import events as ev
from tradecore.domain.exit_plan import ExitPlan, Keeper
from tradecore.domain.messages import Recorded
from tradecore.domain.values import ZERO, Bar

_WITHIN_S = 3.0
_TOLD_S = 1.0
"""The judge hears of a bar within a second, like everybody else."""
_BAR_S = 16.0
"""Longer than a bar lasts here: what was filled before that was held for all of it."""


@attrs.define
class Held:
    """A trade as the judge knows it."""

    symbol: str = ""
    quantity: Decimal = ZERO
    filled_at: float = 0.0
    plan: ExitPlan | None = None
    keeper: Keeper | None = None
    left_at: float = -1.0
    leaving: set[str] = attrs.field(factory=set)
    due_at: float | None = None


class WayOut:
    """Follows the log and the market."""

    def __init__(self, fail: Fail, reach: Counter[str]) -> None:
        self.fail = fail
        self.reach = reach
        self._trades: dict[str, Held] = {}
        self._tangled: set[str] = set()
        """Trades with a fill that was revised: what is held is then closed under whichever trade is the older."""

    def written(self, now: float, recorded: Sequence[Recorded[ev.Event]]) -> None:
        """Look at an append."""
        for one in recorded:
            event = one.event
            match event:
                case ev.ExitsArmed():
                    held = self._trades.setdefault(event.trade_id, Held())
                    held.symbol, held.plan, held.keeper = event.symbol, event.plan, event.keeper
                case ev.ExitFired():
                    self._trades[event.trade_id].left_at = now
                case ev.TradeRevised() if event.busts:
                    self._tangled.add(event.trade_id)
                case ev.TradeFilled():
                    held = self._trades.setdefault(event.trade_id, Held())
                    held.quantity, held.filled_at = event.open_qty, now
                case ev.TradeWorking() if event.is_exit:
                    self._trades.setdefault(event.trade_id, Held()).leaving.add(event.order_id)
                case ev.TradeOrderDone():
                    self._trades.setdefault(event.trade_id, Held()).leaving.discard(event.order_id)
                case _:
                    pass

    def closed(self, now: float, bar: Bar, position: Decimal) -> None:
        """A bar is over, and everybody is told of it; `position` is what the account holds of its symbol."""
        tangled = {self._trades[trade_id].symbol for trade_id in self._tangled if trade_id in self._trades}
        for held in self._trades.values():
            if bar.symbol in tangled or held.symbol != bar.symbol or held.keeper is not Keeper.ENGINE:
                continue
            if held.filled_at >= now - _BAR_S or held.quantity * position <= 0 or not _is_beyond(held, bar):
                continue  # somebody else may have sold it
            if held.left_at > now - _TOLD_S:
                self.reach["exit was due"] += 1
            elif held.left_at < 0 and not held.leaving:
                held.due_at = now + _WITHIN_S

    def look(self, now: float) -> None:
        """What is due must have happened."""
        for trade_id, held in self._trades.items():
            if held.due_at is None or now < held.due_at:
                continue
            held.due_at = None
            self.reach["exit was due"] += 1
            if held.left_at < 0 and held.quantity and not held.leaving:
                self.fail("A4", f"{trade_id} in {held.symbol} is not left, {_WITHIN_S} s after its price: {held.plan}")


def _is_beyond(held: Held, bar: Bar) -> bool:
    plan = held.plan
    if plan is None:
        return False
    worst, best = (bar.low, bar.high) if held.quantity > 0 else (bar.high, bar.low)
    sign = 1 if held.quantity > 0 else -1
    is_stopped = plan.stop_price is not None and (worst - plan.stop_price) * sign <= 0
    return is_stopped or (plan.target_price is not None and (best - plan.target_price) * sign >= 0)
