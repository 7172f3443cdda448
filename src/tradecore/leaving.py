"""Leaving a trade: what it holds, how its exits are armed, and what an exit that fires commands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain import exits, streams
from tradecore.domain.commands import Command, FireExit, PlaceOrder, StartSaga
from tradecore.domain.exit_plan import ExitPlan, ExitRule, Keeper, check_plan
from tradecore.domain.exits import Held
from tradecore.domain.identity import derived_id
from tradecore.domain.order_state import OrderState
from tradecore.domain.reducing import closable
from tradecore.domain.terms import is_crypto, legs_of
from tradecore.domain.trade import TradeState
from tradecore.domain.values import OrderType, Purpose, Side, TimeInForce, TradeStatus
from tradecore.draft import Draft
from tradecore.errors import CloseRefused, InputError

_TIME_TO_CLOSE = dt.timedelta(seconds=60)


def held_by(trade: TradeState | None) -> Held | None:
    """What a trade holds; None when it is flat.

    The entry counts to the millisecond: a replayed market stamps what traded in a bar a moment behind its end.
    """
    if trade is None or trade.opened_at is None or trade.status is TradeStatus.CLOSED:
        return None
    entry = trade.position.average_price
    if entry is None:
        return None
    since = trade.opened_at.replace(microsecond=trade.opened_at.microsecond // 1000 * 1000)
    return Held(trade.position.quantity, entry, since)


def arm(command: PlaceOrder, plan: ExitPlan, trade: TradeState, known: exits.ExitState | None) -> list[ev.Event]:
    """How the trade is left, told with the order that opens it or would add to it. Raises `InputError`.

    An order that adds may never fill, and the plan of a trade stays what it is until it does: see `take_effect`.
    """
    if command.side is not trade.adding:
        return []
    check_plan(plan)
    has_legs = bool(legs_of(command))
    if has_legs and (plan.trail is not None or plan.break_even is not None or len(plan.ladder) > 1):
        raise InputError("exits", plan, "what the order's legs do, and max_holding_s: never two stops for one trade")
    if known is not None:
        return [ev.ExitsPlanned(trade.trade_id, command.order_id, plan)]
    keeper = Keeper.BROKER if has_legs else Keeper.ENGINE
    return [ev.ExitsArmed(trade.trade_id, command.account, command.symbol, command.order_id, plan, keeper)]


def take_effect(draft: Draft, order: OrderState) -> None:
    """An order begins to fill: from here on its plan is that of the trade.

    A raised stop stays where it is, and what the engine keeps of a position stays with it.
    """
    state = draft.exits(order.trade_id)
    if state is None:
        return
    entry: OrderState | None = order
    while entry is not None and entry.order_id not in state.planned:  # it may have been replaced before it filled
        entry = draft.order(entry.replaces) if entry.replaces is not None else None
    if entry is None:
        return
    held, plan = held_by(draft.trade(order.trade_id)), state.planned[entry.order_id]
    keeper = Keeper.ENGINE
    if legs_of(entry):
        keeper = Keeper.BROKER if held is None else state.keeper
    _rearm(draft, state, entry, plan, keeper, keeps_stop=held is not None)


def _rearm(
    draft: Draft, state: exits.ExitState, entry: OrderState, plan: ExitPlan, keeper: Keeper, *, keeps_stop: bool
) -> None:
    armed = ev.ExitsArmed(state.trade_id, state.account, state.symbol, entry.order_id, plan, keeper)
    events: list[ev.Event] = [armed]
    if keeps_stop and state.level is not None:
        events.append(ev.ExitRaised(state.trade_id, state.raised_by, state.level, state.level))
    draft.add(streams.exits(state.trade_id), events)


def follow(draft: Draft, order: OrderState, trade_id: str) -> None:
    """A fill opens, or adds to, another trade than its order was placed for: the order's plan goes with it."""
    if trade_id == order.trade_id:
        return
    state, owner, known = draft.exits(order.trade_id), draft.trade(trade_id), draft.exits(trade_id)
    if state is None or owner is None or owner.position.quantity * order.side.sign <= 0:
        return
    entry: OrderState | None = order
    while entry is not None and entry.order_id != state.order_id:
        entry = draft.order(entry.replaces) if entry.replaces is not None else None
    if entry is None or (known is not None and known.order_id == entry.order_id):
        return
    if known is not None:
        keeper = known.keeper if legs_of(entry) else Keeper.ENGINE
        _rearm(draft, known, entry, state.plan, keeper, keeps_stop=True)
        return
    _give(draft, state, trade_id, state.keeper)


def carry(draft: Draft, giver: str, trade_id: str) -> None:
    """What a trade gave back, and no other held, begins a trade of its own: it is left as that one was."""
    state = draft.exits(giver)
    if state is not None and draft.exits(trade_id) is None:
        _give(draft, state, trade_id, Keeper.ENGINE)


def _give(draft: Draft, state: exits.ExitState, trade_id: str, keeper: Keeper) -> None:
    armed = ev.ExitsArmed(trade_id, state.account, state.symbol, state.order_id, state.plan, keeper)
    draft.add(streams.exits(trade_id), [armed])


