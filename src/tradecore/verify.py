"""Verification: go through a whole ledger and find whatever contradicts itself, the domain, or the views."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import attrs

from tradecore.audit.chain_check import check_chain
from tradecore.audit.finding import Finding
from tradecore.books.agreement import Agreement
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.identity import client_order_id, parse_trace_id
from tradecore.domain.messages import Envelope, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.position import Position, PositionStep, apply_fill
from tradecore.domain.restating import position_of
from tradecore.domain.terms import body_hash, size
from tradecore.domain.trade import TradeState
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.draft import State, evolve
from tradecore.errors import CorruptLedger, InputError
from tradecore.journal.contract import Journal
from tradecore.journal.url import shown
from tradecore.ports.anchor import Anchor
from tradecore.views import ALL_VIEWS
from tradecore.views.comparison import Comparison
from tradecore.views.folding import SENSELESS
from tradecore.views.snapshots import wrong_snapshots

_PAGE = 1000


@attrs.frozen
class Report:
    """What a verification went through, and what it found."""

    events: int
    streams: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.findings


def verify(journal: Journal, anchors: Sequence[Anchor] = ()) -> Report:
    """Check store, chain, log, views and books of a ledger; damage becomes findings. Views are caught up first.

    Raises `StoreUnavailable`, and `NewerLedger` for a ledger that this tradecore cannot judge.
    """
    findings: list[Finding] = []
    try:
        journal.check()
    except CorruptLedger as error:
        findings.append(Finding("store", shown(journal.url), str(error)))
    findings += check_chain(journal, anchors)
    views = [Comparison(journal, view) for view in ALL_VIEWS]
    log, books = _LogCheck(findings), _BooksCheck(findings)
    try:
        while page := journal.read(log.position, _PAGE):
            for recorded in page:
                log.take(recorded.envelope)
                books.take(recorded)
                for view in views:
                    view.take(recorded)
    except CorruptLedger as error:
        findings.append(Finding("log", f"after position {log.position}", f"the log cannot be read further: {error}"))
    else:
        for view in views:
            findings.extend(Finding("views", subject, message) for subject, message in view.differences())
        wrong = wrong_snapshots(journal, books.folded(), log.versions)
        findings.extend(Finding("snapshots", subject, message) for subject, message in wrong)
        try:
            books.compare()
        except SENSELESS as error:
            findings.append(Finding("books", "ledger", f"the sums cannot be made of what is recorded: {error!r}"))
    return Report(log.events, len(log.versions), tuple(findings))


class _LogCheck:
    """The order of events: positions, versions, identities, causes, traces."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._event_ids: set[str] = set()
        self.versions: dict[str, int] = {}
        self.position = 0
        self.events = 0

    def take(self, envelope: Envelope) -> None:
        where = f"event {envelope.position}"
        if envelope.position != self.position + 1:
            self._find("positions", where, f"position {envelope.position} follows {self.position}")
        before = self.versions.get(envelope.stream, 0)
        if envelope.version != before + 1:
            self._find("versions", envelope.stream, f"version {envelope.version} follows {before}")
        if envelope.event_id in self._event_ids:
            self._find("event ids", where, f"event id {envelope.event_id} was used before")
        if envelope.causation_id is not None and envelope.causation_id not in self._event_ids:
            self._find("causation", where, f"no earlier event has the id {envelope.causation_id} of its cause")
        try:
            parse_trace_id("trace_id", envelope.trace_id)
        except InputError as error:
            self._find("traces", where, str(error))
        self._event_ids.add(envelope.event_id)
        self.versions[envelope.stream] = envelope.version
        self.position = max(self.position, envelope.position)
        self.events += 1

    def _find(self, check: str, subject: str, message: str) -> None:
        self._findings.append(Finding(check, subject, message))


