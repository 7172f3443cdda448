"""Reconciliation: the broker's truth against ours. A difference is reported, never papered over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.identity import derived_id, order_id_of_client
from tradecore.domain.messages import Cause
from tradecore.domain.order import OrderState
from tradecore.domain.values import ZERO, TradingState, minus
from tradecore.ledger import Ledger
from tradecore.ports.broker import EVER, Broker, BrokerOrder
from tradecore.ports.ids import Ids

_SMALLEST = {"JPY": Decimal(1), "KRW": Decimal(1)}
_CENT = Decimal("0.01")
_TRIES = 3
_BATCH = 1_000
_CONTRADICTION = "order"
"""The kind of difference that is no matter of numbers: only a person says that it is done with."""
OF_ORDERS = ("status of order", "filled quantity of order", "presence of order")
"""Differences of a single order: which state it is in, how far it is filled, whether it is there at all."""
FOREIGN = "foreign order"
"""An order at the broker that nobody placed here; a runner adopts it, unless it is told not to."""
UNDECIDED = "revision of order"
"""A bust or a correction that may mean one execution or another; it is gone once the broker tells enough."""
_OF_PERSONS = (_CONTRADICTION, FOREIGN)
_UNSHOWN = (_CONTRADICTION, UNDECIDED)
_QUIET = dt.timedelta(minutes=15)
"""How long a scheduled reconciliation that finds nothing new goes unrecorded, by the broker's clock."""


@attrs.frozen
class Difference:
    """Where the books and the broker disagree, each in its own words."""

    what: str
    subject: str
    ours: str
    theirs: str

    @property
    def key(self) -> tuple[str, str]:
        """What it is about, whatever the numbers."""
        return self.what, self.subject

    def __str__(self) -> str:
        return f"{self.what} {self.subject}: the ledger says {self.ours}, the broker {self.theirs}"


async def compare_standing(ledger: Ledger, broker: Broker, account: str) -> tuple[Difference, ...]:
    """Compare positions (exactly) and cash (to the smallest coin). Raises `BrokerUnreachable`, `ProtocolError`."""
    ours = ledger.account(account)
    theirs = await broker.account()
    found = _compare_positions(ours, {held.symbol: held.quantity for held in await broker.positions()})
    if abs(ours.cash - theirs.cash) >= _SMALLEST.get(ours.currency, _CENT):
        found.append(Difference("cash", ours.currency, format(ours.cash, "f"), format(theirs.cash, "f")))
    return tuple(found)


def _compare_positions(ours: AccountState, theirs: dict[str, Decimal]) -> list[Difference]:
    spelt = {symbol.replace("/", ""): symbol for symbol in ours.positions}  # positions spell BTC/USD as BTCUSD
    held = {spelt.get(symbol, symbol): quantity for symbol, quantity in theirs.items()}
    found = []
    for symbol in sorted({*ours.positions, *held}):
        mine, his = ours.position(symbol).quantity, held.get(symbol, ZERO)
        if mine != his:
            found.append(Difference("position", symbol, format(mine, "f"), format(his, "f")))
    return found


async def confirmed(
    ledger: Ledger, broker: Broker, account: str, collect: Callable[[], Awaitable[None]]
) -> tuple[Difference, ...] | None:
    """What differs twice while nothing is recorded in between; None when the account does not stand still.

    `collect` reads again what the broker knows. Raises `BrokerUnreachable`, `ProtocolError`.
    """
    for _ in range(_TRIES):
        before = ledger.account(account)
        differences = await compare_standing(ledger, broker, account)
        if not differences:
            return ()
        await collect()
        again = await compare_standing(ledger, broker, account)
        if ledger.account(account) == before:
            return tuple(difference for difference in differences if difference in again)
    return None


def may_be_late(account: AccountState, difference: Difference) -> bool:
    """Whether an order is open that could explain a difference in a moment."""
    reserved = account.reservations.values()
    return any(difference.what == "cash" or held.symbol == difference.subject for held in reserved)


