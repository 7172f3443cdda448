"""Account: identity, cash, positions, limits, and what every open order reserves."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.account_state import SETTINGS, AccountState, evolve, marked, unversioned
from tradecore.domain.commands import MarkEquity, PinAccount, PlaceOrder, SetLimits
from tradecore.domain.holding import Holding
from tradecore.domain.limits import Limits, check_limits
from tradecore.domain.order_state import OrderState
from tradecore.domain.position import apply_fill
from tradecore.domain.terms import size
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.errors import InputError, WrongAccount

__all__ = [
    "SETTINGS",
    "AccountState",
    "Holding",
    "book",
    "evolve",
    "mark",
    "pin",
    "release",
    "reserve_again",
    "set_limits",
    "worst_quantity",
]


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
    """Replace the limits; nothing happens when they are the same already, or the settings say what they said before.

    Raises `InputError` for limits that cannot be meant.
    """
    check_limits(command.limits)
    now = state.limits
    wanted = attrs.evolve(command.limits, version=now.version)
    if command.who == SETTINGS and unversioned(wanted) == (state.settings_limits or Limits()):
        return []
    if wanted == now and command.who != SETTINGS:
        return []
    limits = attrs.evolve(wanted, version=now.version + (wanted != now))
    return [ev.LimitsSet(state.account, limits, command.who, command.reason)]


def mark(state: AccountState, command: MarkEquity) -> list[ev.Event]:
    """Take in prices of what is held. Nothing happens when that says nothing new and no new day begins."""
    held = {symbol: price for symbol, price in command.marks.items() if symbol in state.exposure.books}
    exposure = marked(state.exposure, held)
    value, day = exposure.held_value, command.at.date().isoformat()
    if state.broker_account_id is None or value is None:
        return []
    equity, tempo = plus(state.cash, value), state.tempo.on(command.at.date(), state.opening)
    if exposure == state.exposure and tempo == state.tempo and equity == state.marked:
        return []
    return [ev.EquityMarked(state.account, day, equity, held)]


def worst_quantity(command: PlaceOrder) -> Decimal:
    """The most that the order can fill. Raises `InputError` when that cannot be told."""
    quantity = size(command, command.reference_price)
    if quantity is None:
        raise InputError(
            "reference_price", command.reference_price, "a price above zero, to tell what the amount of money buys"
        )
    return quantity


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
            limit_price=order.limit_price,
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
