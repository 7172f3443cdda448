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
from tradecore.domain.order import OrderState, body_hash
from tradecore.domain.trade import TradeState
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.journal.scratch import Scratch, Spill
from tradecore.verify.findings import Findings
from tradecore.verify.streams import Streams


@attrs.frozen
class _Tally:
    """What fills and reservations say of one order."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    reserved: Decimal | None = None


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
        times_of_fills: Spill[dt.datetime] = Spill(scratch, "fills", msgspec.msgpack.encode, _time)
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
            case ev.FillRecorded():
                self._take_fill(event)
            case _:
                pass

    def _take_fill(self, event: ev.FillRecorded) -> None:
        tally, value = self._tally(event.order_id), times(event.quantity, event.price)
        added = _Tally(plus(tally.quantity, event.quantity), plus(tally.value, value), tally.reserved)
        self._tallies.put(event.order_id, added)
        account, signed = self._accounts[event.account], event.side.sign * event.quantity
        account.held[event.symbol] = plus(account.held[event.symbol], signed)
        account.spent = plus(plus(account.spent, times(signed, event.price)), event.fees)
        account.fees = plus(account.fees, event.fees)

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
            if tally.quantity and streams.whole(f"order-{order_id}") is None:
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
        if order.filled_qty > order.quantity:
            findings.add("fills", subject, f"{order.filled_qty} were filled of {order.quantity} ordered")
        findings.same("reservations", subject, "first reservation", tally.reserved, order.quantity)
        if order.body_hash and order.body_hash != body_hash(order):
            findings.add("orders", subject, "its terms are not those that it was queued with")
        if self._epochs and order.client_order_id not in {client_order_id(order.order_id, e) for e in self._epochs}:
            findings.add("client order ids", subject, f"{order.client_order_id} is not the id that belongs to it")
        owner = self._owners.get(order.client_order_id)
        if owner is None:
            self._owners.put(order.client_order_id, order.order_id)
        elif owner != order.order_id:
            findings.add("client order ids", subject, f"order-{owner} has the same {order.client_order_id}")
        if not order.is_settled:
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


def _time(_: str, stored: bytes) -> dt.datetime:
    return msgspec.msgpack.decode(stored, type=dt.datetime)
