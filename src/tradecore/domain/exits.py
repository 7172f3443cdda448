"""Exits of a trade: what of its plan is under way, and what a bar, or the time, brings about. Pure.

Who reads a bar knows neither the order of its prices nor what happened between them, so the worse comes first: a stop
is looked for before a target, at the level from before the bar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import FireExit, RaiseExit, TakeOverExits
from tradecore.domain.evolving import changed
from tradecore.domain.exit_plan import ONE, ExitPlan, ExitRule, Keeper
from tradecore.domain.values import ZERO, minus, plus, rounded_down_to_nine, times
from tradecore.errors import InvariantViolated


@attrs.frozen(slots=False)
class ExitState:
    """The exits of a trade. `level` is where the stop was raised to; `entered` what was held when first left in part.

    `fired` counts how often an exit was begun, `rungs` how many of the ladder are done; `last_rung` is the one that the
    last exit was for, 0 for none. `planned` are the plans of orders that would add to the trade and have not filled.
    """

    trade_id: str
    account: str
    symbol: str
    order_id: str
    plan: ExitPlan
    keeper: Keeper
    level: Decimal | None = None
    raised_by: ExitRule = ExitRule.STOP_LOSS
    rungs: int = 0
    fired: int = 0
    entered: Decimal | None = None
    last_rung: int = 0
    planned: Mapping[str, ExitPlan] = attrs.field(factory=dict)


@attrs.frozen
class Held:
    """What a trade holds: signed quantity, average entry price, and since when."""

    quantity: Decimal
    entry: Decimal
    opened_at: dt.datetime

    @property
    def sign(self) -> Decimal:
        """1 when it gains as the price rises, else -1."""
        return ONE if self.quantity > 0 else -ONE

    def at_gain(self, share: Decimal) -> Decimal:
        """The price at which a unit has gained that share of its entry price."""
        return times(self.entry, plus(ONE, times(self.sign, share)))

    def reaches(self, price: Decimal, target: Decimal) -> bool:
        """Whether a price is at least as good as the target."""
        return price >= target if self.quantity > 0 else price <= target


@attrs.frozen
class Seen:
    """What a bar showed of the market until `until` (UTC)."""

    high: Decimal
    low: Decimal
    until: dt.datetime


Wanted = FireExit | RaiseExit


def stop_level(state: ExitState, held: Held) -> tuple[Decimal, ExitRule] | None:
    """Where the stop is and which rule put it there; None without one."""
    levels = []
    if state.plan.stop_loss is not None:
        levels.append((held.at_gain(-state.plan.stop_loss), ExitRule.STOP_LOSS))
    if state.plan.stop_price is not None:
        levels.append((state.plan.stop_price, ExitRule.STOP_LOSS))
    if state.level is not None:
        levels.append((state.level, state.raised_by))
    return max(levels, key=lambda found: found[0] * held.sign) if levels else None


def next_exit(state: ExitState, held: Held, seen: Seen | None, now: dt.datetime) -> Wanted | None:
    """What is to be done, or None. Without a bar only the time counts; prices are the broker's where it keeps them."""
    longest = state.plan.max_holding_s
    if longest is not None and now - held.opened_at >= dt.timedelta(seconds=float(longest)):
        since = f"held since {held.opened_at.isoformat()}, for {longest} s at the most"
        return _fire(state, ExitRule.MAX_HOLDING, abs(held.quantity), since)
    if seen is None or state.keeper is Keeper.BROKER:
        return None
    best, worst = (seen.high, seen.low) if held.quantity > 0 else (seen.low, seen.high)
    stop = stop_level(state, held)
    if stop is not None and not (held.reaches(worst, stop[0]) and worst != stop[0]):
        return _fire(state, stop[1], abs(held.quantity), f"{worst} against a stop at {stop[0]}")
    fixed = state.plan.target_price
    if fixed is not None and held.reaches(best, fixed):
        return _fire(state, ExitRule.TAKE_PROFIT, abs(held.quantity), f"{best} against a target at {fixed}")
    if state.rungs < len(state.plan.ladder):
        rung = state.plan.ladder[state.rungs]
        if held.reaches(best, target := held.at_gain(rung.gain)):
            evidence = f"{best} against a target at {target}"
            return _fire(state, ExitRule.TAKE_PROFIT, _of_rung(state, held), evidence, state.rungs + 1)
    return _raised(state, held, best, stop)


def _fire(state: ExitState, rule: ExitRule, quantity: Decimal, evidence: str, rung: int = 0) -> FireExit:
    return FireExit(state.trade_id, rule, quantity, evidence, state.fired, rung)


