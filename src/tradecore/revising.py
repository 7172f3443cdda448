"""Busts and corrections: a fill undone, or done otherwise, in order, trades and account at once.

A fill that is one whole open lot is corrected where it stands, as if it had always been so. Any other is undone as
`tradecore.domain.restating` says, part by part, the last first; a correction then books it anew at the end of the line.
"""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain import events as ev
from tradecore.domain import fill, restating, streams, trade
from tradecore.domain.commands import ReviseFill
from tradecore.domain.fill import FillState
from tradecore.domain.order_state import OrderState
from tradecore.domain.position import Position
from tradecore.domain.restating import Restated
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.draft import Draft
from tradecore.errors import InputError, InvariantViolated
from tradecore.sharing import Execution, keep_in_one_trade, share_out


def revise_fill(draft: Draft, command: ReviseFill) -> None:
    """Apply a bust or a correction to the fill that it means, or keep it until that fill is recorded.

    Raises `InputError` for one that cannot be booked.
    """
    order = draft.order(command.order_id)
    if order is None:
        raise InvariantViolated(f"a revision names order {command.order_id}, which this ledger does not have")
    fill.check_revision(command.revision)
    known = {*(item.execution_id for item in order.awaited)}
    waits = command.revision.execution_id in known
    if waits and command.shown is None:
        return
    state = fill.choose(_fills_of(draft, order), command.revision, order.filled_qty, command.shown)
    if state is None and waits:
        return
    if state is None:
        if not command.revision.busts:
            _refuse_excess(order, command.revision.quantity, command.revision.quantity)
        awaited = ev.OrderRevisionAwaited(order.order_id, command.revision)
        draft.add(streams.order(order.order_id), [awaited])
        return
    if fill.is_news(state, command.revision):
        filled = plus(minus(order.filled_qty, state.quantity), command.revision.quantity)
        if waits and order.quantity is not None and filled > order.quantity:
            return  # it goes on waiting
        _apply(draft, order, state, command.revision)
        revise_awaited(draft, order.order_id)


def revise_awaited(draft: Draft, order_id: str) -> None:
    """Apply what was kept for a fill that is recorded now."""
    applied = True
    while applied:
        applied = False
        order = draft.order(order_id)
        assert order is not None, "an order does not vanish"
        for revision in order.awaited:
            state = fill.choose(_fills_of(draft, order), revision, order.filled_qty)
            if state is None or not fill.is_news(state, revision):
                continue
            try:
                _apply(draft, order, state, revision)
            except InputError:  # it goes on waiting: the fill that is being recorded counts whatever was told of it
                continue
            applied = True
            break


def _fills_of(draft: Draft, order: OrderState) -> tuple[FillState, ...]:
    found = (draft.fill(fill_id) for fill_id in order.fills)
    return tuple(state for state in found if state is not None)


def _refuse_excess(order: OrderState, quantity: Decimal, filled: Decimal) -> None:
    if order.quantity is not None and filled > order.quantity:
        raise InputError("quantity", quantity, f"no more than the order's {order.quantity} in all its fills")


def _apply(draft: Draft, order: OrderState, state: FillState, revision: ev.FillRevision) -> None:
    fill_id = state.recorded.fill_id
    quantity = ZERO if revision.busts else revision.quantity
    filled = plus(minus(order.filled_qty, state.quantity), quantity)
    _refuse_excess(order, quantity, filled)
    revised = ev.OrderFillRevised(
        order.order_id, fill_id, revision.execution_id, state.quantity, state.price,
        quantity, ZERO if revision.busts else revision.price, filled, revision.occurred_at,
    )  # fmt: skip
    before = draft.account(order.account)
    draft.add(streams.order(order.order_id), [revised])
    if revision.busts:
        draft.add(streams.fill(fill_id), [fill.bust(state, revision)])
        _undo(draft, order, state, ZERO, busts=True)
        gone = Execution(fill_id, order, state.quantity, state.price, ZERO, revision.occurred_at)
        keep_in_one_trade(draft, before, gone, revision.execution_id)
        return
    here = len(draft.events)
    parts = _correct_in_place(draft, order, state, revision)
    if parts is None:
        _undo(draft, order, state, revision.quantity, busts=False)
        again = draft.order(order.order_id)
        assert again is not None, "an order does not vanish"
        execution = Execution(
            fill_id, again, revision.quantity, revision.price, revision.fees, state.recorded.occurred_at
        )
        parts = share_out(draft, execution)
        keep_in_one_trade(draft, before, execution, revision.execution_id)
    draft.insert(here, streams.fill(fill_id), fill.correct(state, revision, parts))


