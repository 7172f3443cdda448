"""Trade: one position idea from decision to flat, with everything that it cost and earned."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import AdoptOrder, PlaceOrder
from tradecore.domain.evolving import changed
from tradecore.domain.position import Position, apply_fill
from tradecore.domain.restating import Restated, open_lots, position_of, split_position
from tradecore.domain.values import ZERO, Side, TradeStatus, minus, plus, times
from tradecore.errors import InvariantViolated

_T = TradeStatus


@attrs.frozen(slots=False)
class TradeState:
    """A trade as its events tell it. `realised_pnl` is net of fees; amounts in account currency."""

    trade_id: str
    account: str
    strategy: str
    symbol: str
    side: Side
    decision_id: str | None
    reference_price: Decimal | None
    status: TradeStatus
    position: Position = Position()
    working_orders: tuple[str, ...] = ()
    exit_orders: tuple[str, ...] = ()
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    opened_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    fills: tuple[str, ...] = ()

    @property
    def adding(self) -> Side:
        """The side that adds to it: of what it holds, which a bust of its entry may have turned round; else its own."""
        if not self.position.quantity:
            return self.side
        return Side.BUY if self.position.quantity > 0 else Side.SELL


@attrs.frozen
class TradeFill:
    """The part of a fill that belongs to one trade."""

    order_id: str
    fill_id: str
    signed_qty: Decimal
    price: Decimal
    fees: Decimal
    occurred_at: dt.datetime
    is_transfer: bool = False


def propose(command: PlaceOrder, trade_id: str) -> list[ev.Event]:
    """The first events of a trade whose opening order passed the gate."""
    return [_proposed(command, trade_id), ev.TradeApproved(trade_id)]


def adopt(command: AdoptOrder, trade_id: str) -> list[ev.Event]:
    """The first events of a trade that somebody else began."""
    proposed = ev.TradeProposed(
        trade_id=trade_id,
        account=command.account,
        strategy="external",
        symbol=command.symbol,
        side=command.side,
        decision_id=None,
        thesis="an order that was placed outside tradecore",
        reference_price=None,
    )
    return [proposed, ev.TradeApproved(trade_id)]


def refuse(command: PlaceOrder, trade_id: str, rule: str, reason: str) -> list[ev.Event]:
    """The events of a trade whose opening order was refused."""
    return [_proposed(command, trade_id), ev.TradeRefused(trade_id, rule, reason)]


def succeed(before: TradeState, trade_id: str, side: Side) -> list[ev.Event]:
    """The first events of the trade that begins when a fill carries `before` through zero."""
    return [
        ev.TradeProposed(
            trade_id=trade_id,
            account=before.account,
            strategy=before.strategy,
            symbol=before.symbol,
            side=side,
            decision_id=before.decision_id,
            thesis=f"what was left of a fill that closed trade {before.trade_id}",
            reference_price=None,
        ),
        ev.TradeApproved(trade_id),
    ]


def _proposed(command: PlaceOrder, trade_id: str) -> ev.TradeProposed:
    proposal = command.proposal
    return ev.TradeProposed(
        trade_id=trade_id,
        account=command.account,
        strategy=command.strategy,
        symbol=command.symbol,
        side=command.side,
        decision_id=proposal.decision_id if proposal else None,
        thesis=proposal.reasoning if proposal else "placed by hand",
        reference_price=command.reference_price,
    )


def work(state: TradeState, order_id: str, side: Side) -> list[ev.Event]:
    """An order begins to work for the trade."""
    return [ev.TradeWorking(state.trade_id, order_id, is_exit=side is not state.adding)]


def split(state: TradeState, signed_qty: Decimal) -> tuple[Decimal, Decimal]:
    """How much of a fill belongs to this trade, and how much goes through zero into the next."""
    held = state.position.quantity
    if held and (held > 0) != (signed_qty > 0) and abs(signed_qty) > abs(held):
        return -held, plus(signed_qty, held)
    return signed_qty, ZERO


def fill(state: TradeState, part: TradeFill) -> list[ev.Event]:
    """Apply the trade's part of a fill; closes the trade when it is flat and nothing works for it any more."""
    step = apply_fill(state.position, part.fill_id, part.signed_qty, part.price)
    slippage = None
    if state.reference_price is not None and not step.closed and not part.is_transfer:
        slippage = times(part.signed_qty, minus(part.price, state.reference_price))
    filled = ev.TradeFilled(
        trade_id=state.trade_id,
        order_id=part.order_id,
        fill_id=part.fill_id,
        signed_qty=part.signed_qty,
        price=part.price,
        fees=part.fees,
        realised_pnl=minus(step.gross_pnl, part.fees),
        open_qty=step.after.quantity,
        slippage=slippage,
        occurred_at=part.occurred_at,
        is_transfer=part.is_transfer,
    )
    return [filled, *_close_if_flat(evolve(state, filled))]


def finish_order(state: TradeState, order_id: str, reason: str) -> list[ev.Event]:
    """An order of the trade is settled; a trade that never filled is abandoned with the last of its orders."""
    if order_id not in state.working_orders:
        return []
    done = ev.TradeOrderDone(state.trade_id, order_id)
    after = evolve(state, done)
    if not after.fills and not after.working_orders:
        return [done, ev.TradeAbandoned(state.trade_id, reason)]
    return [done, *_close_if_flat(after)]