async def compare_orders(ledger: Ledger, broker: Broker, order_ids: tuple[str, ...]) -> tuple[Difference, ...]:
    """Compare every order of this ledger, old or new, with what the broker shows.

    Raises `BrokerUnreachable`, `ProtocolError`.
    """
    by_broker_id = {state.broker_order_id: state.order_id for state in map(ledger.order, order_ids) if state}
    theirs: dict[str, BrokerOrder] = {}
    found: list[Difference] = []
    for order in (await broker.orders_since(EVER)).orders:
        known = ledger.order_under(order.client_order_id)
        order_id = known.order_id if known else by_broker_id.get(order.broker_order_id)
        order_id = order_id or order_id_of_client(order.client_order_id, ledger.epoch)
        if order_id is None:  # somebody else's, or forgotten with an epoch that is past
            continue
        if order_id in theirs:
            found.append(Difference("order", order_id, "one order", "two orders under one client id"))
        theirs[order_id] = order
    for order_id in order_ids:
        state = ledger.order(order_id)
        assert state is not None, "the caller names orders of this ledger"
        found.extend(compare_order(state, theirs.pop(order_id, None)))
    found.extend(Difference("order", order_id, "nothing", order.raw) for order_id, order in theirs.items())
    return tuple(found)


def compare_order(ours: OrderState, theirs: BrokerOrder | None) -> list[Difference]:
    """Compare an order with what the broker shows of it; None is nothing."""
    if theirs is None:
        if ours.broker_order_id is None:
            return []
        return [Difference("presence of order", ours.order_id, ours.status.value, "nothing")]
    found = []
    if minus(theirs.filled_qty, ours.filled_before) != ours.filled_qty:
        mine, his = format(ours.filled_qty, "f"), format(theirs.filled_qty, "f")
        found.append(Difference("filled quantity of order", ours.order_id, mine, his))
    his_end = theirs.status is not None and theirs.status.is_terminal
    if his_end != ours.status.is_terminal or (his_end and theirs.status is not ours.status):
        his_word = theirs.status.value if theirs.status else "a status that is not known"
        found.append(Difference("status of order", ours.order_id, ours.status.value, his_word))
    return found


@attrs.frozen
class OpenDifference:
    """A difference that is not resolved. `gates` is whether new risk waits for it; a person may have disputed it."""

    found: ev.DifferenceFound
    gates: bool
    disputed: str | None = None


@attrs.define
class Differences:
    """The differences of one account as their events tell them."""

    open: dict[str, OpenDifference] = attrs.field(factory=dict)
    completed: ev.ReconciliationCompleted | None = None
    position: int = 0
    """Where in the log that completion is."""
    _seen: dict[tuple[str, str], int] = attrs.field(factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, account: str) -> Differences:
        """As the ledger has them."""
        known = cls()
        for recorded in ledger.journal.load(streams.reconciliation(account)):
            known.take(recorded.event)
            if isinstance(recorded.event, ev.ReconciliationCompleted):
                known.position = recorded.envelope.position
        return known

    def take(self, event: ev.Event) -> None:
        """Fold an event of the account's stream."""
        match event:
            case ev.DifferenceFound():
                if event.difference_id not in self.open:
                    key = (event.kind, event.subject)
                    self._seen[key] = self._seen.get(key, 0) + 1
                self.open[event.difference_id] = OpenDifference(event, event.gates)
            case ev.DifferenceDisputed() if event.difference_id in self.open:
                found = self.open[event.difference_id].found
                self.open[event.difference_id] = OpenDifference(found, event.gates, event.reason)
            case ev.DifferenceResolved():
                self.open.pop(event.difference_id, None)
            case ev.ReconciliationCompleted():
                self.completed = event
            case _:
                pass

    def is_behind_stop(self, ledger: Ledger) -> bool:
        """Whether the last completion came after trading last stopped; only what came after it is read."""
        if self.completed is None:
            return False
        position = self.position
        while events := ledger.journal.read(position, _BATCH):
            for recorded in events:
                event = recorded.event
                if isinstance(event, ev.KillSwitchActivated) and event.account == self.completed.account:
                    return False
            position = events[-1].envelope.position
        return True

    def has(self, difference: Difference) -> bool:
        """Whether one about the same, with whatever numbers, is open."""
        return any((known.found.kind, known.found.subject) == difference.key for known in self.open.values())

    @property
    def orders(self) -> frozenset[str]:
        """The orders that differed when they were last compared."""
        return frozenset(known.found.subject for known in self.open.values() if known.found.kind in OF_ORDERS)

    @property
    def undecided(self) -> frozenset[str]:
        """The orders of which a bust or a correction waits, because it may mean several executions."""
        return frozenset(known.found.subject for known in self.open.values() if known.found.kind == UNDECIDED)

    @property
    def unshown(self) -> tuple[Difference, ...]:
        """What no look at the broker shows: orders that contradict themselves, and revisions that nobody can place."""
        found = (known.found for known in self.open.values())
        return tuple(Difference(e.kind, e.subject, e.ours, e.theirs) for e in found if e.kind in _UNSHOWN)

    def id_of(self, account: str, difference: Difference) -> str:
        """The id of a difference: that of the open one of this kind and subject, or the next."""
        for open_id, known in self.open.items():
            if (known.found.kind, known.found.subject) == (difference.what, difference.subject):
                return open_id
        turn = self._seen.get((difference.what, difference.subject), 0)
        return derived_id("difference", account, difference.what, difference.subject, str(turn))

    @property
    def gating(self) -> tuple[OpenDifference, ...]:
        """Those that new risk waits for."""
        return tuple(known for known in self.open.values() if known.gates)