def _correct_in_place(
    draft: Draft, order: OrderState, state: FillState, revision: ev.FillRevision
) -> tuple[ev.FillPart, ...] | None:
    """The parts of a fill that could be corrected where it stands, or None."""
    if len(state.parts) != 1 or state.parts[0].closed or state.parts[0].trade_closed:
        return None
    part, fill_id = state.parts[0], state.recorded.fill_id
    owner = draft.trade(part.trade_id)
    assert owner is not None, "a part names its trade"
    held = draft.account(order.account).position(order.symbol)
    if not all(restating.holds_whole(position, fill_id, part.signed_qty) for position in (held, owner.position)):
        return None
    signed = order.side.sign * revision.quantity
    fees = minus(revision.fees, state.fees)
    cash = minus(times(part.signed_qty, state.price), times(signed, revision.price))
    correct = (fill_id, part.signed_qty, signed, revision.price)
    for_trade = Restated(restating.correct_in_place(owner.position, *correct), ZERO)
    draft.add(streams.trade(part.trade_id), trade.revise(owner, order.order_id, fill_id, for_trade, fees, busts=False))
    _restate(draft, order, part, Restated(restating.correct_in_place(held, *correct), ZERO), fees, cash, fill_id, ZERO)
    return (ev.FillPart(part.trade_id, signed, (), ()),)


def _undo(draft: Draft, order: OrderState, state: FillState, to_come: Decimal, *, busts: bool) -> None:
    """Take a fill back, the last part first; `to_come` of it is booked anew and stays reserved until then."""
    fill_id, fees = state.recorded.fill_id, state.fees
    parts = state.parts
    if not parts:  # recorded before parts were: all that is known is the order's trade
        signed = order.side.sign * state.quantity
        parts = (ev.FillPart(order.trade_id, signed, (), ()),)
    for part in reversed(parts):
        owner = draft.trade(part.trade_id)
        assert owner is not None, "a part names its trade"
        held: Position = draft.account(order.account).position(order.symbol)
        change = restating.undo_fill(owner.position, fill_id, part.signed_qty, state.price, part.trade_closed)
        back = -fees if part is parts[0] else ZERO  # fees were booked with the first part
        draft.add(streams.trade(part.trade_id), trade.revise(owner, order.order_id, fill_id, change, back, busts=busts))
        undone = restating.undo_fill(held, fill_id, part.signed_qty, state.price, part.closed)
        _restate(draft, order, part, undone, back, times(part.signed_qty, state.price), fill_id, to_come)


def _restate(
    draft: Draft,
    order: OrderState,
    part: ev.FillPart,
    change: Restated,
    fees: Decimal,
    cash: Decimal,
    fill_id: str,
    to_come: Decimal,
) -> None:
    """Book what a revision did to the account. `cash` is before fees, and fees are a change of what was paid."""
    holder = draft.account(order.account)
    now = draft.order(order.order_id)
    assert now is not None, "an order does not vanish"
    before = holder.position(order.symbol)
    event = ev.PositionRevised(
        account=order.account,
        symbol=order.symbol,
        signed_qty=minus(change.after.quantity, before.quantity),
        cash_delta=minus(cash, fees),
        realised_pnl=minus(change.gross_pnl, fees),
        quantity_after=change.after.quantity,
        lots=restating.open_lots(change.after),
        fill_id=fill_id,
        order_id=order.order_id,
        trade_id=part.trade_id,
        strategy=order.strategy,
        fees=fees,
        reserved=plus(now.remaining, to_come) if order.order_id in holder.reservations else None,
    )
    draft.add(streams.account(order.account), [event])