class _BooksCheck:
    """Every stream through the domain; then sums over orders, fills, trades and accounts against each other."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._states: dict[str, State] = {}
        self._broken: set[str] = set()
        self._epochs: list[str] = []
        self._fills: dict[str, list[ev.FillRecorded]] = defaultdict(list)
        self._outside: dict[str, list[ev.Event]] = defaultdict(list)
        self._openings: dict[str, ev.AccountPinned] = {}
        self._reserved: dict[str, Decimal] = {}
        self._double_entry = Agreement()

    def take(self, recorded: Recorded[ev.Event]) -> None:
        stream, event = recorded.envelope.stream, recorded.event
        self._double_entry.take(recorded)
        match event:
            case ev.LedgerCreated() | ev.EpochChanged():
                self._epochs.append(event.epoch)
            case ev.AccountPinned():
                self._openings[event.account] = event
            case ev.FillRecorded():
                self._fills[stream].append(event)
            case ev.FillBusted() if self._fills[stream]:
                self._fills[stream][-1] = attrs.evolve(self._fills[stream][-1], quantity=ZERO, fees=ZERO)
            case ev.FillCorrected() if self._fills[stream]:
                self._fills[stream][-1] = attrs.evolve(
                    self._fills[stream][-1], quantity=event.quantity, price=event.price, fees=event.fees
                )
            case ev.CashBooked() | ev.PositionSplit() | ev.AdjustmentBooked():
                self._outside[event.account].append(event)
            case _:
                pass
        if stream in self._broken:
            return
        before = self._states.get(stream)
        try:
            self._recompute(stream, before, event)
            self._states[stream] = evolve(stream, before, event)
        except SENSELESS as error:
            self._broken.add(stream)
            self._find("fold", stream, f"the domain cannot take in its version {recorded.envelope.version}: {error!r}")

    def folded(self) -> dict[str, State]:
        """The streams that the domain took in whole."""
        return {stream: state for stream, state in self._states.items() if stream not in self._broken}

    def _recompute(self, stream: str, before: State, event: ev.Event) -> None:
        """What an event says of amounts follows from the state before it."""
        if isinstance(event, ev.ReservationMade):
            self._reserved[event.order_id] = event.quantity
        elif isinstance(event, ev.ReservationReleased) and isinstance(before, AccountState):
            held = before.reservations.get(event.order_id)
            left = held.quantity if held else None
            self._same("reservations", stream, f"what is released of order {event.order_id}", event.quantity, left)
        elif isinstance(event, ev.PositionChange):
            position = before.position(event.symbol) if isinstance(before, AccountState) else Position()
            step = self._rebook(stream, position, event, event.quantity_after)
            cash = minus(times(event.signed_qty.copy_negate(), event.price), event.fees)
            self._same("booking", stream, f"cash of fill {event.fill_id}", event.cash_delta, cash)
            if event.closed_lots != step.closed:
                self._find("booking", stream, f"fill {event.fill_id} closed other lots than are recorded")
        elif isinstance(event, ev.TradeFilled) and isinstance(before, TradeState):
            self._rebook(stream, before.position, event, event.open_qty)
        elif isinstance(event, ev.LotsRestated):
            position = before.position(event.symbol) if isinstance(before, AccountState) else Position()
            self._restate(stream, position, event)
        elif isinstance(event, ev.TradeRevised | ev.TradeSplit) and isinstance(before, TradeState):
            right = plus(before.position.quantity, event.signed_qty)
            self._same("booking", stream, "quantity after a change", event.open_qty, right)

    def _restate(self, stream: str, held: Position, event: ev.LotsRestated) -> None:
        """What leaves cash is in the lots, or in the profit: only an adjustment by a person comes from nowhere."""
        after = plus(held.quantity, event.signed_qty)
        self._same("booking", stream, f"quantity of {event.symbol} after a change", event.quantity_after, after)
        if isinstance(event, ev.AdjustmentBooked):
            return
        cost = minus(position_of(event.lots).cost, held.cost)
        profit = plus(event.cash_delta, cost)
        self._same("booking", stream, f"profit of a change of {event.symbol}", event.realised_pnl, profit)

    def _rebook(
        self, stream: str, held: Position, event: ev.PositionChange | ev.TradeFilled, after: Decimal
    ) -> PositionStep:
        step = apply_fill(held, event.fill_id, event.signed_qty, event.price)
        profit = minus(step.gross_pnl, event.fees)
        self._same("booking", stream, f"quantity after fill {event.fill_id}", after, step.after.quantity)
        self._same("booking", stream, f"profit of fill {event.fill_id}", event.realised_pnl, profit)
        return step

    def compare(self) -> None:
        """The sums."""
        if not self._epochs:
            self._find("birth", "ledger", "no event says that the ledger was created, and under which epoch")
        for stream, recorded in self._fills.items():
            if len(recorded) != 1:
                self._find("fills", stream, f"a fill has one event, and this one has {len(recorded)}")
        states = self.folded()
        orders = {state.order_id: state for state in states.values() if isinstance(state, OrderState)}
        accounts = [state for state in states.values() if isinstance(state, AccountState)]
        trades = [state for state in states.values() if isinstance(state, TradeState)]
        for subject, message in self._double_entry.differences(accounts):
            self._find("double entry", subject, message)
        fills = [event for recorded in self._fills.values() for event in recorded]
        self._compare_orders(orders, fills)
        for account in accounts:
            self._compare_reservations(account, orders)
            self._compare_account(account, [event for event in fills if event.account == account.account], trades)

    def _compare_orders(self, orders: dict[str, OrderState], fills: list[ev.FillRecorded]) -> None:
        quantity: dict[str, Decimal] = defaultdict(Decimal)
        value: dict[str, Decimal] = defaultdict(Decimal)
        for event in fills:
            quantity[event.order_id] = plus(quantity[event.order_id], event.quantity)
            value[event.order_id] = plus(value[event.order_id], times(event.quantity, event.price))
        for order_id in quantity.keys() - orders.keys():
            self._find("fills", f"order-{order_id}", "fills name this order, which cannot be read or does not exist")
        owners: dict[str, str] = {}
        for order_id, order in orders.items():
            subject = f"order-{order_id}"
            self._same("fills", subject, "filled quantity", order.filled_qty, quantity[order_id])
            self._same("fills", subject, "value of its fills", order.filled_value, value[order_id])
            if order.quantity is not None and order.filled_qty > order.quantity:
                self._find("fills", subject, f"{order.filled_qty} were filled of {order.quantity} ordered")
            due = size(order, order.reference_price) if order.leg is None else None  # legs only reduce
            self._same("reservations", subject, "first reservation", self._reserved.get(order_id), due)
            if order.body_hash and order.body_hash != body_hash(order):
                self._find("orders", subject, "its terms are not those that it was queued with")
            if (
                self._epochs
                and not order.external
                and order.client_order_id not in {client_order_id(order_id, e) for e in self._epochs}
            ):
                self._find("client order ids", subject, f"{order.client_order_id} is not the id that belongs to it")
            owner = owners.setdefault(order.client_order_id, order_id)
            if owner != order_id:
                self._find("client order ids", subject, f"order-{owner} has the same {order.client_order_id}")

    def _compare_reservations(self, account: AccountState, orders: dict[str, OrderState]) -> None:
        ours = {key: held.quantity for key, held in account.reservations.items()}
        mine = (order for order in orders.values() if order.account == account.account and not order.is_settled)
        right = {order.order_id: order.remaining for order in mine if order.leg is None}  # legs only reduce
        for order_id in sorted({*ours, *right}):
            self._same("reservations", f"order-{order_id}", "reservation", ours.get(order_id), right.get(order_id))

    def _compare_account(self, account: AccountState, fills: list[ev.FillRecorded], trades: list[TradeState]) -> None:
        subject, opening = f"account-{account.account}", self._openings.get(account.account)
        held: dict[str, Decimal] = defaultdict(Decimal)
        traded: dict[str, Decimal] = defaultdict(Decimal)
        for lot in opening.positions if opening else ():
            held[lot.symbol] = traded[lot.symbol] = lot.quantity
        cash, fees = opening.cash if opening else ZERO, ZERO
        for event in fills:
            signed = event.side.sign * event.quantity
            held[event.symbol] = plus(held[event.symbol], signed)
            cash = minus(minus(cash, times(signed, event.price)), event.fees)
            fees = plus(fees, event.fees)
        for other in self._outside[account.account]:
            if isinstance(other, ev.CashBooked):
                cash = plus(cash, other.amount)
            elif isinstance(other, ev.LotsRestated) and other.symbol:
                given = sum((share.signed_qty for share in getattr(other, "shares", ())), ZERO)
                held[other.symbol] = plus(held[other.symbol], other.signed_qty)
                traded[other.symbol] = plus(traded[other.symbol], minus(other.signed_qty, given))
            if isinstance(other, ev.LotsRestated):
                cash = plus(cash, other.cash_delta)
        for trade in trades:
            if trade.account == account.account:
                traded[trade.symbol] = plus(traded[trade.symbol], trade.position.quantity)
        for symbol in sorted({*held, *traded, *account.positions}):
            quantity = account.position(symbol).quantity
            self._same("positions", f"{subject} {symbol}", "position by its fills", quantity, held[symbol])
            self._same("positions", f"{subject} {symbol}", "position by its trades", quantity, traded[symbol])
        self._same("cash", subject, "cash", account.cash, cash)
        self._same("cash", subject, "fees", account.fees, fees)

    def _same(self, check: str, subject: str, what: str, recorded: Decimal | None, right: Decimal | None) -> None:
        if recorded != right:
            self._find(check, subject, f"{what} is recorded as {recorded} and follows from the rest as {right}")

    def _find(self, check: str, subject: str, message: str) -> None:
        self._findings.append(Finding(check, subject, message))
