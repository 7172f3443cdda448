"""Account: identity, cash, positions, limits, and what every open order reserves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain import risk
from tradecore.domain.commands import PinAccount, PlaceOrder, SetLimits
from tradecore.domain.evolving import changed
from tradecore.domain.order_state import OrderState
from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.restating import position_of
from tradecore.domain.terms import size
from tradecore.domain.values import ZERO, Side, minus, plus, times
from tradecore.errors import InputError, InvariantViolated, WrongAccount


@attrs.frozen
class Reservation:
    """An order at the size that can still happen. `quantity` is what is not filled yet, unsigned.

    While the order that it `replaces` is reserved too, only what it adds to that one counts.
    """

    trade_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    replaces: str | None = None


@attrs.frozen
class Holding:
    """What one strategy holds of a symbol, and the trade that it belongs to."""

    trade_id: str
    quantity: Decimal


@attrs.frozen(slots=False)
class AccountState:
    """An account as its events tell it. Cash in account currency; positions by symbol; reservations by order.

    `as_of` is the broker's time at which the books begin.
    """

    account: str
    broker: str | None = None
    broker_account_id: str | None = None
    paper: bool = True
    currency: str = "USD"
    as_of: dt.datetime | None = None
    cash: Decimal = ZERO
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    limits: risk.Limits = risk.Limits()
    positions: Mapping[str, Position] = attrs.field(factory=dict)
    reservations: Mapping[str, Reservation] = attrs.field(factory=dict)
    holdings: Mapping[tuple[str, str], Holding] = attrs.field(factory=dict)
    opening_activities: tuple[str, ...] = ()

    def position(self, symbol: str) -> Position:
        """The position in a symbol, flat when there is none."""
        return self.positions.get(symbol, Position())

    def trades_for(self, strategy: str, symbol: str) -> tuple[str, ...]:
        """Trades of a strategy and symbol that may be live: the one that holds, then those with an order working."""
        holding = self.holdings.get((strategy, symbol))
        working = (
            reservation.trade_id
            for reservation in self.reservations.values()
            if reservation.strategy == strategy and reservation.symbol == symbol
        )
        return tuple(dict.fromkeys((*((holding.trade_id,) if holding else ()), *working)))

    def held(self, strategy: str, symbol: str) -> Decimal:
        """Signed quantity that a strategy holds of a symbol."""
        holding = self.holdings.get((strategy, symbol))
        return holding.quantity if holding else ZERO

    def working(self, strategy: str, symbol: str) -> Decimal:
        """Signed quantity that a strategy's orders in a symbol can still add."""
        total = ZERO
        for reservation in self.reservations.values():
            if reservation.strategy == strategy and reservation.symbol == symbol:
                total = plus(total, reservation.side.sign * self.open_quantity(reservation))
        return total

    def open_quantity(self, reservation: Reservation) -> Decimal:
        """What a reservation adds to the others, unsigned."""
        replaced = self.reservations.get(reservation.replaces) if reservation.replaces else None
        if replaced is None:
            return reservation.quantity
        return max(ZERO, minus(reservation.quantity, replaced.quantity))


def pin(state: AccountState, command: PinAccount) -> list[ev.Event]:
    """Bind the account to a broker account once; any other is refused for ever."""
    if state.broker_account_id is None:
        return [
            ev.AccountPinned(
                account=state.account,
                broker=command.broker,
                broker_account_id=command.broker_account_id,
                paper=command.paper,
                currency=command.currency,
                cash=command.cash,
                positions=command.positions,
                as_of=command.as_of,
                activities=command.activities,
            )
        ]
    if state.broker_account_id != command.broker_account_id:
        raise WrongAccount(
            f"this ledger belongs to broker account {state.broker_account_id}, but the keys open "
            f"{command.broker_account_id}: use the right keys, or another --ledger"
        )
    if state.paper != command.paper:
        raise WrongAccount("this ledger belongs to a " + ("paper" if state.paper else "live") + " account")
    return []


def set_limits(state: AccountState, command: SetLimits) -> list[ev.Event]:
    """Replace the limits; nothing happens when they are the same already."""
    wanted = (command.max_order_qty, command.max_order_notional, command.max_open_orders)
    now = state.limits
    if wanted == (now.max_order_qty, now.max_order_notional, now.max_open_orders):
        return []
    return [ev.LimitsSet(state.account, now.version + 1, *wanted, command.reason)]