def _of_rung(state: ExitState, held: Held) -> Decimal:
    """What the next rung closes, never more than is held; whole units, rounded up, where whole units were entered."""
    entered = state.entered if state.entered is not None else abs(held.quantity)
    share = state.plan.ladder[state.rungs].share
    quantity = times(entered, share)
    if not entered % 1:
        quantity = quantity.to_integral_value(rounding="ROUND_CEILING")
    return min(quantity, abs(held.quantity))


def _raised(state: ExitState, held: Held, best: Decimal, stop: tuple[Decimal, ExitRule] | None) -> RaiseExit | None:
    plan, levels = state.plan, []
    if plan.break_even is not None and held.reaches(best, held.at_gain(plan.break_even)):
        levels.append((held.entry, ExitRule.BREAK_EVEN))
    if plan.trail is not None and held.reaches(best, held.at_gain(plan.trail_arm)):
        levels.append((times(best, minus(ONE, times(held.sign, plan.trail))), ExitRule.TRAIL))
    if not levels:
        return None
    level, rule = max(levels, key=lambda found: found[0] * held.sign)
    if stop is not None and (level - stop[0]) * held.sign <= ZERO:
        return None
    return RaiseExit(state.trade_id, rule, level, best)


ExitCommand = FireExit | RaiseExit | TakeOverExits


def decide(state: ExitState, command: ExitCommand, held: Held) -> list[ev.Event]:
    """What a command means for the exits; nothing when somebody else was faster."""
    match command:
        case FireExit():
            if command.after != state.fired:
                return []
            entered = state.entered if state.entered is not None else abs(held.quantity)
            return [
                ev.ExitFired(state.trade_id, command.rule, command.quantity, command.evidence, entered, command.rung)
            ]
        case RaiseExit():
            stop = stop_level(state, held)
            if stop is not None and (command.level - stop[0]) * held.sign <= ZERO:
                return []
            return [ev.ExitRaised(state.trade_id, command.rule, command.level, command.price)]
        case _:  # the engine takes over
            if state.keeper is Keeper.ENGINE:
                return []
            return [
                ev.ExitsArmed(
                    state.trade_id,
                    state.account,
                    state.symbol,
                    state.order_id,
                    state.plan,
                    Keeper.ENGINE,
                    command.reason,
                )
            ]


def evolve(state: ExitState | None, event: ev.Event) -> ExitState:
    """The exits after an event."""
    if isinstance(event, ev.ExitsArmed):
        return _armed(state, event)
    assert state is not None, "exits begin when they are armed"
    match event:
        case ev.ExitsPlanned():
            return changed(state, planned={**state.planned, event.order_id: event.plan})
        case ev.ExitRaised():
            return changed(state, level=event.level, raised_by=event.rule)
        case ev.ExitFired():
            return changed(
                state,
                fired=state.fired + 1,
                rungs=event.rung or state.rungs,
                entered=event.entered,
                last_rung=event.rung,
            )
        case ev.ExitsSplit():
            return _split(state, abs(event.before), abs(event.after))
        case _:
            raise InvariantViolated(f"exits cannot hold {event.NAME}")


def _armed(state: ExitState | None, event: ev.ExitsArmed) -> ExitState:
    if state is not None and state.order_id == event.order_id:
        return changed(state, keeper=event.keeper)
    armed = ExitState(event.trade_id, event.account, event.symbol, event.order_id, event.plan, event.keeper)
    if state is None:
        return armed
    planned = {order_id: plan for order_id, plan in state.planned.items() if order_id != event.order_id}
    armed = changed(armed, fired=state.fired, planned=planned)
    if state.plan.ladder != event.plan.ladder:
        return armed
    # More of the same: a ladder that was begun goes on where it was.
    return changed(armed, rungs=state.rungs, entered=state.entered, last_rung=state.last_rung)


def _split(state: ExitState, before: Decimal, after: Decimal) -> ExitState:
    """What is a price goes with that of a unit, what is a quantity with the units."""

    def price(old: Decimal | None) -> Decimal | None:
        return None if old is None else rounded_down_to_nine(times(old, before), after)

    def plan(old: ExitPlan) -> ExitPlan:
        return attrs.evolve(old, stop_price=price(old.stop_price), target_price=price(old.target_price))

    return changed(
        state,
        plan=plan(state.plan),
        level=price(state.level),
        entered=None if state.entered is None else rounded_down_to_nine(times(state.entered, after), before),
        planned={order_id: plan(waiting) for order_id, waiting in state.planned.items()},
    )
