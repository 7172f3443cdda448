"""From what a strategy proposes to the command that records it, every number looked at on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container
from decimal import Decimal

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.exit_plan import Entry, ExitPlan, check_plan, legs_at_broker
from tradecore.domain.identity import decision_id, order_id_of_decision
from tradecore.domain.terms import StopLoss, TakeProfit, check_terms, size
from tradecore.domain.values import Bar, OrderClass, Purpose, parse_positive, parse_symbol
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea


def order_of(
    idea: Idea, bar: Bar, number: int, *, strategy: str, account: str, not_after: dt.datetime
) -> cmd.PlaceOrder:
    """The order that an idea asks for; the same idea at the same bar is the same order. Raises `InputError`."""
    as_of = bar.start if number == 0 else bar.start.replace(microsecond=number)
    decision = decision_id(strategy, idea.symbol, as_of.isoformat())
    profit, loss = idea.take_profit, idea.stop_loss
    order = cmd.PlaceOrder(
        order_id=order_id_of_decision(decision),
        account=account,
        symbol=parse_symbol("symbol", idea.symbol),
        side=idea.side,
        quantity=_positive("quantity", idea.quantity),
        notional=_positive("notional", idea.notional),
        order_type=idea.order_type,
        limit_price=_positive("limit_price", idea.limit_price),
        stop_price=_positive("stop_price", idea.stop_price),
        trail_price=_positive("trail_price", idea.trail_price),
        trail_percent=_positive("trail_percent", idea.trail_percent),
        time_in_force=idea.time_in_force,
        extended_hours=idea.extended_hours,
        order_class=idea.order_class,
        take_profit=None if profit is None else TakeProfit(parse_positive("take_profit", profit.limit_price)),
        stop_loss=None
        if loss is None
        else StopLoss(parse_positive("stop_loss", loss.stop_price), _positive("stop_loss", loss.limit_price)),
        purpose=idea.purpose,
        strategy=strategy,
        not_after=not_after,
        reference_price=bar.close,
        proposal=None,
    )
    check_terms(order)
    quantity = size(order, bar.close)
    if quantity is None:
        raise InputError("notional", idea.notional, "an amount that can be counted at the bar's close")
    return _with_proposal(order, idea, bar, decision, quantity)


def with_exits(
    order: cmd.PlaceOrder, plan: ExitPlan | None, held: Decimal, watched: Container[str] | None = None
) -> cmd.PlaceOrder:
    """The order with how its trade is to be left: as legs where the broker can keep all of it, else by the engine.

    An order against what is `held`, or one that has legs of its own, stays as it is. Raises `InputError` where the
    engine would need prices and `watched`, the symbols that bars come of, are known and without the order's.
    """
    against = held * order.side.sign < 0
    if plan is None or against or order.purpose is not Purpose.TRADE or order.order_class is not OrderClass.SIMPLE:
        return order
    check_plan(plan)
    entry = Entry(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        order_class=order.order_class,
        time_in_force=order.time_in_force,
        purpose=order.purpose,
        extended_hours=order.extended_hours,
        price=order.limit_price if order.limit_price is not None else order.reference_price,
    )
    legs = legs_at_broker(entry, plan)
    if legs is None:
        if watched is not None and plan.needs_prices and order.symbol not in watched:
            raise InputError("exits", order.symbol, "a symbol that bars come of (market_data.symbols)")
        return attrs.evolve(order, exits=plan)
    return attrs.evolve(
        order, exits=plan, order_class=legs.order_class, take_profit=legs.take_profit, stop_loss=legs.stop_loss
    )


def _with_proposal(order: cmd.PlaceOrder, idea: Idea, bar: Bar, decision: str, quantity: Decimal) -> cmd.PlaceOrder:
    proposal = cmd.Proposal(
        decision_id=decision,
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        reference_price=bar.close,
        data_as_of=bar.start,
        reasoning=idea.reasoning,
        confidence=idea.confidence,
    )
    return attrs.evolve(order, proposal=proposal)


def _positive(field: str, number: Decimal | None) -> Decimal | None:
    return None if number is None else parse_positive(field, number)
