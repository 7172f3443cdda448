"""The engine: decide, deliver, collect. It knows the steps; a runner knows when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import structlog

from tradecore import __version__
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import (
    AlertTriggered,
    AssetsRefreshed,
    Event,
    OpeningPosition,
    RunnerStarted,
    RunnerStopped,
)
from tradecore.domain.messages import Cause
from tradecore.domain.order import OrderState
from tradecore.domain.reducing import reduces
from tradecore.domain.session import is_regular
from tradecore.domain.values import Bar, OrderStatus
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError
from tradecore.follower import Follower
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox
from tradecore.ports.broker import Broker, OrderReport
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.strategy import Idea, Strategy
from tradecore.proposing import order_of
from tradecore.reconcile import compare_standing
from tradecore.rewind import refuse_rewound
from tradecore.views import read_rows
from tradecore.views.projector import Projector

_log = structlog.get_logger("tradecore.engine")
_PATIENT_ROUNDS = 10
"""Reconciliations in a row that may blame a difference on something that is on its way."""


@attrs.frozen
class StrategyPortfolio:
    """What the account's books say of one strategy."""

    ledger: Ledger
    account: str
    strategy: str

    def position(self, symbol: str) -> Decimal:
        """Signed quantity that the strategy holds."""
        return self.ledger.account(self.account).held(self.strategy, symbol)

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that its open orders can still add."""
        return self.ledger.account(self.account).working(self.strategy, symbol)


@attrs.frozen
class Terms:
    """What the engine is told about an account: limits, and how long an intent stays fresh."""

    account: str
    max_order_qty: Decimal | None
    max_order_notional: Decimal | None
    max_open_orders: int | None
    not_after_s: float


class Engine:
    """One account at one broker, traded by one strategy."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        strategy: Strategy,
        outbox: Outbox,
        inbox: Inbox,
        projector: Projector,
        clock: Clock,
        ids: Ids,
        terms: Terms,
    ) -> None:
        self.ledger = ledger
        self.broker = broker
        self.strategy = strategy
        self.outbox = outbox
        self.inbox = inbox
        self.projector = projector
        self.follower = Follower(ledger.journal)
        self._clock = clock
        self._ids = ids
        self._terms = terms
        self._portfolio = StrategyPortfolio(ledger, terms.account, strategy.name)
        self._alerted: set[str] = set()
        self._unsettled_rounds = 0
        self._holds: dict[str, str] = {}
        outbox.refusal = self._refusal

    # --- beginning and end ------------------------------------------------------------------------------------------

    async def begin(self, runner_id: str) -> None:
        """Pin the account, restore what is open, and read what happened meanwhile, before anything is decided or sent.

        Raises `RewoundLedger` (with nothing recorded), `WrongAccount`, `BrokerUnauthorized`, `BrokerUnreachable`.
        """
        overlooked = await refuse_rewound(self.ledger, self.broker)
        await self._pin()
        await self._refresh_assets()
        terms = self._terms
        limits = (terms.max_order_qty, terms.max_order_notional, terms.max_open_orders)
        self.ledger.handle(cmd.SetLimits(terms.account, *limits, reason="settings"), self._cause("settings"))
        started = RunnerStarted(runner_id, __version__, self.broker.name, self.strategy.name)
        self.ledger.note(streams.RUNNER, started, self._cause("runner"))
        self._restore()
        for order in overlooked:
            await self.inbox.take(OrderReport(order, "found at the start", None))
        self.catch_up()
        await self.collect()

    def end(self, runner_id: str, reason: str) -> None:
        """Record that the runner stopped in good order, with the views at the head."""
        self.ledger.note(streams.RUNNER, RunnerStopped(runner_id, reason), self._cause("runner"))
        self.catch_up()
        self.projector.catch_up()

    async def _pin(self) -> None:
        as_of = await self.broker.now()
        found = await self.broker.account()
        known = self.ledger.account(self._terms.account)
        held = await self.broker.positions() if known.broker_account_id is None else ()
        self.ledger.handle(
            cmd.PinAccount(
                account=self._terms.account,
                broker=self.broker.name,
                broker_account_id=found.account_id,
                paper=found.paper,
                currency=found.currency,
                cash=found.cash,
                positions=tuple(OpeningPosition(p.symbol, p.quantity, p.average_price) for p in held),
                as_of=as_of,
            ),
            self._cause("runner"),
        )
        books_begin = self.ledger.account(self._terms.account).as_of
        assert books_begin is not None, "it was just pinned"
        self.inbox.start_from(books_begin)  # what was executed before is in the opening balances

    async def _refresh_assets(self) -> None:
        """Record the broker's list of assets when it is not the one that is recorded already."""
        symbols = tuple(sorted(asset.symbol for asset in await self.broker.assets() if asset.tradable))
        recorded = [item.event for item in self.ledger.journal.load(streams.BROKER)]
        lists = [event.symbols for event in recorded if isinstance(event, AssetsRefreshed)]
        if not lists or lists[-1] != symbols:
            event = AssetsRefreshed(self.broker.name, symbols)
            self.ledger.note(streams.BROKER, event, self._cause("runner"))

    def _restore(self) -> None:
        """Take up what earlier runs left open, from the views, and follow the log from where they end."""
        self.follower.position = self.projector.catch_up()
        for row in read_rows(self.ledger.journal, "orders"):
            if row["account"] != self._terms.account:
                continue
            order = None
            # What ended and reserves nothing is settled, and need not be loaded however long the ledger is.
            reserved = row["order_id"] in self.ledger.account(row["account"]).reservations
            if reserved or not OrderStatus(row["status"]).is_terminal:
                order = self.ledger.order(row["order_id"])
                self.outbox.consider(row["order_id"])
            if row["broker_order_id"] is not None:
                accepted = order.broker_updated_at if order else None
                self.inbox.remember(
                    row["broker_order_id"],
                    row["order_id"],
                    accepted or self._clock.now(),
                    settled=order is None or order.is_settled,
                )
        for row in read_rows(self.ledger.journal, "fills"):
            if row["account"] != self._terms.account:
                continue
            self.inbox.start_from(dt.datetime.fromisoformat(row["occurred_at"]))
        self.follower.listen(self.ledger.observe)
        self.follower.listen(self.outbox.observe)
        self.follower.listen(self.inbox.observe)

    # --- the steps --------------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Take in everything appended so far, here or by another process."""
        self.follower.catch_up()

    def observe(self, bar: Bar) -> None:
        """Show a bar to the strategy without asking it."""
        if is_regular(bar.symbol, bar.start):
            self.strategy.observe(bar)

    def decide(self, bar: Bar) -> None:
        """Show a bar to the strategy and record what it proposes; the same bar never places two orders."""
        if not is_regular(bar.symbol, bar.start):
            return
        for number, idea in enumerate(self.strategy.on_bar(bar, self._portfolio)):
            try:
                self._place(bar, idea, number)
            except InputError as error:
                self.alert("bad_proposal", f"strategy {self.strategy.name} at {bar.start.isoformat()}: {error}")
        self.catch_up()

    def _place(self, bar: Bar, idea: Idea, number: int) -> None:
        order = order_of(
            idea,
            bar,
            number,
            strategy=self.strategy.name,
            account=self._terms.account,
            not_after=self._clock.now() + dt.timedelta(seconds=self._terms.not_after_s),
        )
        assert order.proposal is not None, "an idea is a decision"
        account = self.ledger.account(self._terms.account)
        if self._holds and not reduces(account, order.order_id, order.symbol, order.side, order.proposal.quantity):
            return
        self.ledger.handle(order, self._cause(f"strategy:{self.strategy.name}"))

    def hold(self, kind: str, reason: str) -> None:
        """Take no new intents and send none, except those that only reduce a position, until all holds are let go."""
        self._holds[kind] = reason

    def let_go(self, kind: str) -> None:
        """End a hold; harmless when there is none."""
        self._holds.pop(kind, None)

    def _refusal(self, order: OrderState) -> str | None:
        account = self.ledger.account(order.account)
        if not self._holds or reduces(account, order.order_id, order.symbol, order.side, order.remaining):
            return None
        return next(iter(self._holds.values()))

    async def collect(self) -> None:
        """Read again what the broker knows."""
        await self.inbox.collect()
        self.catch_up()

    async def reconcile(self) -> None:
        """Compare the books with the broker; each difference is recorded once per run."""
        try:
            await self.collect()
            differences = await compare_standing(self.ledger, self.broker, self._terms.account)
            if differences:  # an execution may have come between the two sides: only what stays is a difference
                await self.collect()
                again = await compare_standing(self.ledger, self.broker, self._terms.account)
                differences = tuple(difference for difference in differences if difference in again)
        except (BrokerUnreachable, ProtocolError) as error:
            self.alert("broker_unreachable", str(error))
            return
        if self.outbox.unresolved or self.inbox.behind:
            self._unsettled_rounds += 1
            if self._unsettled_rounds < _PATIENT_ROUNDS:
                return  # something is on its way; the next round sees it
        else:
            self._unsettled_rounds = 0
        for difference in differences:
            self.alert("reconcile_mismatch", str(difference))

    def alert(self, kind: str, message: str) -> None:
        """Record something that a person should see, once per run."""
        if message not in self._alerted:
            self._alerted.add(message)
            _log.error(message, kind=kind)
            self.note(streams.BROKER, AlertTriggered(kind, message))

    def note(self, stream: str, event: Event) -> None:
        """Record an event of the system."""
        self.ledger.note(stream, event, self._cause("engine"))

    def _cause(self, actor: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=actor)
