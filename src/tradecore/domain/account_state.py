"""The state of an account, and how each of its events changes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.evolving import changed
from tradecore.domain.exposure import Book, Exposure
from tradecore.domain.gate.figures import Recent
from tradecore.domain.holding import Holding, with_share
from tradecore.domain.limits import Limits
from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.reservations import Reservation, open_quantity, put
from tradecore.domain.restating import position_of
from tradecore.domain.tempo import Tempo, scopes
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import ZERO, TradingState, minus, plus, times
from tradecore.errors import InvariantViolated

SETTINGS = "settings"
"""Who sets limits when a runner begins."""


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
    limits: Limits = Limits()
    settings_limits: Limits | None = None
    trading_state: TradingState = TradingState.ACTIVE
    clear_requested_by: str | None = None
    stopped_by: Mapping[str, Decimal] = attrs.field(factory=dict)
    """The triggers of this stop, each with its cooldown in seconds."""
    quiet: Mapping[str, dt.datetime] = attrs.field(factory=dict)
    """Until when a trigger that fired before is quiet."""
    unread: Mapping[int, tuple[str, str]] = attrs.field(factory=dict)
    """Kind and message of critical alerts that nobody has read, by their position in the log."""
    alerts_upto: int = 0
    positions: Mapping[str, Position] = attrs.field(factory=dict)
    reservations: Mapping[str, Reservation] = attrs.field(factory=dict)
    holdings: Mapping[tuple[str, str], Holding] = attrs.field(factory=dict)
    opening_activities: tuple[str, ...] = ()
    adjusted: Mapping[str, Decimal] = attrs.field(factory=dict)
    """Signed quantity by symbol that a person took over from the broker, and that no strategy traded."""
    exposure: Exposure = Exposure()
    tempo: Tempo = Tempo()
    open_by_scope: Mapping[str, int] = attrs.field(factory=dict)
    peak: Decimal | None = None
    """The largest equity, of all days, at the beginning of a day or when prices were taken in.

    What came from outside moves it; it begins anew when a person lets trading go on after a drawdown.
    """
    marked: Decimal | None = None
    """The equity when prices were last taken in; what came from outside moves it."""

    @property
    def may(self) -> TradingState:
        """What the account may do: as it was told, and no new risk while a critical alert is unread."""
        unread = self.unread and self.trading_state is TradingState.ACTIVE
        return TradingState.REDUCE_ONLY if unread else self.trading_state

    @property
    def equity(self) -> Decimal | None:
        """Cash and what all positions are worth; None while the account or the price of a position is not known."""
        held = self.exposure.held_value
        return None if held is None or self.broker_account_id is None else plus(self.cash, held)

    @property
    def opening(self) -> Decimal | None:
        """What a day begins with that begins now: fills since prices were last taken in belong to it already."""
        equity = self.equity
        return equity if equity is None or self.marked is None else self.marked

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
        return tuple(dict.fromkeys((*(holding.trades if holding else ()), *working)))

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
        return open_quantity(self.reservations, reservation)


def marked(exposure: Exposure, marks: Mapping[str, Decimal]) -> Exposure:
    for symbol, price in marks.items():
        exposure = exposure.with_mark(symbol, price)
    return exposure


def unversioned(limits: Limits) -> Limits:
    return attrs.evolve(limits, version=0)


def evolve(state: AccountState | None, event: ev.Event, account: str) -> AccountState:
    """The account after an event; an account exists as soon as somebody names it."""
    if state is None:
        state = AccountState(account)
    match event:
        case ev.ReservationMade():
            return _evolve_reservation(state, event)
        case ev.ReservationReleased():
            return _evolve_release(state, event)
        case ev.PositionChange():
            return _evolve_position(state, event)
        case ev.HoldingMoved():
            for share in event.shares:
                state = changed(state, holdings=_hold(state, event.symbol, share))
            return state
        case ev.AccountPinned():
            return _evolve_pin(state, event)
        case ev.LimitsSet():
            return _evolve_limits(state, event)
        case ev.LimitBreached() | ev.LimitWarned() | ev.OrderReduced():
            return state
        case ev.KillSwitchActivated():
            stopped_by = {**state.stopped_by, event.trigger: event.cooldown_s}
            return changed(state, trading_state=event.state, clear_requested_by=None, stopped_by=stopped_by)
        case ev.KillSwitchClearRequested():
            return changed(state, clear_requested_by=event.who)
        case ev.KillSwitchCleared():
            return _evolve_cleared(state, event)
        case ev.AlertRaised():
            unread = {**state.unread, event.position: (event.kind, event.message)}
            return changed(state, unread=unread, alerts_upto=max(state.alerts_upto, event.position))
        case ev.AlertAcknowledged():
            left = {position: alert for position, alert in state.unread.items() if position != event.position}
            return changed(state, unread=left)
        case ev.EquityMarked():
            return _evolve_mark(state, event)
        case ev.CashBooked():
            return _evolve_cash(state, event)
        case ev.LotsRestated():
            return _evolve_restated(state, event)
        case _:
            raise InvariantViolated(f"an account cannot hold {event.NAME}")


def _evolve_cleared(state: AccountState, event: ev.KillSwitchCleared) -> AccountState:
    quiet = dict(state.quiet)
    if event.at is not None:
        for trigger, cooldown_s in state.stopped_by.items():
            quiet[trigger] = event.at + dt.timedelta(seconds=float(cooldown_s))
    # Whoever lets trading go on after a drawdown knows of it, and is not stopped by the same one for ever.
    peak = state.equity if Trigger.DRAWDOWN.value in state.stopped_by else state.peak
    after = changed(state, trading_state=TradingState.ACTIVE, clear_requested_by=None, stopped_by={}, quiet=quiet)
    return changed(after, peak=peak)


def _evolve_pin(state: AccountState, event: ev.AccountPinned) -> AccountState:
    positions = {
        held.symbol: Position((Lot("opening", held.quantity, held.average_price),), held.quantity)
        for held in event.positions
        if held.quantity
    }
    after = changed(
        state,
        broker=event.broker,
        broker_account_id=event.broker_account_id,
        paper=event.paper,
        currency=event.currency,
        as_of=event.as_of,
        cash=event.cash,
        positions=positions,
        opening_activities=event.activities,
        exposure=_held(state.exposure, positions),
    )
    begins = state.tempo.start is None and state.tempo.day is not None  # with an order that was placed before
    return changed(after, tempo=changed(state.tempo, start=after.equity)) if begins else after


def _held(exposure: Exposure, positions: Mapping[str, Position]) -> Exposure:
    for symbol, position in positions.items():
        exposure = exposure.with_book(symbol, attrs.evolve(exposure.book(symbol), position=position.quantity))
    return exposure


def _evolve_limits(state: AccountState, event: ev.LimitsSet) -> AccountState:
    after = changed(state, limits=event.limits, exposure=state.exposure.with_sectors(event.limits.sectors))
    return changed(after, settings_limits=unversioned(event.limits)) if event.who == SETTINGS else after


def _evolve_mark(state: AccountState, event: ev.EquityMarked) -> AccountState:
    tempo = state.tempo.on(dt.date.fromisoformat(event.day), state.opening)
    start = event.equity if tempo.start is None else tempo.start
    peak = max(event.equity, start if state.peak is None else state.peak)
    exposure = marked(state.exposure, event.marks)
    return changed(state, tempo=changed(tempo, start=start), peak=peak, marked=event.equity, exposure=exposure)


def _evolve_reservation(state: AccountState, event: ev.ReservationMade) -> AccountState:
    made = Reservation(
        event.trade_id,
        event.strategy,
        event.symbol,
        event.side,
        event.quantity,
        event.replaces,
        event.agent,
        event.limit_price,
    )
    exposure, tempo = state.exposure, state.tempo
    if event.price is not None and event.symbol not in exposure.marks:
        exposure = exposure.with_mark(event.symbol, event.price)
    if event.at is not None:
        order = Recent(event.at, event.symbol, event.side, event.quantity, event.strategy, event.agent)
        worth = None if event.price is None else times(event.quantity, event.price)
        day = event.at.date()
        if day != tempo.day:  # what the account is worth is only asked where a day begins
            tempo = tempo.on(day, state.opening)
        tempo = tempo.placed(order, worth, state.limits)
    reservations, opened = put(state.reservations, event.order_id, made)
    counts = dict(state.open_by_scope)
    for scope in scopes(event.symbol, event.strategy, event.agent):
        counts[scope] = counts.get(scope, 0) + 1
    exposure = exposure.with_opened(opened)
    return changed(state, reservations=reservations, exposure=exposure, tempo=tempo, open_by_scope=counts)


def _evolve_release(state: AccountState, event: ev.ReservationReleased) -> AccountState:
    ended = state.reservations.get(event.order_id)
    if ended is None:
        return state
    reservations, opened = put(state.reservations, event.order_id, None)
    exposure = state.exposure.with_opened(opened)
    counts = dict(state.open_by_scope)
    for scope in scopes(ended.symbol, ended.strategy, ended.agent):
        counts[scope] -= 1
        if not counts[scope]:
            del counts[scope]
    return changed(state, reservations=reservations, exposure=exposure, open_by_scope=counts)


def _evolve_cash(state: AccountState, event: ev.CashBooked) -> AccountState:
    """Money that came or went from outside is neither a gain nor a loss of the day."""
    after = changed(state, cash=plus(state.cash, event.amount))
    return _from_outside(after, event.amount) if event.kind in _FROM_OUTSIDE else after


_FROM_OUTSIDE = ("deposit", "withdrawal")


def _from_outside(state: AccountState, worth: Decimal) -> AccountState:
    tempo = state.tempo
    tempo = tempo if tempo.start is None else changed(tempo, start=plus(tempo.start, worth))
    return changed(state, tempo=tempo, peak=_moved(state.peak, worth), marked=_moved(state.marked, worth))


def _moved(known: Decimal | None, worth: Decimal) -> Decimal | None:
    return None if known is None else plus(known, worth)


def _worth(event: ev.AdjustmentBooked, state: AccountState) -> Decimal:
    """What a person took over, at the price that it counts at from here on."""
    price = state.exposure.marks.get(event.symbol, event.price)
    return plus(event.cash_delta, times(event.signed_qty, price))


def _left(state: AccountState, order_id: str, quantity: Decimal | None) -> AccountState:
    """With so much that an order can still fill, where it reserves anything; None leaves it as it is."""
    reserved = state.reservations.get(order_id)
    if reserved is None or quantity is None:
        return state
    reservations, opened = put(state.reservations, order_id, changed(reserved, quantity=quantity))
    return changed(state, reservations=reservations, exposure=state.exposure.with_opened(opened))


def _holding_now(state: AccountState, symbol: str, quantity: Decimal, price: Decimal | None) -> Exposure:
    """The exposure with another position in a symbol. `price` is the last one, None when the old one means nothing."""
    book = state.exposure.book(symbol)
    return state.exposure.with_both(symbol, Book(quantity, book.buys, book.sells), price)


def _evolve_position(state: AccountState, event: ev.PositionChange) -> AccountState:
    position = apply_fill(state.position(event.symbol), event.fill_id, event.signed_qty, event.price).after
    if position.quantity != event.quantity_after:
        raise InvariantViolated(f"{event.symbol}: position {position.quantity} is recorded as {event.quantity_after}")
    positions = {**state.positions, event.symbol: position}
    if not position.quantity:
        del positions[event.symbol]
    reserved = state.reservations.get(event.order_id)
    reservations, book = state.reservations, state.exposure.book(event.symbol)
    if reserved is not None:
        left = max(ZERO, minus(reserved.quantity, abs(event.signed_qty)))
        reservations, opened = put(reservations, event.order_id, changed(reserved, quantity=left))
        for symbol, side, more in opened:
            assert symbol == event.symbol, "an order and what replaces it are of one symbol"
            book = book.open(side, more)
    book = Book(position.quantity, book.buys, book.sells)
    return changed(
        state,
        reservations=reservations,
        cash=plus(state.cash, event.cash_delta),
        realised_pnl=plus(state.realised_pnl, event.realised_pnl),
        fees=plus(state.fees, event.fees),
        positions=positions,
        exposure=state.exposure.with_both(event.symbol, book, event.price),
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
    if event.symbol:
        price = None if isinstance(event, ev.PositionSplit) else state.exposure.marks.get(event.symbol)
        after = changed(after, exposure=_holding_now(state, event.symbol, position.quantity, price))
    match event:
        case ev.PositionRevised():
            share = ev.TradeShare(event.strategy, event.trade_id, event.signed_qty)
            fees = plus(state.fees, event.fees)
            after = changed(after, fees=fees, holdings=_hold(state, event.symbol, share))
            return _left(after, event.order_id, event.reserved)
        case ev.PositionSplit():
            for share in event.shares:
                after = changed(after, holdings=_hold(after, event.symbol, share))
            return after
        case ev.AdjustmentBooked() if event.symbol:
            known = state.adjusted.get(event.symbol, ZERO)
            after = changed(after, adjusted={**state.adjusted, event.symbol: plus(known, event.signed_qty)})
            return _from_outside(after, _worth(event, after))
        case ev.AdjustmentBooked():
            return _from_outside(after, event.cash_delta)
        case _:
            return after


def _hold(state: AccountState, symbol: str, share: ev.TradeShare) -> dict[tuple[str, str], Holding]:
    holdings = dict(state.holdings)
    key = (share.strategy, symbol)
    after = with_share(holdings.get(key), share)
    if after is not None:
        holdings[key] = after
    else:
        holdings.pop(key, None)
    return holdings
