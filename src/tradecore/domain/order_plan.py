"""Order plans: the first events of an order, of the legs that it brings along, and of what is to replace it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradecore.domain import events as ev
from tradecore.domain.commands import PlaceOrder, ReplaceOrder
from tradecore.domain.identity import client_order_id, leg_order_id
from tradecore.domain.order_state import OrderState
from tradecore.domain.terms import body_hash, check_terms, legs_of
from tradecore.domain.values import ZERO, Leg, OrderClass, OrderType, Purpose, minus
from tradecore.errors import ReplaceRefused


def plan(command: PlaceOrder, client_order_id: str, trade_id: str) -> list[ev.Event]:
    """The first events of an order: planned, and queued for delivery. Raises `InputError`."""
    check_terms(command)
    planned = ev.OrderPlanned(
        order_id=command.order_id,
        client_order_id=client_order_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        quantity=command.quantity,
        order_type=command.order_type,
        limit_price=command.limit_price,
        time_in_force=command.time_in_force,
        extended_hours=command.extended_hours,
        strategy=command.strategy,
        trade_id=trade_id,
        decision_id=command.proposal.decision_id if command.proposal else command.decision_id,
        reference_price=command.reference_price,
        notional=command.notional,
        stop_price=command.stop_price,
        trail_price=command.trail_price,
        trail_percent=command.trail_percent,
        order_class=command.order_class,
        take_profit=command.take_profit,
        stop_loss=command.stop_loss,
        purpose=command.purpose,
    )
    return [planned, ev.OrderQueued(command.order_id, body_hash(planned), command.not_after)]


def plan_legs(parent: ev.OrderPlanned, epoch: str) -> list[ev.OrderPlanned]:
    """The orders that the broker will make with this one. They are known, and never sent by themselves."""
    return [_leg(parent, leg, epoch) for leg in legs_of(parent)]


def _leg(parent: ev.OrderPlanned, leg: Leg, epoch: str) -> ev.OrderPlanned:
    order_id = leg_order_id(parent.order_id, leg.value)
    profit, loss = parent.take_profit, parent.stop_loss
    if leg is Leg.TAKE_PROFIT:
        assert profit is not None, "the terms were checked"
        order_type = OrderType.LIMIT
        limit: Decimal | None = profit.limit_price
        stop: Decimal | None = None
    else:
        assert loss is not None, "the terms were checked"
        order_type = OrderType.STOP if loss.limit_price is None else OrderType.STOP_LIMIT
        limit, stop = loss.limit_price, loss.stop_price
    return msgspec.structs.replace(
        parent,
        order_id=order_id,
        client_order_id=client_order_id(order_id, epoch),
        side=parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite,
        order_type=order_type,
        limit_price=limit,
        stop_price=stop,
        order_class=OrderClass.SIMPLE,
        take_profit=None,
        stop_loss=None,
        purpose=Purpose.PROTECT,
        parent_order_id=parent.order_id,
        leg=leg,
    )


def replacement(state: OrderState, command: ReplaceOrder, client_order_id: str) -> list[ev.Event]:
    """The first events of the order that is to take this one's place. Raises `InputError`, `ReplaceRefused`."""
    _check_replaceable(state)
    changes = {name: getattr(command, name) for name in _REPLACEABLE if getattr(command, name) is not None}
    if all(getattr(state, name) == value for name, value in changes.items()):
        raise ReplaceRefused(f"order {state.order_id} has these terms already")
    if state.order_class is not OrderClass.SIMPLE and changes.get("quantity", state.quantity) != state.quantity:
        raise ReplaceRefused(
            f"order {state.order_id} brings legs that were planned for its quantity: cancel it and place another"
        )
    if state.leg is not None and changes.get("quantity", state.quantity) != state.quantity:
        raise ReplaceRefused(f"order {state.order_id} is a leg: how much it is for follows from its entry")
    planned = ev.OrderPlanned(
        **{
            **{name: getattr(state, name) for name in ev.OrderPlanned.__struct_fields__},
            "quantity": _left(state),  # what has filled is not asked for again
            **changes,
            "order_id": command.new_order_id,
            "client_order_id": client_order_id,
            "replaces": state.order_id,
        }
    )
    # The legs of a bracket stay with the broker's order and are not among what a replacement says.
    check_terms(msgspec.structs.replace(planned, order_class=OrderClass.SIMPLE, take_profit=None, stop_loss=None))
    return [planned, ev.OrderQueued(command.new_order_id, body_hash(planned), command.not_after)]


def _check_replaceable(state: OrderState) -> None:
    if state.status.is_terminal:
        raise ReplaceRefused(f"order {state.order_id} is already {state.status.value}")
    if state.broker_order_id is None:
        raise ReplaceRefused(f"order {state.order_id} is not at the broker yet: cancel it, or wait")
    if state.replaced_by is not None:
        raise ReplaceRefused(f"order {state.order_id} is being replaced by {state.replaced_by} already")
    if state.cancel_requested:
        raise ReplaceRefused(f"order {state.order_id} is being canceled")
    if state.notional is not None:
        raise ReplaceRefused(f"order {state.order_id} is of an amount of money, which cannot be replaced")
    if not _left(state) > ZERO:
        raise ReplaceRefused(f"order {state.order_id} is filled")
    if state.leg is not None and _left(state) != state.quantity:
        raise ReplaceRefused(
            f"order {state.order_id} is a leg that is filled in part, and all of it may be sent again: cancel it"
        )
    if state.order_class in _WITH_HELD_LEGS and _left(state) != state.quantity:
        raise ReplaceRefused(
            f"order {state.order_id} is filled in part, and its legs may protect only what a replacement fills: "
            "cancel what is left"
        )


def _left(state: OrderState) -> Decimal:
    """What the order can still fill, by our executions and by the broker's count."""
    assert state.quantity is not None, "an order of an amount of money is not replaced"
    return minus(state.quantity, max(state.filled_qty, state.broker_filled_qty))


_WITH_HELD_LEGS = (OrderClass.BRACKET, OrderClass.OTO)


_REPLACEABLE = ("quantity", "limit_price", "stop_price", "trail_price", "trail_percent", "time_in_force")
