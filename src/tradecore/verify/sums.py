"""Sums over orders, fills, trades and accounts against each other, and the books kept once more."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import attrs
import msgspec

from tradecore.books.agreement import Agreement
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.identity import client_order_id
from tradecore.domain.messages import Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.terms import body_hash, size
from tradecore.domain.trade import TradeState
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.journal.scratch import Scratch, Spill
from tradecore.verify.findings import Findings
from tradecore.verify.streams import Streams


@attrs.frozen
class _Tally:
    """What fills and reservations say of one order."""

    fills: int = 0
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    reserved: Decimal | None = None


@attrs.frozen
class _Fill:
    """What an execution came to, after the broker's last word on it."""

    order_id: str
    account: str
    symbol: str
    sign: int
    quantity: Decimal
    price: Decimal
    fees: Decimal


@attrs.define
class _Account:
    """What the fills of one account add up to, and what its books began with."""

    opening: ev.AccountPinned | None = None
    held: dict[str, Decimal] = attrs.field(factory=lambda: defaultdict(Decimal))
    spent: Decimal = ZERO
    fees: Decimal = ZERO
    traded: dict[str, Decimal] = attrs.field(factory=lambda: defaultdict(Decimal))
    unsettled: dict[str, Decimal] = attrs.field(factory=dict)