def revise(
    state: TradeState, order_id: str, fill_id: str, change: Restated, fees: Decimal, *, busts: bool
) -> list[ev.Event]:
    """Take over what a bust or a correction left of the trade; it may be closed by that, or never have been."""
    revised = ev.TradeRevised(
        trade_id=state.trade_id,
        order_id=order_id,
        fill_id=fill_id,
        signed_qty=minus(change.after.quantity, state.position.quantity),
        fees=fees,
        realised_pnl=minus(change.gross_pnl, fees),
        open_qty=change.after.quantity,
        lots=open_lots(change.after),
        busts=busts,
    )
    after = evolve(state, revised)
    if not busts or state.status is _T.ABANDONED or after.position.quantity:
        return [revised]  # what a correction takes back comes again in the next breath
    if not after.fills and not after.working_orders:
        return [revised, ev.TradeAbandoned(state.trade_id, "none of its executions stands")]
    if state.status is _T.CLOSED:  # its amounts changed
        after = changed(after, status=_T.OPEN)
    return [revised, *_close_if_flat(after)]


def split_units(state: TradeState, activity_id: str, change: Decimal, at: dt.datetime) -> list[ev.Event]:
    """A split gives the trade more units, or takes some, at the cost that it had."""
    step = split_position(state.position, activity_id, change)
    happened = ev.TradeSplit(
        state.trade_id, activity_id, change, step.gross_pnl, step.after.quantity, open_lots(step.after), at
    )
    return [happened, *_close_if_flat(evolve(state, happened))]


def _close_if_flat(state: TradeState) -> list[ev.Event]:
    """A flat trade with an entry still working stays open: that order can fill yet."""
    entries = set(state.working_orders) - set(state.exit_orders)
    if state.opened_at is None or state.position.quantity or state.status is _T.CLOSED or entries:
        return []
    assert state.closed_at is not None, "a trade that was opened and is flat has a last fill"
    return [
        ev.TradeClosed(state.trade_id, state.realised_pnl, state.fees, state.opened_at, state.closed_at, "exit order")
    ]


def evolve(state: TradeState | None, event: ev.Event) -> TradeState:
    """The trade after an event."""
    if isinstance(event, ev.TradeProposed):
        return TradeState(
            trade_id=event.trade_id,
            account=event.account,
            strategy=event.strategy,
            symbol=event.symbol,
            side=event.side,
            decision_id=event.decision_id,
            reference_price=event.reference_price,
            status=_T.PROPOSED,
        )
    assert state is not None, "a trade begins with its proposal"
    match event:
        case ev.TradeApproved():
            return changed(state, status=_T.APPROVED)
        case ev.TradeRefused():
            return changed(state, status=_T.REFUSED)
        case ev.TradeWorking():
            exits = (*state.exit_orders, event.order_id) if event.is_exit else state.exit_orders
            status = state.status if state.position.quantity else _T.WORKING
            if event.is_exit and state.position.quantity:
                status = _T.CLOSING
            return changed(
                state, status=status, working_orders=(*state.working_orders, event.order_id), exit_orders=exits
            )
        case ev.TradeFilled():
            return _evolve_fill(state, event)
        case ev.TradeRevised():
            return _evolve_revised(state, event)
        case ev.TradeSplit():
            return changed(
                state,
                position=position_of(event.lots),
                realised_pnl=plus(state.realised_pnl, event.realised_pnl),
                closed_at=None if event.lots else event.occurred_at,
            )
        case ev.TradeOrderDone():
            return _evolve_done(state, event.order_id)
        case ev.TradeClosed():
            return changed(state, status=_T.CLOSED)
        case ev.TradeAbandoned():
            return changed(state, status=_T.ABANDONED)
        case _:
            raise InvariantViolated(f"a trade cannot hold {event.NAME}")


def _evolve_fill(state: TradeState, event: ev.TradeFilled) -> TradeState:
    position = apply_fill(state.position, event.fill_id, event.signed_qty, event.price).after
    closing = any(order in state.exit_orders for order in state.working_orders)
    return changed(
        state,
        position=position,
        status=_T.CLOSING if closing else _T.OPEN,
        realised_pnl=plus(state.realised_pnl, event.realised_pnl),
        fees=plus(state.fees, event.fees),
        opened_at=state.opened_at or event.occurred_at,
        closed_at=event.occurred_at if not position.quantity else None,
        fills=(*state.fills, event.fill_id) if event.fill_id not in state.fills else state.fills,
    )


def _evolve_revised(state: TradeState, event: ev.TradeRevised) -> TradeState:
    """A closed trade that holds something again is open again: its outcome is not known any more."""
    position = position_of(event.lots)
    closing = any(order in state.exit_orders for order in state.working_orders)
    return changed(
        state,
        position=position,
        status=(_T.CLOSING if closing else _T.OPEN) if position.quantity else state.status,
        realised_pnl=plus(state.realised_pnl, event.realised_pnl),
        fees=plus(state.fees, event.fees),
        closed_at=None if position.quantity else state.closed_at or state.opened_at,
        fills=tuple(fill for fill in state.fills if fill != event.fill_id) if event.busts else state.fills,
    )


def _evolve_done(state: TradeState, order_id: str) -> TradeState:
    working = tuple(order for order in state.working_orders if order != order_id)
    status = state.status
    if status is _T.CLOSING and not any(order in state.exit_orders for order in working):
        status = _T.OPEN
    return changed(state, working_orders=working, status=status)