def give(draft: Draft, command: exits.ExitCommand, now: dt.datetime) -> Command | None:
    """Record what a command means for the exits of a trade; the command that leaves it, if one follows."""
    trade, state = draft.trade(command.trade_id), draft.exits(command.trade_id)
    held = held_by(trade)
    if state is None or held is None or trade is None:
        return None
    if isinstance(command, FireExit):
        there = abs(closable(draft.account(state.account), trade.strategy, trade.symbol))
        if not there or is_being_left(draft, trade) or _saga_lives(draft, state):
            return None
        if command.rung:
            command = attrs.evolve(command, quantity=min(command.quantity, there))
    decided = exits.decide(state, command, held)
    draft.add(streams.exits(command.trade_id), decided)
    fired = [event for event in decided if isinstance(event, ev.ExitFired)]
    return _leave(trade, held, fired[0], state.fired + 1, now) if fired else None


def behind_legs(draft: Draft, closing: PlaceOrder | OrderState, trade_id: str) -> TradeState | None:
    """The trade that a decision's order closes in full while its legs are not settled: the broker would refuse it."""
    trade = draft.trade(trade_id)
    if trade is None or closing.purpose is not Purpose.CLOSE or _decision_of(closing) is None:
        return None
    has_legs = any(one.leg is not None for one in _working(draft, trade))
    return trade if has_legs and closing.quantity == abs(trade.position.quantity) else None


def by_decision(draft: Draft, trade: TradeState, closing: PlaceOrder | OrderState, now: dt.datetime) -> StartSaga:
    """Begin to leave a trade as a decision wants it: a saga, which withdraws the legs before it closes.

    Raises `CloseRefused` where the trade is being left already.
    """
    refuse_second(draft, trade)
    state, quantity = draft.exits(trade.trade_id), abs(trade.position.quantity)
    decision = _decision_of(closing)
    assert decision is not None, "only what an agent decided is left behind legs"
    if state is not None:
        entered = quantity if state.entered is None else state.entered
        fired = ev.ExitFired(trade.trade_id, ExitRule.DECISION, quantity, f"decision {decision}", entered, 0)
        draft.add(streams.exits(trade.trade_id), [fired])
    said = {"trade_id": trade.trade_id, "reason": f"decision {decision}", "decision_id": decision}
    if closing.reference_price is not None:
        said["reference_price"] = format(closing.reference_price, "f")
    number = 1 if state is None else state.fired + 1
    return StartSaga(_saga_id(trade.trade_id, number), "position_close", trade.account, said, now + _TIME_TO_CLOSE)


def _decision_of(closing: PlaceOrder | OrderState) -> str | None:
    """The decision of an agent that an order carries out; strategies withdraw what they placed themselves."""
    if isinstance(closing, OrderState):
        return closing.decision_id
    return closing.proposal.decision_id if closing.proposal is not None and closing.proposal.deliberated else None


def refuse_second(draft: Draft, trade: TradeState) -> None:
    """Nothing is closed twice. Raises `CloseRefused`."""
    state = draft.exits(trade.trade_id)
    if is_being_left(draft, trade) or (state is not None and _saga_lives(draft, state)):
        raise CloseRefused(f"trade {trade.trade_id} of {trade.symbol} is being left already")


def refuse_unheld(draft: Draft, closing: PlaceOrder | OrderState) -> None:
    """It may have been decided on books that others were ahead of, or long ago. Raises `CloseRefused`."""
    held = closable(draft.account(closing.account), closing.strategy, closing.symbol)
    if closing.quantity is None or held * closing.side.sign >= 0 or closing.quantity > abs(held):
        raise CloseRefused(f"{closing.strategy} holds {held} {closing.symbol} in the account by now")


def is_being_left(draft: Draft, trade: TradeState) -> bool:
    """Whether an order to close works for the trade; one that waits for a person does not."""
    return any(one.purpose is Purpose.CLOSE and not one.awaits_approval for one in _working(draft, trade))


def _working(draft: Draft, trade: TradeState) -> Iterator[OrderState]:
    """The orders of a trade that are not settled: of one that has ended, fills may be missing."""
    for order_id in trade.working_orders:
        order = draft.order(order_id)
        assert order is not None, "a trade names orders that there are"
        yield order


def _saga_lives(draft: Draft, state: exits.ExitState) -> bool:
    last = draft.saga(_saga_id(state.trade_id, state.fired)) if state.fired else None
    return last is not None and last.is_live


def _saga_id(trade_id: str, number: int) -> str:
    return derived_id("exit", trade_id, str(number))


def partial_order_id(trade_id: str, number: int) -> str:
    """The order by which the exit of that number leaves a part of the trade."""
    return derived_id("exit order", trade_id, str(number))


def _leave(trade: TradeState, held: Held, fired: ev.ExitFired, number: int, now: dt.datetime) -> Command:
    """All of it by a saga, which withdraws the trade's orders first; a part of it by an order of its own."""
    if fired.quantity >= abs(held.quantity):
        terms = {"trade_id": trade.trade_id, "reason": f"{fired.rule.value}: {fired.evidence}"}
        saga_id = _saga_id(trade.trade_id, number)
        return StartSaga(saga_id, "position_close", trade.account, terms, now + _TIME_TO_CLOSE)
    return PlaceOrder(
        order_id=partial_order_id(trade.trade_id, number),
        account=trade.account,
        symbol=trade.symbol,
        side=Side.SELL if held.quantity > 0 else Side.BUY,
        quantity=Decimal(fired.quantity),
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.GTC if is_crypto(trade.symbol) else TimeInForce.DAY,
        strategy=trade.strategy,
        not_after=now + _TIME_TO_CLOSE,
        purpose=Purpose.CLOSE,
    )