class Sums:
    """Takes every event, then compares."""

    def __init__(self, scratch: Scratch, findings: Findings) -> None:
        self._findings = findings
        self._epochs: list[str] = []
        self._tallies: Spill[_Tally] = Spill(scratch, "orders", msgspec.msgpack.encode, _tally)
        self._owners: Spill[str] = Spill(scratch, "client order ids", str.encode, lambda _, stored: stored.decode())
        self._accounts: dict[str, _Account] = defaultdict(_Account)
        self._fills: Spill[_Fill] = Spill(scratch, "fills", msgspec.msgpack.encode, _fill)
        times_of_fills: Spill[dt.datetime] = Spill(scratch, "times", msgspec.msgpack.encode, _time)
        self._double_entry = Agreement(times_of_fills)

    def take(self, recorded: Recorded[ev.Event]) -> None:
        """The next event."""
        self._double_entry.take(recorded)
        event = recorded.event
        match event:
            case ev.LedgerCreated() | ev.EpochChanged():
                self._epochs.append(event.epoch)
            case ev.AccountPinned():
                self._accounts[event.account].opening = event
            case ev.ReservationMade():
                tally = self._tally(event.order_id)
                self._tallies.put(event.order_id, attrs.evolve(tally, reserved=event.quantity))
            case ev.FillRecorded() | ev.FillBusted() | ev.FillCorrected():
                self._take_fill(recorded.envelope.stream, event)
            case ev.CashBooked():
                account = self._accounts[event.account]
                account.spent = minus(account.spent, event.amount)
            case ev.PositionSplit() | ev.AdjustmentBooked():
                self._take_outside(event)
            case _:
                pass

    def _take_fill(self, stream: str, event: ev.FillRecorded | ev.FillBusted | ev.FillCorrected) -> None:
        known = self._fills.get(stream)
        match event:
            case ev.FillRecorded():
                of = (event.order_id, event.account, event.symbol, event.side.sign)
                fill = _Fill(*of, event.quantity, event.price, event.fees)
            case _ if known is None:
                return  # the domain says that it cannot be
            case ev.FillBusted():
                fill = attrs.evolve(known, quantity=ZERO, fees=ZERO)
            case ev.FillCorrected():
                fill = attrs.evolve(known, quantity=event.quantity, price=event.price, fees=event.fees)
        if known is not None and not isinstance(event, ev.FillRecorded):
            self._add(attrs.evolve(known, quantity=-known.quantity, fees=-known.fees), count=-1)
        self._add(fill, count=1)
        self._fills.put(stream, fill)

    def _add(self, fill: _Fill, count: int) -> None:
        """Count a fill, or with everything negated, take it back."""
        tally, account = self._tally(fill.order_id), self._accounts[fill.account]
        value = times(fill.quantity, fill.price)
        self._tallies.put(
            fill.order_id,
            attrs.evolve(
                tally,
                fills=tally.fills + count,
                quantity=plus(tally.quantity, fill.quantity),
                value=plus(tally.value, value),
            ),
        )
        account.held[fill.symbol] = plus(account.held[fill.symbol], fill.sign * fill.quantity)
        account.spent = plus(plus(account.spent, fill.sign * value), fill.fees)
        account.fees = plus(account.fees, fill.fees)

    def _take_outside(self, event: ev.LotsRestated) -> None:
        """What changed without an order of ours."""
        account = self._accounts[event.account]
        account.spent = minus(account.spent, event.cash_delta)
        if event.symbol:
            given = sum((share.signed_qty for share in getattr(event, "shares", ())), ZERO)
            account.held[event.symbol] = plus(account.held[event.symbol], event.signed_qty)
            account.traded[event.symbol] = plus(account.traded[event.symbol], minus(event.signed_qty, given))

    def _tally(self, order_id: str) -> _Tally:
        return self._tallies.get(order_id) or _Tally()

    def compare(self, streams: Streams) -> None:
        """The sums, with what the streams were folded to."""
        if not self._epochs:
            self._findings.add("birth", "ledger", "no event says that the ledger was created, and under which epoch")
        accounts: list[AccountState] = []
        for state in streams.states():
            if isinstance(state, OrderState):
                self._compare_order(state)
            elif isinstance(state, TradeState):
                traded = self._accounts[state.account].traded
                traded[state.symbol] = plus(traded[state.symbol], state.position.quantity)
            elif isinstance(state, AccountState):
                accounts.append(state)
        for order_id, tally in self._tallies.pairs():
            if tally.fills and streams.whole(f"order-{order_id}") is None:
                message = "fills name this order, which cannot be read or does not exist"
                self._findings.add("fills", f"order-{order_id}", message)
        for subject, message in self._double_entry.differences(accounts):
            self._findings.add("double entry", subject, message)
        for account in accounts:
            self._compare_account(account, self._accounts[account.account])

    def _compare_order(self, order: OrderState) -> None:
        findings, subject = self._findings, f"order-{order.order_id}"
        tally = self._tally(order.order_id)
        findings.same("fills", subject, "filled quantity", order.filled_qty, tally.quantity)
        findings.same("fills", subject, "value of its fills", order.filled_value, tally.value)
        if order.quantity is not None and order.filled_qty > order.quantity:
            findings.add("fills", subject, f"{order.filled_qty} were filled of {order.quantity} ordered")
        due = size(order, order.reference_price) if order.leg is None else None  # legs only reduce
        findings.same("reservations", subject, "first reservation", tally.reserved, due)
        if order.body_hash and order.body_hash != body_hash(order):
            findings.add("orders", subject, "its terms are not those that it was queued with")
        ids = {client_order_id(order.order_id, epoch) for epoch in self._epochs}
        if ids and not order.external and order.client_order_id not in ids:
            findings.add("client order ids", subject, f"{order.client_order_id} is not the id that belongs to it")
        owner = self._owners.get(order.client_order_id)
        if owner is None:
            self._owners.put(order.client_order_id, order.order_id)
        elif owner != order.order_id:
            findings.add("client order ids", subject, f"order-{owner} has the same {order.client_order_id}")
        if not order.is_settled and order.leg is None:
            self._accounts[order.account].unsettled[order.order_id] = order.remaining

    def _compare_account(self, state: AccountState, sums: _Account) -> None:
        same, subject, opening = self._findings.same, f"account-{state.account}", sums.opening
        reserved = {key: held.quantity for key, held in state.reservations.items()}
        for order_id in sorted({*reserved, *sums.unsettled}):
            right = sums.unsettled.get(order_id)
            same("reservations", f"order-{order_id}", "reservation", reserved.get(order_id), right)
        begun = {lot.symbol: lot.quantity for lot in opening.positions} if opening else {}
        for symbol in sorted({*begun, *sums.held, *sums.traded, *state.positions}):
            quantity, first = state.position(symbol).quantity, begun.get(symbol, ZERO)
            by_fills, by_trades = plus(first, sums.held[symbol]), plus(first, sums.traded[symbol])
            same("positions", f"{subject} {symbol}", "position by its fills", quantity, by_fills)
            same("positions", f"{subject} {symbol}", "position by its trades", quantity, by_trades)
        same("cash", subject, "cash", state.cash, minus(opening.cash if opening else ZERO, sums.spent))
        same("cash", subject, "fees", state.fees, sums.fees)


def _tally(_: str, stored: bytes) -> _Tally:
    return msgspec.msgpack.decode(stored, type=_Tally)


def _fill(_: str, stored: bytes) -> _Fill:
    return msgspec.msgpack.decode(stored, type=_Fill)


def _time(_: str, stored: bytes) -> dt.datetime:
    return msgspec.msgpack.decode(stored, type=dt.datetime)