class Reconciler:
    """Records what a comparison found: what is new, what changed, what is gone."""

    def __init__(self, ledger: Ledger, ids: Ids, account: str, cash_tolerance: Decimal) -> None:
        """Cash that differs by no more than `cash_tolerance` is told, and stops nothing."""
        self._ledger = ledger
        self._ids = ids
        self._account = account
        self._tolerance = cash_tolerance

    def record(
        self,
        why: str,
        as_of: dt.datetime,
        differences: tuple[Difference, ...],
        *,
        concluded: bool = True,
        orders_from: dt.datetime | None = None,
    ) -> Differences:
        """Record the outcome; returns how things stand. A quiet one is recorded every quarter of an hour.

        Without a conclusion only what differs is recorded, not that the comparison is complete.
        """
        known = Differences.of(self._ledger, self._account)
        before = known.completed
        news = [self._found(known, difference, as_of) for difference in differences]
        wanted = {found.difference_id for found in news}
        fresh: list[ev.Event] = [found for found in news if _is_news(known.open.get(found.difference_id), found)]
        fresh += [
            ev.DifferenceResolved(gone, self._account, "agreed", "books and broker agree")
            for gone in known.open
            if gone not in wanted and known.open[gone].found.kind not in _OF_PERSONS
        ]
        for event in fresh:
            self._note(event)
            known.take(event)
        if self._ledger.account(self._account).trading_state is not TradingState.ACTIVE and not known.is_behind_stop(
            self._ledger
        ):
            why = "stop"  # a person waits for it
        quiet = why == "schedule" and not fresh and before is not None and as_of - before.as_of < _QUIET
        if concluded and not quiet:
            holder = self._ledger.account(self._account)
            done = ev.ReconciliationCompleted(
                self._account, why, as_of, len(holder.reservations), len(holder.positions),
                len(known.open), len(known.gating), orders_from,
            )  # fmt: skip
            self._note(done)
            known.take(done)
        return known

    def _found(self, known: Differences, difference: Difference, as_of: dt.datetime) -> ev.DifferenceFound:
        gates = True
        if difference.what == "cash":
            gates = abs(Decimal(difference.ours) - Decimal(difference.theirs)) > self._tolerance
        return ev.DifferenceFound(
            known.id_of(self._account, difference), self._account, difference.what, difference.subject,
            difference.ours, difference.theirs, gates, as_of,
        )  # fmt: skip

    def _note(self, event: ev.Event) -> None:
        cause = Cause(self._ids.trace_id(), actor="reconciliation")
        self._ledger.note(streams.reconciliation(self._account), event, cause)


def _is_news(known: OpenDifference | None, found: ev.DifferenceFound) -> bool:
    """Whether a difference is new, has other numbers, or is judged otherwise now by what is tolerated."""
    if known is None or (known.found.ours, known.found.theirs) != (found.ours, found.theirs):
        return True
    return known.disputed is None and known.gates != found.gates