def gate(state: AccountState, command: PlaceOrder) -> risk.Breach | None:
    """The limit that refuses the order, or None."""
    prices = (command.limit_price, command.stop_price, command.reference_price)
    price = next((price for price in prices if price is not None), None)
    return risk.check(state.limits, worst_quantity(command), price, len(state.reservations))


def worst_quantity(command: PlaceOrder) -> Decimal:
    """The most that the order can fill. Raises `InputError` when that cannot be told."""
    quantity = size(command, command.reference_price)
    if quantity is None:
        raise InputError(
            "reference_price", command.reference_price, "a price above zero, to tell what the amount of money buys"
        )
    return quantity


def reserve(state: AccountState, command: PlaceOrder, trade_id: str) -> list[ev.Event]:
    """Count the order at full size from here on."""
    return [
        ev.ReservationMade(
            account=state.account,
            order_id=command.order_id,
            trade_id=trade_id,
            strategy=command.strategy,
            symbol=command.symbol,
            side=command.side,
            quantity=worst_quantity(command),
            limits_version=state.limits.version,
        )
    ]


def gate_replacement(state: AccountState, order: OrderState, new: ev.OrderPlanned) -> risk.Breach | None:
    """The limit that refuses the replacement, or None; the order that it replaces makes room for it."""
    prices = (new.limit_price, new.stop_price, new.reference_price)
    price = next((price for price in prices if price is not None), None)
    assert new.quantity is not None, "an order of an amount of money is not replaced"
    others = len(state.reservations.keys() - {order.order_id})
    return risk.check(state.limits, new.quantity, price, others)


def reserve_replacement(state: AccountState, order: OrderState, new: ev.OrderPlanned) -> list[ev.Event]:
    """Count what the replacement adds: until the old order ends either may fill, but not both in full."""
    assert new.quantity is not None, "an order of an amount of money is not replaced"
    return [
        ev.ReservationMade(
            account=state.account,
            order_id=new.order_id,
            trade_id=new.trade_id,
            strategy=new.strategy,
            symbol=new.symbol,
            side=new.side,
            quantity=new.quantity,
            limits_version=state.limits.version,
            replaces=order.order_id,
        )
    ]


def reserve_again(state: AccountState, order: OrderState) -> list[ev.Event]:
    """Count an order again that was released and turned out to be at the broker, at what is not filled yet."""
    if order.order_id in state.reservations:
        return []
    return [
        ev.ReservationMade(
            account=state.account,
            order_id=order.order_id,
            trade_id=order.trade_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            quantity=order.remaining,
            limits_version=state.limits.version,
            replaces=order.replaces,
        )
    ]


def release(state: AccountState, order_id: str) -> list[ev.Event]:
    """Stop counting an order whose end is proved."""
    reservation = state.reservations.get(order_id)
    if reservation is None:
        return []
    return [ev.ReservationReleased(state.account, order_id, reservation.quantity)]


def book(
    state: AccountState,
    order: OrderState,
    fill_id: str,
    price: Decimal,
    fees: Decimal,
    parts: tuple[tuple[str, Decimal], ...],
) -> list[ev.PositionChange]:
    """Book a fill into cash and position, once per trade it touches.

    `parts` is (trade, signed quantity); they add up to the fill. Fees are booked with the first part. Cash changes by
    -(quantity x price) - fees.
    """
    events: list[ev.PositionChange] = []
    position = state.position(order.symbol)
    for trade_id, part in parts:
        step = apply_fill(position, fill_id, part, price)
        kind: type[ev.PositionChange]
        if not step.after.quantity:
            kind = ev.PositionClosed
        else:
            kind = ev.PositionUpdated if position.quantity else ev.PositionOpened
        events.append(
            kind(
                account=state.account,
                symbol=order.symbol,
                fill_id=fill_id,
                order_id=order.order_id,
                trade_id=trade_id,
                strategy=order.strategy,
                signed_qty=part,
                price=price,
                fees=fees,
                cash_delta=minus(times(part.copy_negate(), price), fees),
                realised_pnl=minus(step.gross_pnl, fees),
                quantity_after=step.after.quantity,
                closed_lots=step.closed,
            )
        )
        position, fees = step.after, ZERO
    return events


def evolve(state: AccountState | None, event: ev.Event, account: str) -> AccountState:
    """The account after an event; an account exists as soon as somebody names it."""
    state = state or AccountState(account)
    match event:
        case ev.AccountPinned():
            return _evolve_pin(state, event)
        case ev.LimitsSet():
            limits = risk.Limits(
                event.limits_version, event.max_order_qty, event.max_order_notional, event.max_open_orders
            )
            return changed(state, limits=limits)
        case ev.LimitBreached():
            return state
        case ev.ReservationMade():
            made = Reservation(event.trade_id, event.strategy, event.symbol, event.side, event.quantity, event.replaces)
            return changed(state, reservations={**state.reservations, event.order_id: made})
        case ev.ReservationReleased():
            left = {key: value for key, value in state.reservations.items() if key != event.order_id}
            return changed(state, reservations=left)
        case ev.PositionChange():
            return _evolve_position(state, event)
        case ev.CashBooked():
            return changed(state, cash=plus(state.cash, event.amount))
        case ev.LotsRestated():
            return _evolve_restated(state, event)
        case _:
            raise InvariantViolated(f"an account cannot hold {event.NAME}")


def _evolve_pin(state: AccountState, event: ev.AccountPinned) -> AccountState:
    positions = {
        held.symbol: Position((Lot("opening", held.quantity, held.average_price),), held.quantity)
        for held in event.positions
        if held.quantity
    }
    return changed(
        state,
        broker=event.broker,
        broker_account_id=event.broker_account_id,
        paper=event.paper,
        currency=event.currency,
        as_of=event.as_of,
        cash=event.cash,
        positions=positions,
        opening_activities=event.activities,
    )


def _evolve_position(state: AccountState, event: ev.PositionChange) -> AccountState:
    position = apply_fill(state.position(event.symbol), event.fill_id, event.signed_qty, event.price).after
    if position.quantity != event.quantity_after:
        raise InvariantViolated(f"{event.symbol}: position {position.quantity} is recorded as {event.quantity_after}")
    positions = {**state.positions, event.symbol: position}
    if not position.quantity:
        del positions[event.symbol]
    reservations = dict(state.reservations)
    reserved = reservations.get(event.order_id)
    if reserved is not None:
        left = max(ZERO, minus(reserved.quantity, abs(event.signed_qty)))
        reservations[event.order_id] = attrs.evolve(reserved, quantity=left)
    return changed(
        state,
        cash=plus(state.cash, event.cash_delta),
        realised_pnl=plus(state.realised_pnl, event.realised_pnl),
        fees=plus(state.fees, event.fees),
        positions=positions,
        reservations=reservations,
        holdings=_hold(state, event.symbol, ev.TradeShare(event.strategy, event.trade_id, event.signed_qty)),
    )


def _evolve_restated(state: AccountState, event: ev.LotsRestated) -> AccountState:
    position = position_of(event.lots)
    if position.quantity != event.quantity_after:
        raise InvariantViolated(f"{event.symbol}: lots of {position.quantity} are recorded as {event.quantity_after}")
    positions = {**state.positions, event.symbol: position}
    if not position.quantity:  # also where only cash changed, and there is no symbol
        del positions[event.symbol]
    after = changed(
        state,
        cash=plus(state.cash, event.cash_delta),
        realised_pnl=plus(state.realised_pnl, event.realised_pnl),
        positions=positions,
    )
    match event:
        case ev.PositionRevised():
            share = ev.TradeShare(event.strategy, event.trade_id, event.signed_qty)
            reservations = dict(state.reservations)
            if event.reserved is not None:
                reservations[event.order_id] = attrs.evolve(reservations[event.order_id], quantity=event.reserved)
            fees = plus(state.fees, event.fees)
            return changed(after, fees=fees, reservations=reservations, holdings=_hold(state, event.symbol, share))
        case ev.PositionSplit():
            for share in event.shares:
                after = changed(after, holdings=_hold(after, event.symbol, share))
            return after
        case _:
            return after


def _hold(state: AccountState, symbol: str, share: ev.TradeShare) -> dict[tuple[str, str], Holding]:
    holdings = dict(state.holdings)
    key = (share.strategy, symbol)
    before = holdings.get(key)
    quantity = plus(before.quantity if before else ZERO, share.signed_qty)
    if quantity:
        holdings[key] = Holding(share.trade_id, quantity)
    else:
        holdings.pop(key, None)
    return holdings
